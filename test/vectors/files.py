"""The cases of what is made of several parts: checkpoints, receipts, exports; and the sample files."""
import json

from world import *


def checkpoint_cases():
    out = Cases("checkpoint")
    root = mth(LEAVES)
    text = checkpoint_text(21, root)

    def add(name, good, text, lines=None, vkeys=(LOG.vkey,)):
        out.add(name, good, note=note(text, *(lines if lines is not None else [LOG.line(text)])), vkeys=list(vkeys))
    add("as it is", True, text)
    add("empty", True, checkpoint_text(0, sha()))
    add("with further lines", True, text + "one\ntwo\n")
    add("the largest size", True, checkpoint_text(2 ** 64 - 1, root))
    for name, bad in {"no origin": "\n" + text.split("\n", 1)[1], "no root": "\n".join(text.split("\n")[:2]) + "\n",
                      "size with a zero before": text.replace("\n21\n", "\n021\n"), "size with a sign": text.replace("\n21\n", "\n+21\n"),
                      "no size": text.replace("\n21\n", "\n\n"), "size in hex": text.replace("\n21\n", "\n0x15\n"),
                      "size with a space": text.replace("\n21\n", "\n21 \n"), "size above 64 bits": checkpoint_text(2 ** 64, root),
                      "negative size": checkpoint_text(-1, root), "root in hex": text.replace(b64(root), root.hex()),
                      "root too short": text.replace(b64(root), b64(root[:31])), "root too long": text.replace(b64(root), b64(root + b"x")),
                      "root not canonical": text.replace(b64(root), without_padding(b64(root))),
                      "root without padding": text.replace(b64(root), b64(root)[:-1]), "an empty further line": text + "\n",
                      "an empty line among further ones": text + "one\n\ntwo\n"}.items():
        add(name, False, bad)
    add("not signed by the log", False, text, [W1.line(text)], (LOG.vkey, W1.vkey))
    add("another key of the name", False, text, [LOG2.line(text)])
    other = checkpoint_text(21, root, origin=OTHER.name)
    add("another origin, signed by the same key", False, other, [LOG_AS_OTHER.line(other)])
    add("another origin, under the key's own name", False, other, [LOG.line(other)])
    add("a named witness that has not cosigned", False, text, None, (LOG.vkey, W1.vkey))
    add("a named witness that has", True, text, [LOG.line(text), W1.line(text)], (LOG.vkey, W1.vkey))
    add("a named witness that has cosigned another one", False, text, [LOG.line(text), W1.line(other)],
        (LOG.vkey, W1.vkey))
    out.done()


