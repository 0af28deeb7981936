"""The cases of the parts: base64, proofs, tile paths, entries, signed notes, public keys."""
import base64
import json

from world import *


def base64_cases():
    out = Cases("base64")
    for data in (b"", b"f", b"fo", b"foo", b"\0\0", bytes(range(256))):
        out.add(f"{len(data)} bytes, {data[:3].hex()}", True, text=b64(data), hex=data.hex())
    for name, text in {
            "no padding": "Zg", "half the padding": "Zg=", "a line end": "Zg==\n", "a space": "Zg= =",
            "bits that carry nothing": "Zh==", "bits that carry nothing, one padding": "Zm9=",
            "only padding": "====", "three paddings": "Z===", "padding within": "Zg==Zg==",
            "padding in the middle": "Zm=v", "url alphabet -": "Zm9-", "url alphabet _": "Zm9_",
            "one letter": "Z", "not ASCII": "Zmö"}.items():
        out.add(name, False, text=text)
    out.done()


def tree_cases():
    out = Cases("inclusion")
    for size in (1, 2, 3, 4, 5, 7, 8, 9, 16, 21):
        root = mth(LEAVES[:size])
        for index in sorted({0, size // 2, size - 1}):
            proof = path(index, LEAVES[:size])
            case = f"{index} of {size}"

            def add(name, good, index=index, size=size, leaf=LEAVES[index], proof=proof, root=root):
                out.add(f"{case}: {name}", good, index=str(index), size=str(size), leaf=leaf.hex(),
                        proof=[one.hex() for one in proof], root=root.hex())
            add("as it is", True)
            add("wrong leaf", False, leaf=flip(LEAVES[index]))
            add("wrong root", False, root=flip(root, 31))
            add("index is the size", False, index=size)
            add("index too large", False, index=index + 2 ** 63)
            add("size 0", False, size=0)
            add("extended", False, proof=proof + [root])
            add("extended before", False, proof=[root] + proof)
            if size > 1:
                add("index off by one", False, index=index + 1 if index + 1 < size else index - 1)
                add("leaf and root swapped", False, leaf=root, root=LEAVES[index])
            for cut in range(len(proof)):
                add(f"cut to {cut}", False, proof=proof[:cut])
                add(f"hash {cut} altered", False, proof=proof[:cut] + [flip(proof[cut], 5)] + proof[cut + 1:])
            for i in range(len(proof) - 1):
                add(f"hashes {i} and {i + 1} swapped", False,
                    proof=proof[:i] + [proof[i + 1], proof[i]] + proof[i + 2:])
            if len(proof) > 1:
                add("first cut off", False, proof=proof[1:])
                add("reversed", False, proof=proof[::-1])
    leaf, other = LEAVES[0], LEAVES[1]
    out.add("siblings swapped", False, index="0", size="2", leaf=leaf.hex(), proof=[other.hex()],
            root=sha(b"\1", other, leaf).hex())
    out.add("nodes hashed without a prefix", False, index="0", size="2", leaf=leaf.hex(), proof=[other.hex()],
            root=sha(leaf, other).hex())
    out.done()

    out = Cases("consistency")
    for second in (1, 2, 3, 4, 6, 7, 8, 9, 21):
        for first in sorted({0, 1, second // 2, second - 1, second}):
            if first > second:
                continue
            roots = mth(LEAVES[:first]), mth(LEAVES[:second])
            proof = subproof(first, LEAVES[:second], True) if first else []
            case = f"{first} to {second}"

            def add(name, good, first=first, second=second, first_root=roots[0], second_root=roots[1],
                    proof=proof):
                out.add(f"{case}: {name}", good, first=str(first), second=str(second),
                        first_root=first_root.hex(), second_root=second_root.hex(),
                        proof=[one.hex() for one in proof])
            add("as it is", True)
            add("another first root", False, first_root=flip(roots[0]))
            if first:  # every tree begins with the empty one
                add("another second root", False, second_root=flip(roots[1]))
            add("extended", False, proof=proof + [roots[1]])
            if first != second:
                add("backwards", False, first=second, second=first, first_root=roots[1], second_root=roots[0])
            for cut in range(len(proof)):
                add(f"cut to {cut}", False, proof=proof[:cut])
                add(f"hash {cut} altered", False, proof=proof[:cut] + [flip(proof[cut], 5)] + proof[cut + 1:])
            if len(proof) > 1:
                add("reversed", False, proof=proof[::-1])
    out.done()


def tile_cases():
    out = Cases("tile_path")
    for good, level, index, width in (
            ("tile/0/000", 0, 0, 256), ("tile/0/999", 0, 999, 256), ("tile/1/x001/000", 1, 1000, 256),
            ("tile/2/x001/x234/067", 2, 1234067, 256), ("tile/63/000.p/255", 63, 0, 255),
            ("tile/0/017.p/1", 0, 17, 1), ("tile/entries/x001/000.p/8", -1, 1000, 8),
            ("tile/entries/x018/x446/x744/x073/x709/x551/615", -1, 2 ** 64 - 1, 256)):
        out.add(good, True, path=good, level=level, index=str(index), width=width)
    for bad in ("", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile/0/000/", "tile//000",
                "tile/00/000", "tile/64/000", "tile/-1/000", "tile/a/000", "tile/ENTRIES/000", "tile/0/0",
                "tile/0/00", "tile/0/0000", "tile/0/00a", "tile/0/ 00", "tile/0/+00", "tile/0/001/000",
                "tile/0/x000/000", "tile/0/x000/001", "tile/0/x001", "tile/0/x001/x000", "tile/0/X001/000",
                "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/01", "tile/0/000.p/256",
                "tile/0/000.p/-1", "tile/0/000.p/8/", "tile/0/000.P/8", "tile/0/000.p/8.p/8", "tile/0/000\n",
                "tile/0/x018/x446/x744/x073/x709/x551/616", "tile/0/..", "tile/0/../000", "checkpoint"):
        out.add("refused: " + bad, False, path=bad)
    out.done()


def entry_cases():
    out = Cases("entry")
    for entry in ENTRIES:
        value = json.loads(entry)
        out.add(f"change {value['id']}", True, line=entry, leaf=leaf_hash(entry.encode()).hex())
    good = ENTRIES[1]
    value = json.loads(good)
    for name, other in {"op EXPIRE": {"op": "EXPIRE"}, "a table of the trail": {"table": "vestige.policy_change"}}.items():
        line = canonical({**value, **other})
        out.add(name, True, line=line, leaf=leaf_hash(line.encode()).hex())

    def bad(name, line):
        assert line != good
        out.add(name, False, line=line)
    for cut in range(0, len(good), 3):
        bad(f"cut to {cut}", good[:cut])
    for name in value:
        rest = {k: v for k, v in value.items() if k != name}
        bad(f"{name} missing", canonical(rest))
        bad(f"{name} last", canonical({**rest, name: value[name]}) if name != "values" else good + " ")
        bad(f"{name} twice", replaced(good, f'"{name}":', f'"{name}":null,"{name}":'))
        bad(f"{name} of another kind", canonical({**value, name: {"a": 1}}))
        bad(f"a space before {name}", replaced(good, f'"{name}"', f' "{name}"'))
    for other in (0, 2, 10, "1", True):
        bad(f"version {other!r}", canonical({**value, "v": other}))
    for number in ("0101", "+101", "101.0", "1.01e2", "-101", "9223372036854775808", "١"):
        bad(f"id {number}", replaced(good, '"id":101', f'"id":{number}'))
    for name, op in {"lower case": "update", "unknown": "UPSERT", "empty": "", "MERGE": "MERGE"}.items():
        bad(f"op {name}", canonical({**value, "op": op}))
    for at in ("2026-01-02T03:04:05.678901", "2026-01-02T03:04:05.678901+00:00", "2026-01-02 03:04:05.678901Z",
               "2026-01-02T03:04:05.67890Z", "2026-01-02T03:04:05.6789010Z", "2026-13-02T03:04:05.678901Z",
               "2026-02-30T03:04:05.678901Z", "2026-01-02T24:04:05.678901Z", "2026-01-02T03:60:05.678901Z",
               "2026-01-02t03:04:05.678901z", "now", "", "0000-01-02T03:04:05.678901Z"):
        bad(f"at {at}", canonical({**value, "at": at}))
    for name, escaped in {"a letter": "K\\u00e4se", "the solidus": "a\\/b", "upper case": "\\u000B",
                          "a short one written long": "\\u000a", "a quote": "\\u0022", "no escape": "a\tb",
                          "none at all": "a\\qb", "DEL": "\\u007f", "a lone surrogate": "\\ud800",
                          "a surrogate pair": "\\ud83d\\ude00"}.items():
        bad(f"escaped: {name}", replaced(good, canonical(value["table"]), f'"{escaped}"'))
    key = value["key"]
    for name, text in {"not canonical": without_padding(key), "without padding": key[:-1], "of 31 bytes": b64(b"x" * 31),
                       "of 33 bytes": b64(b"x" * 33), "empty": "", "url alphabet": "-" + key[1:],
                       "in hex": base64.b64decode(key).hex(), "with a line end": key + "\\n"}.items():
        bad(f"commitment {name}", replaced(good, key, text))
    for name, tail in {"a line end": "\n", "CR LF": "\r\n", "a space": " ", "NUL": "\0", "a brace": "}",
                       "itself": good}.items():
        bad(f"trailing: {name}", good + tail)
    bad("a space before", " " + good)
    bad("a byte order mark before", "\ufeff" + good)
    bad("with spaces as json.dumps has them", json.dumps(value, ensure_ascii=False))
    bad("another member", canonical({**value, "more": 1}))
    bad("pretty", json.dumps(value, ensure_ascii=False, indent=1))
    bad("in a list", f"[{good}]")
    bad("single quotes", good.replace('"', "'"))
    bad("NULL", good.replace("null", "NULL") if "null" in good else good.replace(f'"{key}"', "NULL"))
    out.done()


def note_cases():
    out = Cases("note")
    text = "a text\n\nof three lines\n"
    example = "This is an example message.\n"
    out.add("the example of C2SP signed-note", True,
            note=note(example, "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZ"
                      "XsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"),
            vkeys=["example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"],
            signed_by=["example.com/foo"])

    def add(name, good, note, vkeys=(LOG.vkey,), signed_by=()):
        out.add(name, good, note=note, vkeys=list(vkeys), signed_by=list(signed_by))
    line = LOG.line(text)
    whole = note(text, line)
    add("one signature", True, whole, signed_by=[LOG.name])
    add("an unknown key beside", True, note(text, OTHER.line(text), line), signed_by=[LOG.name])
    add("the same name, another key beside", True, note(text, LOG2.line(text), line), signed_by=[LOG.name])
    add("a cosignature", True, note(text, line, W1.line(text)), (LOG.vkey, W1.vkey), [LOG.name, W1.name])
    add("sixteen signatures and more", True,
        note(text, *(Key(f"k{n}", 4, n + 30).line(text, n) for n in range(40)), line), signed_by=[LOG.name])
    add("a signature twice", True, note(text, line, line), signed_by=[LOG.name])
    add("empty lines at the end of the text", True, note("x\n\n\n", LOG.line("x\n\n\n")), signed_by=[LOG.name])
    add("not ASCII", True, note("ä€😀\n", LOG.line("ä€😀\n")), signed_by=[LOG.name])
    for cut in range(0, len(whole), 7):
        add(f"cut to {cut}", False, whole[:cut])
    add("no line end at the end", False, whole[:-1])
    for place in range(64):
        add(f"byte {place} of the signature altered", False,
            note(text, LOG.line(text, change=lambda payload, place=place: flip(payload, place))))
    add("another text", False, note("b" + text[1:], line))
    add("a line end more in the text", False, note(text + "\n", line))
    add("unknown key only", False, note(text, OTHER.line(text)))
    add("the same name, another key", False, note(text, LOG2.line(text)))
    add("another key that takes the name and the id", False, note(text, LOG2.line(text, id=LOG.id)))
    add("another name with the key's id", False, note(text, LOG.line(text, name="x")))
    add("another id", False, note(text, LOG.line(text, id=flip(LOG.id))))
    add("a good and a false one", False, note(text, line, LOG.line("x\n")))
    add("a false and a good one", False, note(text, LOG.line("x\n"), line))
    add("a signature too short", False, note(text, LOG.line(text, change=lambda payload: payload[:-1])))
    add("a signature too long", False, note(text, LOG.line(text, change=lambda payload: payload + b"\0")))
    add("a signature of nothing", False, note(text, LOG.line(text, change=lambda payload: b"")))
    add("a cosignature as a log's signature", False,
        note(text, LOG.line(text, change=lambda payload: b"\0" * 8 + payload)))
    cosigned = [W1.vkey]
    add("a cosignature with another time", False,
        note(text, W1.line(text, change=lambda payload: flip(payload, 7))), cosigned)
    add("a cosignature without its time", False,
        note(text, W1.line(text, change=lambda payload: payload[8:])), cosigned)
    add("a plain signature by a cosignature key", False,
        note(text, W1.line(text, change=lambda payload: b"\0" * 8 + W1.secret.sign(text.encode()))), cosigned)
    body = line.split(" ")[2]
    for name, bad in {"CR LF": whole.replace("\n", "\r\n"), "CR LF in the signatures": text + "\n" + line.replace("\n", "\r\n"),
                      "trailing garbage": whole + "x", "a trailing line": whole + "x\n", "a trailing empty line": whole + "\n",
                      "a hyphen for the dash": whole.replace("—", "-"), "an en dash": whole.replace("—", "–"),
                      "two spaces": whole.replace("— ", "—  "), "no space": whole.replace("— ", "—"),
                      "a space at the end": whole[:-1] + " \n", "a tab in the text": "\t" + whole,
                      "NUL in the text": "\0" + whole, "no empty line": text + line,
                      "no signature": text + "\n", "nothing": "", "an empty line between signatures": note(text, line, "\n", line),
                      "no base64": note(text, "— " + LOG.name + " !!!!\n"), "base64 without padding": whole.replace("=", ""),
                      "base64 not canonical": whole.replace(body.strip(), without_padding(body.strip())),
                      "base64 with a line end": whole.replace(body, body[:20] + "\n" + body[20:]),
                      "an empty name": note(text, line.replace(LOG.name, "")),
                      "a name with a plus": note(text, line.replace(LOG.name, "a+b")),
                      "a name with a space of Unicode": note(text, line.replace(LOG.name, "a\u2003b")),
                      "the key id only": note(text, f"— {LOG.name} {b64(LOG.id)}\n")}.items():
        add(name, False, bad)
    out.done()

    out = Cases("vkey")
    for key in (LOG, OTHER, W1):
        out.add(key.vkey, True, vkey=key.vkey, key_name=key.name, kind=key.kind[0])
    name, key_id, body = LOG.vkey.split("+", 2)
    for title, bad in {
            "nothing": "", "only a name": name, "no key": f"{name}+{key_id}", "an empty name": f"+{key_id}+{body}",
            "another name": f"x+{key_id}+{body}", "a name with a space": f"a b+{key_id}+{body}",
            "an id in upper case": f"{name}+{key_id.upper() if key_id.upper() != key_id else 'ABCDEF01'}+{body}",
            "another id": f"{name}+00000000+{body}", "a short id": f"{name}+{key_id[:6]}+{body}",
            "not base64": f"{name}+{key_id}+{body[:-1]}", "a line end": LOG.vkey + "\n", "a space": LOG.vkey + " ",
            "ECDSA": f"{name}+{key_id}+{b64(b'%c' % 2 + LOG.public)}", "no bytes": f"{name}+{key_id}+",
            "a byte too few": f"{name}+{key_id}+{b64(LOG.kind + LOG.public[:-1])}",
            "a byte too many": f"{name}+{key_id}+{b64(LOG.kind + LOG.public + b'x')}",
            "another key": f"{name}+{key_id}+{b64(LOG.kind + LOG2.public)}",
            "another kind": f"{name}+{key_id}+{b64(W1.kind + LOG.public)}"}.items():
        out.add(title, False, vkey=bad)
    out.done()
