"""README.md and docs/*.md: every console block is run, beside a PostgreSQL server, and must print what it shows; every
`make X` that a page names is there.

  transcripts.py SOURCE_DIR VESTIGE            compare
  transcripts.py SOURCE_DIR VESTIGE --rewrite  write what the commands print into the pages
"""
import difflib
import pathlib
import re
import sys

import transcript
import tree

MAKE = re.compile(r"^\$?\s*make((?:\s+[a-z][\w-]*)+)", re.MULTILINE)


def unknown_targets(page: str, makefile: str) -> list[str]:
    targets = set(re.findall(r"^([a-z][\w-]*)\s?.*:", makefile, re.MULTILINE))
    targets |= {name for line in re.findall(r"^\.PHONY:(.*)$", makefile, re.MULTILINE)
                for name in line.split()}
    blocks = re.findall(r"^```(?:sh|console|bash)\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    named = [name for block in blocks for line in MAKE.findall(block) for name in line.split()]
    named += re.findall(r"`make ([a-z][\w-]*)`", page)
    return [name for name in named if name not in targets]


def main() -> int:
    top = tree.root()
    program = pathlib.Path(sys.argv[2]).resolve()
    rewrite = "--rewrite" in sys.argv[3:]
    makefile = tree.text(top / "Makefile")
    complaints = []
    for path in tree.files(top):
        if path.suffix != ".md" or not (path.parts[0] == "docs" or str(path) == "README.md"):
            continue
        page = tree.text(top / path)
        complaints += [f"{path}: there is no `make {name}`"
                       for name in unknown_targets(page, makefile)]
        if not transcript.fences_are_closed(page.split("\n")):
            complaints.append(f"{path}: a code block is not closed")
            continue
        if ".load ./vestige0" in page and not (program.parent.parent / "sqlite" / "vestige0.so").exists():
            continue  # the sanitized build has no extension
        shell = transcript.Shell(program, top / "examples")
        wrong, fresh = transcript.check(page, shell)
        shell.close()
        if rewrite:
            (top / path).write_text(fresh, encoding="utf-8")
            continue
        shown = page.split("\n")
        for step, real in wrong:
            complaints.append(f"{path}:{step.first}: $ {step.command}")
            complaints += difflib.unified_diff(shown[step.first:step.last], real, "shown", "printed",
                                               lineterm="")
    return tree.report("transcripts", complaints)


if __name__ == "__main__":
    sys.exit(main())
