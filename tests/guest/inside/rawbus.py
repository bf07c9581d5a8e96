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


def call(serial, name, path, interface, member, signature="", body=b"", n_fds=0):
    """A call of a method that wants no reply."""
    fields = b""
    for one in (field(1, "o", path), field(2, "s", interface), field(3, "s", member), field(6, "s", name),
                field(8, "g", signature), struct.pack("<BB2sI", 9, 1, b"u\0", n_fds)):
        fields += bytes(-len(fields) % 8) + one
    head = struct.pack("<cBBBIII", b"l", 1, 1, 1, len(body), serial, len(fields)) + fields
    return head + bytes(-len(head) % 8) + body
