"""The floors: a folder of the library includes itself and what stands before it, nothing else; server/ stands on it, and cli/ on both; the
database drivers and the TOML parser are each included in one place."""
import re
import sys

import tree

FLOORS = ["base", "record", "merkle", "encryption", "db", "trail", "feed", "source", "privacy", "rules", "report", "audit"]
# A foreign header, and the files that may include it.
ONE_PLACE = {
    r"sqlite3(ext)?\.h": r"vestige/db/sqlite(_[a-z]+)?\.(cc|h)",
    r"libpq-fe\.h": r"vestige/db/postgres(_[a-z]+)?\.(cc|h)",
    r"openssl/.*": r"(vestige/base|clients/sqlite|pgext)/(cipher|crypto|tls)\.(cc|h)",
    r"zstd\.h": r"vestige/base/zstd_file\.cc",
    r"CLI/.*": r"cli/.*",
    r"httplib\.h": r"server/http(_[a-z]+)?\.(cc|h)",
}
WINGS = ("sqlite", "postgres")
OPEN = ("vestige/trail/open.cc", "clients/sqlite/open.cc")
AT_MOST_ONE = [r"toml\+\+/.*", r"toml\.hpp"]
FREE = ("test/", "bench/")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def wing_complaints(path: str, included: str, parts: list[str], target: list[str]) -> list[str]:
    """trail/sqlite and trail/postgres know nothing of each other, and nobody below those who open a trail knows of them."""
    mine = parts[2] if parts[:2] == ["vestige", "trail"] and parts[2] in WINGS else None
    theirs = target[2] if target[1] == "trail" and target[2] in WINGS else None
    if theirs is None or theirs == mine or path.endswith("_test.cc"):
        return []
    if mine is None and path not in OPEN:
        return [f"{path}: includes {included}, a wing; each noun of a trail has a header in vestige/trail/"]
    return [f"{path}: includes {included}, the other wing"] if mine is not None else []


def complaints_of(path: str, source: str) -> list[str]:
    """What is wrong with the includes of one file, by the rules that need no other file."""
    found = []
    parts = path.split("/")
    floor = parts[1] if parts[0] == "vestige" and len(parts) > 2 else None
    test = path.endswith("_test.cc")
    if floor is not None and floor not in FLOORS:
        return [f"{path}: no floor is called {floor}"]
    for included in INCLUDE.findall(source):
        target = included.split("/")
        if target[0] == "vestige" and len(target) > 2 and not path.startswith(FREE):
            found += wing_complaints(path, included, parts, target)
        if floor is not None and target[0] == "vestige" and len(target) > 2:
            if target[1] not in FLOORS or FLOORS.index(target[1]) > FLOORS.index(floor):
                found.append(f"{path}: includes {included}, which stands above {floor}")
        if floor is not None and target[0] in ("server", "cli", "test", "bench") and not test:
            found.append(f"{path}: includes {included}, which is no part of the library")
        if parts[0] == "server" and target[0] in ("cli", "test", "bench") and not test:
            found.append(f"{path}: includes {included}, which stands above server")
        if floor is not None and '#include "' + included in source and target[0] == "..":
            found.append(f"{path}: includes {included}; say it from the root: vestige/...")
        for header, place in ONE_PLACE.items():
            if re.fullmatch(header, included) and not re.fullmatch(place, path) \
                    and not path.startswith(FREE) and not test:
                found.append(f"{path}: includes {included}, which belongs to {place}")
    return found


def complaints(sources: dict[str, str]) -> list[str]:
    found = []
    for path, source in sources.items():
        found += complaints_of(path, source)
    for header in AT_MOST_ONE:
        users = [path for path, source in sources.items() if not path.startswith(FREE)
                 and any(re.fullmatch(header, one) for one in INCLUDE.findall(source))]
        if len(users) > 1:
            found.append(f"{header}: included in more than one place: {', '.join(users)}")
    return found


def main() -> int:
    top = tree.root()
    sources = {str(path): tree.text(top / path) for path in tree.files(top)
               if path.suffix in (".cc", ".h")}
    return tree.report("floors", complaints(sources))


if __name__ == "__main__":
    sys.exit(main())