def receipt_cases():
    out = Cases("receipt")

    def add(name, good, receipt, vkeys=(LOG.vkey,), policy=None):
        out.add(name, good, receipt=receipt, vkeys=list(vkeys), **({"policy": policy} if policy else {}))
    for index in range(21):
        add(f"entry {index} of 21", True, receipt_text(index))
    for size in (1, 2, 8):
        add(f"entry 0 of {size}", True, receipt_text(0, size))
    good = receipt_text(4)
    entry, parts = CHANGES[4]
    for part in parts:
        rest = {name: value for name, value in parts.items() if name != part}
        add(f"without the {part}", True, receipt_text(4, extra=evidence(4, entry, rest)))
        salted, text = parts[part]
        add(f"{part} with another salt", False,
            receipt_text(4, extra=evidence(4, entry, {**parts, part: (flip(salted), text)})))
        add(f"{part} altered", False, receipt_text(4, extra=evidence(4, entry, {**parts, part: (salted, text + " ")})))
        add(f"{part} empty", False, receipt_text(4, extra=evidence(4, entry, {**parts, part: (salted, "")})))
    add("parts swapped", False, receipt_text(4, extra=evidence(4, entry, {**parts, "key": parts["values"], "values": parts["key"]})))
    truncate, none = CHANGES[3]
    add("a part that the entry has not", False, receipt_text(3, extra=evidence(3, truncate, {**none, "key": parts["key"]})))
    add("another entry", False, receipt_text(4, extra=evidence(4, *CHANGES[5])))
    add("another index in the evidence", False, receipt_text(4, extra=LINES[5]))
    add("another index", False, replaced(good, "index 4\n", "index 5\n"))
    add("another index everywhere", False,
        replaced(receipt_text(4, extra=evidence(5, entry, parts)), "index 4\n", "index 5\n"))
    add("an index beyond the tree", False,
        replaced(receipt_text(4, extra=evidence(21, entry, parts)), "index 4\n", "index 21\n"))
    add("size off by one", False, receipt_text(4, checkpoint=signed(20)))
    larger = checkpoint_text(22, mth(LEAVES))
    add("the last entry, size off by one, the root stays", False,
        receipt_text(20, checkpoint=note(larger, LOG.line(larger))))
    proof = path(4, LEAVES)
    for cut in range(len(proof)):
        add(f"proof cut to {cut}", False, receipt_text(4, proof=proof[:cut]))
        add(f"proof with hash {cut} altered", False, receipt_text(4, proof=proof[:cut] + [flip(proof[cut])] + proof[cut + 1:]))
    add("proof extended", False, receipt_text(4, proof=proof + [mth(LEAVES)]))
    add("proof with siblings swapped", False, receipt_text(4, proof=[proof[1], proof[0]] + proof[2:]))
    add("proof with 65 hashes", False, receipt_text(4, proof=proof * 13))
    add("another log's checkpoint", False, receipt_text(4, checkpoint=signed(21, key=OTHER, origin=OTHER.name)))
    add("another key of the same name", False, receipt_text(4, checkpoint=signed(21, key=LOG2)))
    add("no key is trusted", False, good, ())
    add("only another key is trusted", False, good, (OTHER.vkey,))
    altered = [leaf_hash(entry.replace("ann", "eve").encode()) for entry in ENTRIES[:20]] + [leaf_hash(b"x")]
    add("a checkpoint of another history", False, receipt_text(4, checkpoint=signed(21, leaves=altered)))
    line, extra_line = b64(proof[0]), good.split("\n")[1]
    for name, bad in {
            "CR LF": good.replace("\n", "\r\n"), "trailing garbage": good + "x", "a trailing line": good + "x\n",
            "no line end at the end": good[:-1], "version 2": good.replace("@v1", "@v2"), "no first line": good.split("\n", 1)[1],
            "nothing": "", "a line end before": "\n" + good, "no index": good.replace("index 4\n", ""),
            "index twice": good.replace("index 4\n", "index 4\nindex 4\n"), "index with a zero before": good.replace("index 4", "index 04"),
            "index with a sign": good.replace("index 4", "index +4"), "index with a space": good.replace("index 4\n", "index 4 \n"),
            "index in upper case": good.replace("index", "INDEX"), "no extra": good.replace(extra_line + "\n", ""),
            "extra twice": good.replace(extra_line, extra_line + "\n" + extra_line),
            "extra after the index": good.replace(extra_line + "\nindex 4", "index 4\n" + extra_line),
            "extra not base64": good.replace(extra_line, extra_line + "!"),
            "extra empty": good.replace(extra_line, "extra "), "a hash not canonical": good.replace(line, without_padding(line)),
            "a hash without padding": good.replace(line, line[:-1]), "a hash in hex": good.replace(line, proof[0].hex()),
            "a space behind a hash": good.replace(line, line + " "), "an empty line among the hashes": good.replace(line, line + "\n"),
            "no empty line before the checkpoint": good.replace("\n\naudit", "\naudit"),
            "two empty lines before the checkpoint": good.replace("\n\naudit", "\n\n\naudit"),
            "no checkpoint": good[:good.index("\n\naudit") + 2]}.items():
        assert bad != good, name
        add(name, False, bad)
    for cut in range(0, len(good), 41):
        add(f"cut to {cut}", False, good[:cut])
    for name, bad in {"with spaces": json.dumps(json.loads(LINES[4]), ensure_ascii=False), "a line end": LINES[4] + "\n",
                      "members in another order": canonical(dict(reversed(json.loads(LINES[4]).items()))),
                      "escaped otherwise": LINES[4].replace("sälé", "s\\u00e4l\\u00e9"), "another member": LINES[4][:-1] + ',"x":1}',
                      "a member twice": LINES[4].replace('"index":4', '"index":4,"index":4'),
                      "salt in upper case": LINES[4].replace(parts["key"][0].hex(), parts["key"][0].hex().upper()),
                      "salt too short": LINES[4].replace(parts["key"][0].hex(), parts["key"][0].hex()[:-2]),
                      "no JSON": "x", "null": "null"}.items():
        assert bad != LINES[4], name
        add(f"evidence: {name}", False, receipt_text(4, extra=bad))

    two, three = signed(21, cosigners=(W1, W3)), signed(21, cosigners=(W1, W2, W3))
    add("policy: two of three", True, receipt_text(4, checkpoint=two), (), policy_text())
    add("policy: three of three", True, receipt_text(4, checkpoint=three), (), policy_text())
    add("policy: one of three", False, receipt_text(4, checkpoint=signed(21, cosigners=(W2,))), (), policy_text())
    add("policy: one, twice", False, receipt_text(4, checkpoint=signed(21, cosigners=(W2, W2))), (), policy_text())
    add("policy: nobody", False, good, (), policy_text())
    add("policy: none is needed", True, good, (), policy_text("quorum none\n"))
    add("policy: all", False, receipt_text(4, checkpoint=two), (), policy_text("group q all w1 w2 w3\nquorum q\n"))
    add("policy: any", True, receipt_text(4, checkpoint=two), (), policy_text("group q any w1 w2\nquorum q\n"))
    add("policy: a witness by name", True, receipt_text(4, checkpoint=two), (), policy_text("quorum w3\n"))
    add("policy: another witness by name", False, receipt_text(4, checkpoint=two), (), policy_text("quorum w2\n"))
    nested = "group a any w1 w2\ngroup b all a w3\nquorum b\n"
    add("policy: groups of groups", True, receipt_text(4, checkpoint=two), (), policy_text(nested))
    add("policy: groups of groups, not reached", False, receipt_text(4, checkpoint=signed(21, cosigners=(W1, W2))), (), policy_text(nested))
    add("policy: a false cosignature", False, receipt_text(4, checkpoint=two + W2.line("x\n")), (), policy_text())
    add("policy: reached, not signed by the log", False, receipt_text(4, checkpoint=note(
        checkpoint_text(21, mth(LEAVES)), *(one.line(checkpoint_text(21, mth(LEAVES))) for one in (W1, W2)))), (), policy_text())
    for name, quorum in {"no quorum": "", "a quorum that is not named": "quorum q\n", "two quorums": "quorum none\nquorum none\n",
                         "a member in two groups": "group a any w1\ngroup b any w1\nquorum b\n", "a group of none": "group a any\nquorum a\n",
                         "too many needed": "group a 2 w1\nquorum a\n", "none needed": "group a 0 w1\nquorum a\n",
                         "a name twice": "group w1 any w2\nquorum w1\n", "an unknown word": "threshold 2\nquorum none\n",
                         "CR LF": "quorum none\r\n", "no line end": "quorum none",
                         "a log's key as a witness": f"witness x {OTHER.vkey}\nquorum none\n",
                         "a witness's key as a log": f"log {Key('w9', 4, 60).vkey}\nquorum none\n"}.items():
        add(f"policy: {name}", False, receipt_text(4, checkpoint=three), (), policy_text(quorum))
    out.done()


