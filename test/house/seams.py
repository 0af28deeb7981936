"""The seams: which database it is, is asked in db/ and in the one place of trail/ that opens a trail's nouns, and by nobody else."""
import re
import sys

import tree

ASKS = re.compile(r"\bengine\(\)")
MAY_ASK = re.compile(r"vestige/db/|vestige/trail/open\.cc$|test/|bench/|.*_test\.cc$")


def asking(path: str, source: str) -> list[str]:
    """The lines of a file that ask and should not."""
    if MAY_ASK.match(path):
        return []
    return [f"{path}:{number}: asks which database it is; what differs is a question to a noun of vestige/trail/"
            for number, line in enumerate(source.splitlines(), 1) if ASKS.search(line)]


def main() -> int:
    top = tree.root()
    found = [line for path in tree.files(top) if path.suffix in (".cc", ".h")
             for line in asking(str(path), tree.text(top / path))]
    if not found:
        print("places that ask which database it is, besides vestige/db/ and vestige/trail/open.cc: none")
    return tree.report("seams", found)


if __name__ == "__main__":
    sys.exit(main())
