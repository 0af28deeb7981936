#!/usr/bin/python3
"""Makes the vectors of the evidence formats (docs/format.md): what must be accepted, and each
systematic tampering, which must be refused.

    make.py [--check]    writes test/vectors/*.json and sample/; --check compares instead

Everything is made from fixed seeds, so it comes out the same every time. The program shares no code with
the library, and none with test/independent/verify.py; both must agree with every case."""
import json
import pathlib
import sys

import contexts
import files
import parts
import tokens
from world import FILES

HERE = pathlib.Path(__file__).resolve().parent


def main():
    for make in (parts.base64_cases, parts.tree_cases, parts.tile_cases, parts.entry_cases, parts.note_cases,
                 files.checkpoint_cases, files.receipt_cases, files.trail_cases, files.samples, contexts.context_cases,
                 tokens.token_cases, tokens.disclosure_cases):
        make()
    stale = []
    for name, data in FILES.items():
        file = HERE / name
        if not file.exists() or file.read_bytes() != data:
            stale.append(name)
            if "--check" not in sys.argv:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
    count = sum(len(json.loads(data)) for name, data in FILES.items() if name.endswith(".json"))
    print(f"{count} cases in {len(FILES)} files")
    if stale:
        print("not up to date:" if "--check" in sys.argv else "written:", ", ".join(stale))
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
