# SPDX-License-Identifier: LGPL-2.1-or-later
"""The places where tools/mutate breaks a C file, found in clang's syntax tree."""

import dataclasses
import json
import re
import subprocess
import sys

FLIPS = {"==": ["!="], "!=": ["=="], "<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"]}
INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
WRAPPERS = ("ParenExpr", "ImplicitCastExpr", "ConstantExpr", "FullExpr")


class Trouble(Exception):
    """This could not be done; the text says why."""


@dataclasses.dataclass
class Mutant:
    function: str
    line: int
    column: int
    original: str
    mutation: str
    begin: int  # bytes of the file that are replaced
    end: int
    replacement: str
    fate: str = ""  # who noticed; "" if nobody did
    excuse: str = ""

    def key(self):
        return (self.function, self.original, self.mutation)


class Source:
    """A C file with its syntax tree."""

    def __init__(self, path, command, directory):
        self.path, self.text = path, path.read_bytes()
        self.file = None
        dump = subprocess.run(command + ["-w", "-Xclang", "-ast-dump=json", "-fsyntax-only", str(path)],
                              cwd=directory, capture_output=True, check=False)
        if dump.returncode != 0:
            raise Trouble(f"clang cannot parse {path}:\n{dump.stderr.decode()}")
        self.tree = json.loads(dump.stdout)
        sys.setrecursionlimit(100000)
        self.name_files(self.tree)
        self.enumerators = dict(self.find_enumerators())

    def find_enumerators(self):
        for node in self.tree["inner"]:
            value = -1
            for child in children(node) if node["kind"] == "EnumDecl" else []:
                if child["kind"] == "EnumConstantDecl":
                    given = children(child)
                    value = int(given[0]["value"]) if given and "value" in given[0] else value + 1
                    yield child["id"], value

    def is_zero(self, node):
        node = strip(node)
        return (node["kind"] == "IntegerLiteral" and node["value"] == "0" or
                node["kind"] == "DeclRefExpr" and self.enumerators.get(node["referencedDecl"]["id"]) == 0)

    def name_files(self, node):
        """The dump names a file only where it is another one than that of the place printed before."""
        if isinstance(node, list):
            for item in node:
                self.name_files(item)
        elif isinstance(node, dict):
            if "offset" in node and "tokLen" in node:
                self.file = node["file"] = node.get("file", self.file)
                return
            for value in list(node.values()):
                self.name_files(value)

    def here(self, place):
        return place.get("file") == str(self.path)

    def macro(self, node):
        """Where the macro is used that makes @node, of a statement its beginning; or None."""
        begin, end = (node.get("range", {}).get(which, {}).get("expansionLoc") for which in ("begin", "end"))
        if not begin or not node["kind"].endswith("Stmt") and (not end or end["offset"] != begin["offset"]):
            return None
        return begin["offset"]

    def extent(self, node):
        """The bytes of @node, of which a part may come from a macro; or None if it is not in this file."""
        begin, end = node["range"]["begin"], node["range"]["end"]
        first, last = begin.get("expansionLoc", begin), end.get("expansionLoc", end)
        if not first or not last or not self.here(first) or not self.here(last):
            return None
        stop = last["offset"] + last["tokLen"]
        if "expansionLoc" in end:
            stop = self.after_arguments(stop)
        return first["offset"], stop

    def after_arguments(self, stop):
        """The end of a macro's use, with arguments if it has any."""
        blank = re.compile(rb"\s*").match(self.text, stop).end()
        if self.text[blank:blank + 1] != b"(":
            return stop
        depth = 0
        for token in re.compile(rb'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|[()]').finditer(self.text, blank):
            depth += {b"(": 1, b")": -1}.get(token.group(), 0)
            if depth == 0:
                return token.end()
        return stop

    def position(self, offset):
        before = self.text[:offset]
        return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1

    def functions(self):
        for node in self.tree["inner"]:
            if node["kind"] == "FunctionDecl" and self.here(node["loc"]):
                body = [child for child in node.get("inner", []) if child["kind"] == "CompoundStmt"]
                if body:
                    yield node["name"], node["type"]["qualType"].split("(")[0].strip(), body[0]


def children(node):
    return [child for child in node.get("inner", []) if isinstance(child, dict)]


def strip(node):
    """What is inside parentheses and conversions."""
    while node.get("kind") in WRAPPERS and len(children(node)) == 1:
        node = children(node)[0]
    return node


def condition_of(node):
    """The condition of a statement or expression that has one."""
    inner = node.get("inner", [])
    place = {"IfStmt": 0, "WhileStmt": 0, "ConditionalOperator": 0, "DoStmt": 1, "ForStmt": 2}.get(node["kind"])
    if place is None or "kind" not in inner[place]:
        return None
    return inner[place]


def is_logical(node):
    return node.get("kind") == "BinaryOperator" and node["opcode"] in ("&&", "||")


