"""The holds: whatever removes recorded things asks first whether they are held (vestige/trail/hold.h). A statement that takes from what
is recorded stands in a file that asks, or in one of those of which it is said here why it need not. A new one is found."""
import re
import sys

import tree

# What is recorded, and what proves it: of PostgreSQL, and of SQLite.
RECORDED = r"(?:vestige\.|vestige_)(?:change|context|moved|more|erased|bundle|tile|checkpoint|hold|encrypted_key)\w*"
REMOVES = re.compile(
    rf"\b(?:delete\s+from|update)\s+(?:only\s+)?(?:main\.)?{RECORDED}\b"
    rf"|\btruncate\s+(?:table\s+)?{RECORDED}\b|\bdrop\s+table\s+(?:if\s+exists\s+)?(?:{RECORDED}\b|%s|%I|\{{\}})"
    r"|\bdrop\s+schema\b|\bdetach\s+partition\b|\bdrop\s+\{\}", re.IGNORECASE)
ASKS = re.compile(r"\b(?:held|any_held|in_force)\(|from vestige\.hold where released_by is null")

# Files that remove and do not ask: who asked before them, or why nothing recorded goes.
NEED_NOT = {
    "sql/postgres/install/context.sql": "a context says more of its own transaction",
    "sql/postgres/install/erase.sql": "what is taken is named in vestige.erased first, and its trigger asks (hold.sql)",
    "sql/postgres/install/events.sql": "a statement of others, by its tag",
    "sql/postgres/install/expire.sql": "expire has asked, within the same transaction (vestige/audit/expire.cc)",
    "sql/postgres/install/maintain.sql": "the default partition's changes are in other partitions by then, and counted",
    "vestige/trail/sqlite/encrypting.cc": "a value that waited stands in its token by then",
    "vestige/trail/sqlite/eraser.cc": "Eraser::take has asked (vestige/trail/eraser.cc)",
    "vestige/trail/sqlite/expirer.cc": "expire has asked, within the same transaction (vestige/audit/expire.cc)",
    "vestige/trail/sqlite/installation.cc": "remove_trail has asked (vestige/trail/install.cc)",
    "vestige/trail/sqlite/trail.h": "a release, and that a removal was refused",
    "vestige/trail/postgres/tracking.cc": "keys destroy has asked, within the same transaction (vestige/audit/keys.cc)",
    "vestige/trail/sqlite/tracking.cc": "keys destroy has asked, within the same transaction (vestige/audit/keys.cc)",
    "vestige/trail/sqlite/trail_objects.cc": "triggers, to be made anew",
    "vestige/trail/sqlite/upgrade.cc": "triggers and views, to be made anew",
}
WHERE = re.compile(r"(?:sql|vestige|server|cli|pgext|clients)/.*(?<!_test)\.(?:sql|cc|h|c|py|ts)$")
NOT_HERE = re.compile(r"clients/[^/]*/tests?/|.*\.test\.ts$|sql/sqlite/install\.sql$")


def removing(source: str) -> list[int]:
    """The lines at which something recorded is taken away; what a comment says is none."""
    code = re.sub(r"^\s*(?:--|//|#).*$", "", source, flags=re.MULTILINE)
    return [code.count("\n", 0, found.start()) + 1 for found in REMOVES.finditer(code)]


def complaints(sources: dict[str, str], need_not: dict[str, str]) -> list[str]:
    found = []
    for path, source in sources.items():
        if path not in need_not and not ASKS.search(source):
            found += [f"{path}:{line}: takes away what is recorded, and does not ask whether it is held (vestige/trail/hold.h)"
                      for line in removing(source)]
    return found + [f"test/house/holds.py: {path} takes nothing away any more: take it off the list"
                    for path in need_not if not removing(sources.get(path, ""))]


def main() -> int:
    top = tree.root()
    sources = {str(path): tree.text(top / path) for path in tree.files(top)
               if WHERE.match(str(path)) and not NOT_HERE.match(str(path))}
    return tree.report("holds", complaints(sources, NEED_NOT))


if __name__ == "__main__":
    sys.exit(main())
