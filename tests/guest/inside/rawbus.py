# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to a bus that says what it likes: no library checks what is sent, and nobody listens."""

import os
import socket
import struct

# Nested so deeply that the bus relays it and sd-bus drops the message, before anybody there sees it. An empty array has it.
DROPPED = "a{s(" * 17 + "y" + ")}" * 17, bytes(8)


def connect(path, timeout=20):
    """As this user, with a name, and able to pass descriptors."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(timeout)
    client.connect(path)
    for line in b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode(), b"NEGOTIATE_UNIX_FD":
        client.sendall(line + b"\r\n")
        client.recv(1000)
    client.sendall(b"BEGIN\r\n" + call(1, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "Hello"))
    client.recv(1000)
    return client


def field(code, kind, value):
    length = struct.pack("<B" if kind == "g" else "<I", len(value))
    return struct.pack("<BB2s", code, 1, kind.encode() + b"\0") + length + value.encode() + b"\0"


def call(serial, name, path, interface, member, signature="", body=b"", n_fds=0, flags=1):
    """A call of a method, by these flags one that wants no reply."""
    fields = b""
    for one in (field(1, "o", path), field(2, "s", interface), field(3, "s", member), field(6, "s", name),
                field(8, "g", signature), struct.pack("<BB2sI", 9, 1, b"u\0", n_fds)):
        fields += bytes(-len(fields) % 8) + one
    head = struct.pack("<cBBBIII", b"l", 1, flags, 1, len(body), serial, len(fields)) + fields
    return head + bytes(-len(head) % 8) + body


def load(path, fd, parameters="", flags=0, timeout=60):
    """Calls Load, as GLib would, which takes longer to start than this takes in all. Returns the object's path and None, or the
    error's message and name."""
    with connect(path, timeout) as client:
        text = parameters.encode()
        body = struct.pack("<II", 0, len(text)) + text + b"\0"
        body += bytes(-len(body) % 8) + struct.pack("<Q", flags)
        socket.send_fds(client, [call(2, "org.moduled1", "/org/moduled1", "org.moduled1.Manager", "Load", "hst", body, 1, 0)],
                        [fd])
        with client.makefile("rb") as stream:
            while True:
                head, fields, body = receive(stream)
                if fields.get(5) == 2:
                    (length,) = struct.unpack_from("<I", body)
                    return body[4:4 + length].decode(), fields[4] if head == 3 else None


def receive(stream):
    """A message: its type, its header fields by their codes, and its body."""
    fixed = stream.read(16)
    if len(fixed) < 16:
        raise ConnectionError("the connection is closed")
    _, kind, _, _, length, _, fields_length = struct.unpack("<cBBBIII", fixed)
    data, fields, at = stream.read(fields_length + -fields_length % 8), {}, 0
    while at < fields_length:
        code, signature = data[at], chr(data[at + 2])
        at += 4
        if signature == "u":
            (fields[code],) = struct.unpack_from("<I", data, at)
            at += 4
        else:
            size, width = (data[at], 1) if signature == "g" else (struct.unpack_from("<I", data, at)[0], 4)
            fields[code] = data[at + width:at + width + size].decode()
            at += width + size + 1
        at += -at % 8
    return kind, fields, stream.read(length)