def trail_cases():
    out = Cases("trail")

    def add(name, good, lines, checkpoint=None, vkeys=(LOG.vkey,)):
        out.add(name, good, lines=lines, checkpoint=checkpoint or signed(21), vkeys=list(vkeys))

    def start(first, peaks=None):
        if peaks is None:
            peaks, at = [], 0
            for bit in reversed(range(first.bit_length())):
                if first >> bit & 1:
                    peaks.append(mth(LEAVES[at:at + (1 << bit)]))
                    at += 1 << bit
        return canonical({"start": first, "peaks": [b64(peak) for peak in peaks]})
    add("whole", True, LINES)
    add("the first eight", True, LINES[:8], signed(8))
    add("nothing", True, [], signed(0))
    for first in (0, 1, 4, 7, 20, 21):
        add(f"from {first}", True, [start(first)] + LINES[first:])
    erased = [evidence(i, entry, {} if i in (1, 4) else parts) for i, (entry, parts) in enumerate(CHANGES)]
    add("two erased", True, erased)
    for i in (0, 4, 20):
        add(f"line {i} missing", False, LINES[:i] + LINES[i + 1:])
        add(f"line {i} twice", False, LINES[:i + 1] + LINES[i:])
        other = evidence(i, ENTRIES[i].replace('"tx":', '"tx":9'), CHANGES[i][1])
        add(f"line {i} with another transaction", False, LINES[:i] + [other] + LINES[i + 1:])
        if "values" in CHANGES[i][1]:
            salted, text = CHANGES[i][1]["values"]
            other = evidence(i, ENTRIES[i], {**CHANGES[i][1], "values": (salted, text.replace("}", ',"x":1}'))})
            add(f"line {i} with other values", False, LINES[:i] + [other] + LINES[i + 1:])
    add("two lines swapped", False, LINES[:4] + [LINES[5], LINES[4]] + LINES[6:])
    add("two entries swapped", False,
        LINES[:4] + [evidence(4, *CHANGES[5]), evidence(5, *CHANGES[4])] + LINES[6:])
    add("one more than the checkpoint covers", False, LINES, signed(20))
    add("one fewer", False, LINES[:20])
    add("an entry put in", False, LINES[:4] + [evidence(4, *CHANGES[4])] + [
        evidence(i + 1, *CHANGES[i]) for i in range(4, 21)])
    add("renumbered from 1", False, [evidence(i + 1, *one) for i, one in enumerate(CHANGES)])
    add("from 4 without its start", False, LINES[4:])
    add("from 4 with one peak too many", False, [start(4, [LEAVES[0], LEAVES[1]])] + LINES[4:])
    add("from 4 with another peak", False, [start(4, [LEAVES[0]])] + LINES[4:])
    add("from 4 with the start of 5", False, [start(5)] + LINES[4:])
    add("a start in the middle", False, LINES[:4] + [start(4)] + LINES[4:])
    add("a start that is not canonical", False, [start(4).replace(",", ", ")] + LINES[4:])
    add("an empty line", False, LINES[:4] + [""] + LINES[4:])
    add("CR LF", False, [line + "\r" for line in LINES])
    add("another log's checkpoint", False, LINES, signed(21, key=OTHER, origin=OTHER.name))
    add("no key is trusted", False, LINES, None, ())
    out.done()


def samples():
    """Files that the transcripts of the command line use."""
    for name, text in {
            "receipt.tlog-proof": receipt_text(4), "cosigned.tlog-proof": receipt_text(10, checkpoint=signed(21, cosigners=(W1, W3))),
            "trail.ndjson": "".join(line + "\n" for line in LINES), "checkpoint": signed(21), "checkpoint.20": signed(20),
            "log.vkey": LOG.vkey + "\n", "other.vkey": OTHER.vkey + "\n", "w1.vkey": W1.vkey + "\n", "log.key": LOG.file, "w1.key": W1.file,
            "policy": policy_text(), "request": "old 0\n\n" + signed(8),
            "request.21": "old 8\n" + "".join(b64(one) + "\n" for one in subproof(8, LEAVES, True)) + "\n" + signed(21),
            "request.fork": "old 8\n\n" + signed(8, leaves=LEAVES[1:])}.items():
        FILES["sample/" + name] = text.encode()
    FILES["sample/tile/0/000.p/21"] = b"".join(LEAVES)
