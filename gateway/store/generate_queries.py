#!/usr/bin/env python3
"""Makes C statements of a queries.sql: <module>_queries.h and .c with one struct pg_statement for each.

A statement begins with "-- name: find_citizen", may go on with comment lines that say what it is for, and ends with the
semicolon that ends a line. It becomes sql_find_citizen, named "<module>.find_citizen", with as many parameters as the highest $n.
"""
import argparse
import pathlib
import re
import sys

# Postgres cuts the names of prepared statements off after 63 bytes.
NAME_MAX = 63


class Fault(Exception):
    pass


class Statement:
    def __init__(self, name, line):
        self.name = name
        self.line = line
        self.comments = []
        self.sql = []


# What may hide a "$1" or a ";" that means nothing; what is still open hides the rest.
HIDING = re.compile(
    r"""'(?:[^']|'')*(?:'|\Z)|"[^"]*(?:"|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)|\$(?P<tag>[A-Za-z_]*)\$.*?(?:\$(?P=tag)\$|\Z)""",
    re.DOTALL,
)


def bare(sql):
    """The text without literals, quoted names and comments."""
    return HIDING.sub(" ", sql)


def is_finished(lines):
    return bare("\n".join(lines)).rstrip().endswith(";")


def parse(path):
    statements = []
    current = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        named = re.fullmatch(r"--\s*name:\s*(\S+)", text)
        if named:
            if current:
                raise Fault(f"{path}:{current.line}: statement {current.name} has no end: a semicolon must end its last line")
            current = Statement(named.group(1), number)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", current.name):
                raise Fault(f"{path}:{number}: {current.name} is no plain lower-case name")
        elif current is None:
            if text and not text.startswith("--"):
                raise Fault(f"{path}:{number}: SQL before a line \"-- name: …\"")
        elif text.startswith("--") and not current.sql:
            current.comments.append(text[2:].strip())
        elif text or current.sql:
            current.sql.append(line.rstrip())
            if is_finished(current.sql):
                statements.append(current)
                current = None
    if current:
        raise Fault(f"{path}:{current.line}: statement {current.name} has no end: a semicolon must end its last line")
    return statements


def finish(path, module, statement):
    sql = "\n".join(statement.sql).rstrip()
    sql = sql[: sql.rindex(";")].rstrip()
    if ";" in bare(sql):
        raise Fault(f"{path}:{statement.line}: {statement.name} holds more than one statement")
    numbers = {int(n) for n in re.findall(r"\$(\d+)", bare(sql))}
    missing = set(range(1, max(numbers, default=0) + 1)) - numbers
    if missing:
        raise Fault(f"{path}:{statement.line}: {statement.name} never uses ${min(missing)}")
    if len(f"{module}.{statement.name}".encode()) > NAME_MAX:
        raise Fault(f"{path}:{statement.line}: the name {module}.{statement.name} is longer than {NAME_MAX} bytes")
    return sql, max(numbers, default=0)


def quoted(line):
    # ? is escaped for the sake of trigraphs
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?").replace("\t", "\\t") + '\\n"'


def comment(lines):
    text = " ".join(lines).replace("*/", "* /")
    return f"/* {text} */\n" if text else ""


def write(path, module, statements, header, source):
    guard = f"SHIMIN_{module.upper()}_QUERIES_H"
    out = [f"/* Made from {path.name} of {module}: do not edit. */\n#ifndef {guard}\n#define {guard}\n\n#include <shimin/pg.h>\n\n"]
    code = [f"/* Made from {path.name} of {module}: do not edit. */\n#include \"{module}_queries.h\"\n#include \"store/statements.h\"\n\n"]
    seen = {}
    for statement in statements:
        if statement.name in seen:
            raise Fault(f"{path}:{statement.line}: {statement.name} is declared already in line {seen[statement.name]}")
        seen[statement.name] = statement.line
        sql, parameters = finish(path, module, statement)
        out.append(comment(statement.comments) + f"extern const struct pg_statement sql_{statement.name};\n")
        text = "\n".join("    " + quoted(line) for line in sql.split("\n"))
        code.append(
            f"const struct pg_statement sql_{statement.name} = {{\n    \"{module}.{statement.name}\",\n{text},\n    {parameters}}};\n"
            f"STATEMENT_REGISTER(sql_{statement.name});\n\n"
        )
    out.append("\n#endif\n")
    header.write_text("".join(out), encoding="utf-8")
    source.write_text("".join(code), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module")
    parser.add_argument("queries", type=pathlib.Path)
    parser.add_argument("header", type=pathlib.Path)
    parser.add_argument("source", type=pathlib.Path)
    given = parser.parse_args()
    try:
        write(given.queries, given.module, parse(given.queries), given.header, given.source)
    except (Fault, OSError, UnicodeDecodeError) as fault:
        sys.exit(str(fault))


if __name__ == "__main__":
    main()
