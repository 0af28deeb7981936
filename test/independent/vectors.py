#!/usr/bin/python3
"""Every case of test/vectors must come out as it says, when verify.py looks at it.

    vectors.py DIRECTORY"""
import json
import pathlib
import sys

import tokens
from contexts import signed_word
from verify import (No, consistent, included, leaf_hash, need, open_checkpoint, open_note, parse_entry, receipt, tile,
                    trail, unbase64, vkey)


def hexes(values):
    return [bytes.fromhex(value) for value in values]


def tries(case, kind):
    if kind == "base64":
        need(unbase64(case["text"]).hex() == case.get("hex"), "other bytes")
    elif kind == "inclusion":
        leaf, root = hexes([case["leaf"], case["root"]])
        need(included(int(case["index"]), int(case["size"]), leaf, hexes(case["proof"]), root), "not included")
    elif kind == "consistency":
        first, second = hexes([case["first_root"], case["second_root"]])
        need(consistent(int(case["first"]), first, int(case["second"]), second, hexes(case["proof"])), "not consistent")
    elif kind == "tile_path":
        need(tile(case["path"]) == (case.get("level"), int(case.get("index", 0)), case.get("width")), "another tile")
    elif kind == "entry":
        parse_entry(case["line"])
        need(leaf_hash(case["line"].encode()).hex() == case.get("leaf"), "another leaf")
    elif kind == "vkey":
        name, number, _, _ = vkey(case["vkey"])
        need((name, number) == (case.get("key_name"), case.get("kind")), "another key")
    elif kind == "note":
        _, signed = open_note(case["note"].encode(), [vkey(key) for key in case["vkeys"]])
        need(signed, "nobody who is known signed")
        need(sorted({name for name, _, _ in signed}) == sorted(case["signed_by"]), "others signed")
    elif kind == "checkpoint":
        open_checkpoint(case["note"].encode(), case["vkeys"])
    elif kind == "receipt":
        receipt(case["receipt"].encode(), case["vkeys"], case.get("policy"))
    elif kind == "trail":
        trail(case["lines"], case["checkpoint"].encode(), case["vkeys"])
    elif kind == "signed_context":
        word = signed_word(case["context"], case["vkeys"], case["origin"], int(case["at"]))
        need(word == case["word"], f"it is {word}")
        need(word in ("signed", "bound"), word)
    elif kind == "token":
        told = tokens.opened(unbase64(case["token"]), bytes.fromhex(case["key"]), case["place"])
        need(told == (bytes.fromhex(case["salt"]), case["value"].encode()), "another value")
    elif kind == "disclosure":
        tokens.disclosure(case["disclosure"], case["evidence"])
    else:
        raise SystemExit(f"vectors of an unknown kind: {kind}")


def vectors(directory):
    wrong = count = 0
    for file in sorted(pathlib.Path(directory).glob("*.json")):
        for case in json.loads(file.read_text()):
            count += 1
            try:
                tries(case, file.stem)
                why = None
            except No as no:
                why = str(no)
            if case["good"] != (why is None):
                wrong += 1
                print(f"{file.stem}: {case['name']}: {why or 'accepted'}")
    print(f"{count} cases, {wrong} not as they say")
    return 1 if wrong or count < 100 else 0


if __name__ == "__main__":
    sys.exit(vectors(sys.argv[1]))
