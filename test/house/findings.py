"""What doctor can say is documented: the code of every finding in the sources stands in the table of its database's page, and
no page has a code that no source has."""
import re
import sys

import tree

SEVERITY = r"(?:error|warning|note)"
# (… 'warning', 'rights', …) or case … else 'note' end, 'gap'
SQL = re.compile(rf"'{SEVERITY}'(?:\s+end)?,\s*'([a-z]+(?:-[a-z]+)*)'")
CODE = re.compile(r'Severity::\w+,\s*"([a-z]+(?:-[a-z]+)*)"')
LIST = re.compile(r"\bin \([^()]*\)|\barray\[[^\]]*\]")  # of names, not of findings
ROW = re.compile(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", re.MULTILINE)


def sql_codes(source: str) -> set[str]:
    return set(SQL.findall(LIST.sub("", source)))


def documented(page: str) -> set[str]:
    """The codes in the table under the heading "doctor"."""
    part = re.search(r"^## doctor$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return {code.strip("`") for row in ROW.findall(part[1] if part else "") for code in row.split(", ")}


def compared(page: str, said: set[str], known: set[str]) -> list[str]:
    return ([f"docs/{page}: the table of doctor's findings lacks `{code}`" for code in sorted(said - known)]
            + [f"docs/{page}: doctor says `{code}` nowhere: take it out of the table" for code in sorted(known - said)])


def main() -> int:
    top = tree.root()
    said: dict[str, set[str]] = {"postgres.md": set(), "sqlite.md": set()}
    for path in tree.files(top):
        source = path.as_posix()
        if source.startswith("sql/postgres/install/"):
            said["postgres.md"] |= sql_codes(tree.text(top / path))
        elif source.startswith("vestige/") and path.suffix == ".cc" and not path.stem.endswith("_test"):
            codes = set(CODE.findall(tree.text(top / path)))
            for page in said if "/sqlite/" not in source else ["sqlite.md"]:
                said[page] |= codes
    complaints = []
    for page, codes in said.items():
        if len(codes) < 15:
            complaints.append(f"{page}: only {len(codes)} findings were found in the sources: this check no longer reads them")
        complaints += compared(page, codes, documented(tree.text(top / "docs" / page)))
    return tree.report("findings", complaints)


if __name__ == "__main__":
    sys.exit(main())
