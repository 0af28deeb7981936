"""No TRY after another member of a braced initialiser.

When TRY returns from the middle of `Field{name, TRY(...)}` or of an initializer list, g++ and clang
both forget to destroy the members that already stand: a leak on every error. Name the value first."""
import re
import sys

import tree

HIDDEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'',
                    re.DOTALL)
OPEN = {"(": ")", "[": "]", "{": "}"}


def blank(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def initialises(before: str) -> bool:
    """Whether a `{` after this text begins an initialiser, in sources that clang-format laid out: a
    block's brace has a space before it, an initialiser's stands against its type."""
    if before and not before[-1].isspace():
        return before[-1] not in ");}"
    return bool(re.search(r"([=,(]|\breturn)$", before.rstrip()))


def lines_of(source: str) -> list[int]:
    """The lines on which a TRY stands behind a sibling in a braced initialiser."""
    code = HIDDEN.sub(blank, source)
    found = []
    stack: list[list] = []  # [bracket, begins an initialiser, has a comma]
    for at, letter in enumerate(code):
        if letter in OPEN:
            stack.append([letter, letter == "{" and initialises(code[:at][-200:]), False])
        elif letter in OPEN.values() and stack:
            stack.pop()
        elif letter == "," and stack:
            stack[-1][2] = True
        elif code.startswith("TRY(", at) and not (code[at - 1].isalnum() or code[at - 1] == "_"):
            for bracket, initialiser, comma in reversed(stack):
                if bracket == "{" and not initialiser:
                    break  # the block that the statement stands in
                if initialiser and comma:
                    found.append(code.count("\n", 0, at) + 1)
                    break
    return found


def main() -> int:
    top = tree.root()
    complaints = []
    for path in tree.files(top):
        if path.suffix in (".cc", ".h") and path.parts[0] in ("vestige", "server", "cli"):
            complaints += [f"{path}:{line}: TRY behind another member of a braced initialiser"
                           for line in lines_of(tree.text(top / path))]
    return tree.report("braces", complaints)


if __name__ == "__main__":
    sys.exit(main())
