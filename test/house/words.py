"""Words: no reminders left lying about, no path of the machine that this was written on, no host that
the machine's own npm and apt know better, no time limit of a test, and every relative link of a page
leads somewhere."""
import re
import sys

import tree

REMINDERS = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3]) + r")\b")
REGISTRY = re.compile(r"registry[.]npmjs|deb[.]debian")
LIMIT = re.compile(r"\bTIMEOUT\s+\d")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PUBLIC = {"", "/tmp", "/usr", "/usr/src", "/usr/local/src", "/opt", "/srv", "/home", "/src"}


def main() -> int:
    top = tree.root()
    here = [place for place in (str(top), f"{top.parent}/") if place.rstrip("/") not in PUBLIC]
    complaints = []
    for path in tree.files(top):
        if "corpus" in path.parts or path.suffix == ".png":
            continue
        text = tree.text(top / path)
        for number, line in enumerate(text.split("\n"), 1):
            if REMINDERS.search(line):
                complaints.append(f"{path}:{number}: {line.strip()}")
            if REGISTRY.search(line):
                complaints.append(f"{path}:{number}: names a registry's host")
            if LIMIT.search(line) and path.suffix in (".cmake", ".txt"):
                complaints.append(f"{path}:{number}: a test's verdict depends on the clock")
            if any(place in line for place in here):
                complaints.append(f"{path}:{number}: names a place on this machine")
            if line.endswith((" ", "\t")) and path.suffix != ".md" and tree.is_source(path):
                complaints.append(f"{path}:{number}: space at the end of the line")
        if path.suffix == ".md":
            prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
            for link in LINK.findall(prose):
                target = link.split("#")[0]
                if target and "://" not in target and not target.startswith("mailto:") \
                        and not (top / path.parent / target).exists():
                    complaints.append(f"{path}: the link to {link} leads nowhere")
    return tree.report("words", complaints)


if __name__ == "__main__":
    sys.exit(main())
