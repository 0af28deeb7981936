"""Every error message is provoked by a test: the longest constant part of each message given to
fail(Fault::...) or raised by SQL stands somewhere in a test or in an executed transcript."""
import re
import sys

import tree

STRING = r'(?:R"(?P<d{n}>[A-Za-z]*)\((?P<r{n}>.*?)\)(?P=d{n})"|"(?P<s{n}>(?:[^"\\]|\\.)*)")'
ONE = re.compile(STRING.replace("{n}", "1"), re.DOTALL)
FAIL = re.compile(r"\bfail\(\s*Fault::(\w+)\s*,\s*(?=R?\")")
RAISE = re.compile(r"\braise\s*\(\s*(?:abort|fail|rollback)\s*,\s*'((?:[^']|'')*)'", re.IGNORECASE)
# PL/pgSQL: a % stands for a value
EXCEPTION = re.compile(r"\braise\s+(?:exception\s+)?(?:using\s+message\s*=\s*)?'((?:[^']|'')*)'", re.IGNORECASE)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
OUT_OF_REACH = {
    "open {}: SQLite {} is too old, 3.38 or newer is needed",  # tests run with a newer one
    "vestige needs PostgreSQL 13 or later, this is {}",  # as above
    "keep the patch in a temporary file: {}",  # a full /tmp
}
SHORTEST = 5  # a shorter constant part would be found by accident


def plain(literal: str) -> str:
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), literal)


def joined(source: str, start: int) -> str:
    """The text of the adjacent string literals that begin at `start`."""
    out = ""
    while match := ONE.match(source, start):
        out += match["r1"] if match["r1"] is not None else plain(match["s1"])
        start = match.end()
        while start < len(source) and source[start].isspace():
            start += 1
    return out


def fragment(message: str) -> str:
    """The longest part of a format string that is the same in every message."""
    parts = re.split(r"\{[^{}]*\}", message.replace("{{", "\1").replace("}}", "\2"))
    parts = [part.replace("\1", "{").replace("\2", "}").strip(" '\"") for part in parts]
    return max(parts, key=len)


def messages(source: str) -> list[str]:
    """The messages that a C++ file fails with, but for internal faults, and those its SQL raises."""
    found = [joined(source, match.end()) for match in FAIL.finditer(source)
             if match[1] != "internal"]
    return found + raised(re.sub(r'"\s*\n\s*"', "", source))


def raised(sql: str) -> list[str]:
    found = [match[1].replace("''", "'") for match in RAISE.finditer(sql)]
    return found + [match[1].replace("''", "'").replace("%", "{}") for match in EXCEPTION.finditer(sql)]


def haystack(text: str) -> str:
    """A test's text twice: as it stands, and with its string literals joined and unescaped."""
    one_line = re.sub(r'"\s*\n\s*R?"', "", text)
    return text + "\0" + one_line + "\0" + plain(one_line)


def main() -> int:
    top = tree.root()
    wanted: list[tuple[str, str]] = []
    tests = ""
    for path in tree.files(top):
        name = str(path)
        is_test = name.endswith("_test.cc") or (name.startswith(("test/", "clients/sqlite/test"))
                                                and not name.startswith("test/house/"))
        if is_test:
            if "corpus" not in path.parts:
                tests += haystack(tree.text(top / path))
        elif path.suffix == ".md":
            tests += "\0".join(re.findall(r"^```console\n(.*?)^```", tree.text(top / path),
                                          re.MULTILINE | re.DOTALL))
        elif path.suffix in (".cc", ".h") and path.parts[0] in ("vestige", "server", "cli"):
            wanted += [(name, message) for message in messages(tree.text(top / path))]
        elif path.suffix == ".sql" and path.parts[0] == "sql":
            wanted += [(name, message) for message in raised(tree.text(top / path))]
    complaints = [f"{name}: no test provokes '{message}'" for name, message in wanted
                  if message not in OUT_OF_REACH and len(fragment(message)) >= SHORTEST
                  and fragment(message) not in tests]
    print(f"{len(wanted)} messages")
    return tree.report("messages", complaints)


if __name__ == "__main__":
    sys.exit(main())
