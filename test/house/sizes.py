"""Sizes and names: no file above 400 lines, none named for being useful in general."""
import re
import sys

import tree

LONGEST = 400
VAGUE = re.compile(r"(^|[_-])(utils?|helpers?|commons?|misc|stuff)([_-]|$)")


def main() -> int:
    top = tree.root()
    complaints = []
    for path in tree.files(top):
        for part in (*path.parts[:-1], path.stem):
            if VAGUE.search(part.lower()):
                complaints.append(f"{path}: '{part}' says nothing; name it for its noun or verb")
        if not tree.is_source(path):
            continue
        lines = tree.text(top / path).count("\n")
        if lines > LONGEST:
            complaints.append(f"{path}: {lines} lines, more than {LONGEST}; split it by noun")
    return tree.report("sizes", complaints)


if __name__ == "__main__":
    sys.exit(main())
