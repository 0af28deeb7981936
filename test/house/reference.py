"""docs/cli.md is what `vestige help --markdown` prints.

  reference.py SOURCE_DIR VESTIGE            compare
  reference.py SOURCE_DIR VESTIGE --rewrite  write the page
"""
import difflib
import subprocess
import sys

import tree


def main() -> int:
    page = tree.root() / "docs" / "cli.md"
    printed = subprocess.run([sys.argv[2], "help", "--markdown"], check=True,
                             stdout=subprocess.PIPE).stdout.decode()
    if "--rewrite" in sys.argv[3:]:
        page.write_text(printed, encoding="utf-8")
        return 0
    shown = tree.text(page) if page.exists() else ""
    return tree.report("reference", list(difflib.unified_diff(
        shown.split("\n"), printed.split("\n"), "docs/cli.md", "vestige help --markdown",
        lineterm="")))


if __name__ == "__main__":
    sys.exit(main())