class Finder:
    """Finds the mutants of one function."""

    def __init__(self, source, function, returns):
        self.source, self.function, self.returns = source, function, returns
        self.mutants, self.seen = [], set()

    def add(self, extent, mutation, replacement):
        begin, end = extent
        key = (begin, end, mutation)
        if key in self.seen:
            return
        self.seen.add(key)
        line, column = self.source.position(begin)
        original = " ".join(self.source.text[begin:end].decode().split())
        self.mutants.append(Mutant(self.function, line, column, original, mutation, begin, end, replacement))

    def add_truth(self, node, mutations):
        """Mutants of what is taken for true or false. Returns whether it is in the file."""
        extent = self.source.extent(node)
        if not extent:
            return
        text = self.source.text[extent[0]:extent[1]].decode()
        for mutation in mutations:
            self.add(extent, mutation, {"inverted": f"(!({text}))", "true": f"(({text}), 1)",
                                        "false": f"(({text}), 0)"}[mutation])

    def condition(self, node):
        """A condition as a whole, then the operands of which it consists."""
        self.add_truth(node, ["inverted", "true", "false"])
        if is_logical(strip(node)) and self.source.macro(strip(node)) is None:
            self.operands(strip(node))
        self.walk(node, taken=True)

    def operands(self, node):
        for operand in children(node):
            inner = strip(operand)
            if is_logical(inner) and inner["opcode"] == node["opcode"]:
                self.operands(inner)
                continue
            # The other value would decide the whole, which is a mutant already.
            self.add_truth(operand, ["inverted", "true" if node["opcode"] == "&&" else "false"])
            if is_logical(inner) and self.source.macro(inner) is None:
                self.operands(inner)

    def comparison(self, node, taken):
        """@taken: the inverse is a mutant already."""
        left, right = (self.source.extent(child) for child in children(node))
        if not left or not right:
            return
        between = self.source.text[left[1]:right[0]].decode()
        found = re.search(r"(?<![=!<>])" + re.escape(node["opcode"]) + r"(?![=<>])", between)
        if not found:
            return
        whole = self.source.extent(node)
        text = self.source.text[whole[0]:whole[1]].decode()
        at = left[1] + len(between[:found.start()].encode()) - whole[0]
        for flip in FLIPS[node["opcode"]]:
            if taken and flip == INVERSE[node["opcode"]]:
                continue
            raw = text.encode()
            broken = raw[:at] + flip.encode() + raw[at + len(node["opcode"]):]
            self.add(whole, flip, broken.decode())

    def result(self, node):
        """The value of a return statement."""
        if not children(node):
            return
        value = children(node)[0]
        if self.returns == "int" and self.source.extent(value):
            begin, end = self.source.extent(value)
            text = self.source.text[begin:end].decode()
            if not self.source.is_zero(value):
                self.add((begin, end), "return 0", f"(({text}), 0)")
        elif self.returns in ("bool", "_Bool"):
            literal = self.source.text[slice(*self.source.extent(value))] if self.source.extent(value) else b""
            if literal in (b"true", b"false"):
                self.add_truth(value, ["inverted"])
            elif not is_logical(strip(value)):
                self.add_truth(value, ["inverted", "true", "false"])

    def walk(self, node, taken=False):
        """@taken: @node is a condition or an operand, whose inverse is a mutant already."""
        if node.get("kind") == "UnaryExprOrTypeTraitExpr":
            return
        inside = self.source.macro(node)
        bare = strip(node)
        if bare is not node and inside is None:
            self.walk(bare, taken)
            return
        if inside is None and "range" in node:
            condition = condition_of(node)
            if condition is not None:
                self.condition(condition)
            if node["kind"] == "ReturnStmt":
                self.result(node)
            if is_logical(node) and not taken:
                self.condition(node)
                return
            if node["kind"] == "BinaryOperator" and node["opcode"] in FLIPS:
                self.comparison(node, taken)
            for child in children(node):
                if child is not condition:
                    self.walk(child, is_logical(node))
            return
        # What the macro itself makes is passed over; what is written in it (a loop's body) is not.
        for child in children(node):
            if self.source.macro(child) != inside or child["kind"] == "CompoundStmt":
                self.walk(child)


def number(mutants):
    """Tells equal texts of one function apart."""
    places = {}
    for mutant in mutants:
        place = places.setdefault((mutant.function, mutant.original), [])
        if mutant.begin not in place:
            place.append(mutant.begin)
        if place.index(mutant.begin) > 0:
            mutant.original += f" #{place.index(mutant.begin) + 1}"


def find_mutants(source):
    mutants = []
    for name, returns, body in source.functions():
        finder = Finder(source, name, returns.replace("static ", "").replace("inline ", "").strip())
        finder.walk(body)
        mutants += sorted(finder.mutants, key=lambda mutant: (mutant.begin, -mutant.end))
    number(mutants)
    return mutants
