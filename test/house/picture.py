"""The picture of the house in docs/design.md is what the tree is: its floors from the top, what stands on each, and what each
includes.

  picture.py SOURCE_DIR            compare
  picture.py SOURCE_DIR --rewrite  draw it anew
"""
import difflib
import pathlib
import sys
import textwrap

import floors
import tree

PAGE = "docs/design.md"
BEGIN = "<!-- drawn by test/house/picture.py -->\n```text\n"
END = "```\n"
WIDTH = 112
FLOORS = ["cli", "server"] + floors.FLOORS[::-1]  # from the top


def place(path: pathlib.PurePosixPath) -> str | None:
    """The floor or wing that a source stands on: "audit", "trail/sqlite", "server", "cli"; tests stand on none."""
    parts = path.parts
    if path.suffix not in (".cc", ".h") or path.stem.endswith("_test"):
        return None
    if parts[0] in ("cli", "server"):
        return parts[0]
    return "/".join(parts[1:-1]) if parts[0] == "vestige" and len(parts) > 2 else None


def drawn(sources: dict[str, str]) -> str:
    """The picture of a tree: its sources by their paths."""
    files: dict[str, list[pathlib.PurePosixPath]] = {}
    included: dict[str, set[str]] = {}
    for name in sorted(sources):
        path = pathlib.PurePosixPath(name)
        where = place(path)
        if where is None:
            continue
        files.setdefault(where, []).append(path)
        for target in floors.INCLUDE.findall(sources[name]):
            to = place(pathlib.PurePosixPath(target))
            if to is not None and to != where:
                included.setdefault(where, set()).add(to)
    lines = []
    for floor in [one for one in FLOORS if one in files]:
        wings = [f"{floor}/{wing}" for wing in floors.WINGS if f"{floor}/{wing}" in files]
        lines += box(floor, files[floor], included.get(floor, set()), WIDTH,
                     side_by_side([(one, files[one], included.get(one, set())) for one in wings]))
    return "\n".join(lines) + "\n"


def stems(files: list[pathlib.PurePosixPath]) -> list[str]:
    names = {"cmd_<verb>" if path.stem.startswith("cmd_") else path.stem for path in files}
    return sorted(names)


def box(name: str, files: list[pathlib.PurePosixPath], included: set[str], width: int,
        inside: list[str]) -> list[str]:
    """A floor: its name and the number of its files, what they are called, and what they include."""
    inner = width - 4
    order = [one for floor in FLOORS for one in sorted(included) if one.split("/")[0] == floor]
    text = textwrap.wrap(" ".join(stems(files)), inner, break_on_hyphens=False) + inside
    foot = f" includes {' '.join(order)} " if order else ""
    count = f" {len(files)} files "
    return ([f"┌─ {name} " + "─" * (width - len(name) - len(count) - 6) + count + "─┐"]
            + [f"│ {line:<{inner}} │" for line in text]
            + ["└" + "─" * (width - len(foot) - 3) + foot + "─┘"])


def side_by_side(wings: list[tuple]) -> list[str]:
    if not wings:
        return []
    width = (WIDTH - 4 - (len(wings) - 1)) // len(wings)
    boxes = [box(name, files, included, width, []) for name, files, included in wings]
    high = max(len(one) for one in boxes)
    for one in boxes:
        one[-1:-1] = [f"│{'':<{width - 2}}│"] * (high - len(one))
    return [" ".join(row) for row in zip(*boxes)]


def framed(page: str, picture: str) -> str | None:
    """The page with another picture in it; nothing when it has no place for one."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return before + begin + picture + end + after if begin and end else None


def main() -> int:
    top = tree.root()
    sources = {str(path): tree.text(top / path) for path in tree.files(top)}
    shown = tree.text(top / PAGE)
    wanted = framed(shown, drawn(sources))
    if wanted is None:
        return tree.report("picture", [f"{PAGE}: has no place for the picture of the house"])
    if "--rewrite" in sys.argv[2:]:
        (top / PAGE).write_text(wanted, encoding="utf-8")
        return 0
    return tree.report("picture", list(difflib.unified_diff(
        shown.split("\n"), wanted.split("\n"), PAGE, "the tree (picture.py . --rewrite draws it)", lineterm="", n=1)))


if __name__ == "__main__":
    sys.exit(main())
