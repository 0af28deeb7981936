"""The seams: which database it is, is asked in db/ and in the one place of trail/ that opens a trail's parts. Until that is
so everywhere, the number of places that ask may only fall."""
import re
import sys

import tree

ASKS = re.compile(r"\bengine\(\)")
MAY_ASK = re.compile(r"vestige/db/|vestige/trail/open\.cc$|test/|bench/|.*_test\.cc$")
CEILING = 2


def asking(path: str, source: str) -> list[str]:
    """The lines of a file that ask and should not."""
    if MAY_ASK.match(path):
        return []
    return [f"{path}:{number}: asks which database it is" for number, line in
            enumerate(source.splitlines(), 1) if ASKS.search(line)]


def complaints(found: list[str], ceiling: int) -> list[str]:
    if len(found) > ceiling:
        return found
    if len(found) < ceiling:
        return [f"{len(found)} places ask which database it is: test/house/seams.py can say so"]
    return []


def main() -> int:
    top = tree.root()
    found = [line for path in tree.files(top) if path.suffix in (".cc", ".h")
             for line in asking(str(path), tree.text(top / path))]
    return tree.report("seams", complaints(found, CEILING))


if __name__ == "__main__":
    sys.exit(main())
