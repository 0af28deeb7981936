"""No class has the name of another in the same namespace.

A program that has both is wrong, and nobody says so: the linker takes one constructor or destructor for both. Those of one file stand
in a namespace without a name."""
import re
import sys

import tree

SPACE = re.compile(r"namespace\s*([\w:]*)\s*\{")
END = re.compile(r"\}\s*// namespace")
CLASS = re.compile(r"(?:template\s*<[^>]*>\s*)?(?:struct|class|enum class)\s+(\w+)\b(?!::)[^;]*\{")


def defined(source: str) -> list[str]:
    """The classes of a source, laid out by clang-format, that other sources can see."""
    spaces: list[str] = []
    found = []
    for line in source.split("\n"):
        if space := SPACE.match(line):
            spaces.append(space[1])
        elif END.match(line) and spaces:
            spaces.pop()
        elif (one := CLASS.match(line)) and "" not in spaces:
            found.append("::".join([*spaces, one[1]]))
    return found


def main() -> int:
    top = tree.root()
    places: dict[str, list[str]] = {}
    for path in tree.files(top):
        if path.suffix in (".cc", ".h") and path.parts[0] in ("vestige", "server", "cli", "test"):
            for name in defined(tree.text(top / path)):
                places.setdefault(name, []).append(str(path))
    complaints = [f"{files[-1]}: {name} is in {files[0]}, too" for name, files in places.items() if len(files) > 1]
    return tree.report("twice", complaints)


if __name__ == "__main__":
    sys.exit(main())
