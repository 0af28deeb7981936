#!/usr/bin/python3
"""Verifies what Vestige proves, without Vestige: the second implementation of docs/format.md.

    verify.py receipt FILE --vkey KEY... [--policy FILE]
    verify.py trail TRAIL.ndjson CHECKPOINT --vkey KEY... [--policy FILE]
    verify.py archive DIRECTORY --vkey KEY... [--policy FILE]

Python's standard library and Debian's python3-cryptography, and zstd for archives; nothing else, and no code of the library."""
import argparse
import base64
import binascii
import datetime
import hashlib
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class No(Exception):
    """The answer is no; the text says why."""


def need(condition, why):
    if not condition:
        raise No(why)


def sha(data):
    return hashlib.sha256(data).digest()


def unbase64(text):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise No(f"not base64: {text[:50]!r}") from None
    need(base64.b64encode(data).decode() == text, "base64 that is not canonical")
    return data


def decimal(text, bits=64):
    need(re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII), f"not a decimal: {text[:30]!r}")
    need(int(text) < 2 ** bits, "a number that is too large")
    return int(text)


def sha_of(text):
    data = unbase64(text)
    need(len(data) == 32, "not a hash")
    return data


# --- the tree (RFC 9162, 2.1.3.2 and 2.1.4.2)

def leaf_hash(entry):
    return sha(b"\0" + entry)


def node(left, right):
    return sha(b"\1" + left + right)


def included(index, size, leaf, proof, root):
    if index >= size:
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


def consistent(first, first_root, second, second_root, proof):
    if first > second:
        return False
    if first == 0:
        return not proof and first_root == sha(b"") and (second > 0 or second_root == first_root)
    if first == second:
        return not proof and first_root == second_root
    if first & (first - 1) == 0:
        proof = [first_root] + proof
    if not proof:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = proof[0]
    for c in proof[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return fr == first_root and sr == second_root and sn == 0


class Tree:
    """Grows; keeps (size, root) of its full subtrees."""

    def __init__(self, size=0, peaks=()):
        widths = [1 << bit for bit in reversed(range(size.bit_length())) if size >> bit & 1]
        need(len(widths) == len(peaks), "another number of peaks than bits in the start")
        self.size, self.full = size, list(zip(widths, peaks))

    def append(self, leaf):
        self.size, one = self.size + 1, (1, leaf)
        while self.full and self.full[-1][0] == one[0]:
            width, left = self.full.pop()
            one = (width * 2, node(left, one[1]))
        self.full.append(one)

    def root(self):
        if not self.full:
            return sha(b"")
        root = self.full[-1][1]
        for _, left in reversed(self.full[:-1]):
            root = node(left, root)
        return root


def tile(path):
    found = re.fullmatch(r"tile/(0|[1-9][0-9]?|entries)/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", path, re.ASCII)
    need(found, "not a tile path")
    level, groups, last, width = found.groups()
    need(not groups.startswith("x000/"), "a group of zeros too many")
    index = int(groups.replace("x", "").replace("/", "") + last)
    need(index < 2 ** 64 and (level == "entries" or int(level) < 64) and int(width or 1) < 256, "too large")
    return -1 if level == "entries" else int(level), index, int(width or 256)


# --- signed notes

NAME = re.compile(r"[^\s+\x00-\x20\x7f]+")


def vkey(text):
    parts = text.split("+", 2)
    need(len(parts) == 3 and NAME.fullmatch(parts[0]), "not a vkey")
    body = unbase64(parts[2])
    need(len(body) == 33 and body[0] in (1, 4), "a kind of key that is unknown")
    need(sha(parts[0].encode() + b"\n" + body)[:4].hex() == parts[1], "another key id")
    return parts[0], body[0], bytes.fromhex(parts[1]), body[1:]


def open_note(data, keys):
    """(text, [(name, kind, public key)] of the known keys that signed)"""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise No("a note that is not UTF-8") from None
    need(not re.search(r"[\x00-\x09\x0b-\x1f]", text), "a note with a control character")
    text, blank, lines = text.rpartition("\n\n")
    need(blank and lines.endswith("\n"), "no signatures, or the last is not ended")
    text, signed = text + "\n", []
    for line in lines[:-1].split("\n"):
        found = re.fullmatch(r"— (\S+) (\S+)", line)
        need(found and NAME.fullmatch(found[1]), "not a signature line")
        body = unbase64(found[2])
        need(len(body) > 4, "a signature of nothing")
        for name, kind, key_id, public in keys:
            if name != found[1] or key_id != body[:4]:
                continue
            signature, message = body[4:], text.encode()
            need(len(signature) == (64 if kind == 1 else 72), "a signature of another length")
            if kind == 4:
                message = b"cosignature/v1\ntime %d\n" % int.from_bytes(signature[:8], "big") + message
                signature = signature[8:]
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
            except InvalidSignature:
                raise No(f"the signature of {name} is false") from None
            signed.append((name, kind, public))
    return text, signed


def policy(text):
    """(log keys, {name: witness key}, function of the set of names that signed)"""
    need(text.endswith("\n") and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", text), "a policy with other characters")
    logs, witnesses, groups, used, quorum = [], {}, {}, set(), None
    for line in text[:-1].split("\n"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        known = {"none", *witnesses, *groups}
        if words[0] == "log" and len(words) in (2, 3):
            logs.append(vkey(words[1]))
            need(logs[-1][1] == 1 and logs[-1][3] not in [one[3] for one in logs[:-1]], "not a log's key, or twice")
        elif words[0] == "witness" and len(words) in (3, 4):
            key = vkey(words[2])
            need(key[1] == 4 and words[1] not in known and key[3] not in [one[3] for one in witnesses.values()], "not a witness")
            witnesses[words[1]] = key
        elif words[0] == "group" and len(words) >= 4:
            members = words[3:]
            need(words[1] not in known, "a name twice")
            for member in members:
                need(member != "none" and member in known and member not in used, "not a free member")
                used.add(member)
            k = {"all": len(members), "any": 1}.get(words[2]) or decimal(words[2])
            need(1 <= k <= len(members), "not a threshold")
            groups[words[1]] = (k, members)
        elif words[0] == "quorum" and len(words) == 2:
            need(quorum is None and words[1] in known, "not a quorum")
            quorum = words[1]
        else:
            raise No("not a line of a policy")
    need(quorum is not None, "no quorum")

    def reached(name, signed):
        if name in groups:
            return sum(reached(member, signed) for member in groups[name][1]) >= groups[name][0]
        return name == "none" or name in signed
    return logs, witnesses, lambda signed: reached(quorum, signed)


def open_checkpoint(data, keys, rules=None):
    """(origin, size, root), signed by whom it must be"""
    keys = [vkey(key) for key in keys]
    logs, witnesses, reached = policy(rules) if rules is not None else ([], {}, None)
    text, _ = open_note(data, [])
    lines = text[:-1].split("\n")
    need(len(lines) >= 3 and lines[0] and "" not in lines[3:], "not a checkpoint")
    origin, size, root = lines[0], decimal(lines[1]), sha_of(lines[2])
    known = [key for key in keys + logs + list(witnesses.values()) if key[1] == 4 or key[0] == origin]
    signed = [(kind, public) for _, kind, public in open_note(data, known)[1]]
    need(1 in [kind for kind, _ in signed], "the log has not signed")
    for name, kind, _, public in keys:
        need(kind == 1 or (4, public) in signed, f"{name} has not cosigned")
    if reached:
        need(reached({name for name, key in witnesses.items() if (4, key[3]) in signed}), "too few witnesses")
    return origin, size, root


# --- entries and evidence

def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def strict_json(line):
    def number(text):
        raise No("a number that is no integer")

    try:
        return json.loads(line, parse_float=number, parse_constant=number)
    except (ValueError, RecursionError):
        raise No("not JSON") from None


def integer(value):
    need(type(value) is int and 0 <= value < 2 ** 63, "not a number of 63 bits")


def parse_entry(line):
    value = strict_json(line)
    need(type(value) is dict and canonical(value) == line, "an entry that is not canonical")
    need(list(value) == ["v", "id", "op", "table_id", "table", "at", "tx", "key", "context", "values"], "other members")
    for name in ("v", "id", "table_id", "tx"):
        integer(value[name])
    need(value["v"] == 1, "another version")
    need(value["op"] in ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "BASELINE", "ERASE", "EXPIRE"), "an unknown op")
    need(type(value["table"]) is str and type(value["at"]) is str, "not a text")
    try:
        value["table"].encode()
    except UnicodeEncodeError:
        raise No("a lone surrogate") from None
    need(len(value["table"].encode()) <= 1000, "a name that is too long")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", value["at"], re.ASCII), "not a time")
    try:
        datetime.datetime.strptime(value["at"], "%Y-%m-%dT%H:%M:%S.%fZ")
    except ValueError:
        raise No("not a time") from None
    for part in ("key", "context", "values"):
        need(value[part] is None or type(value[part]) is str and sha_of(value[part]), "not a commitment")
    return value


def parse_evidence(line):
    """(index, entry line); what is disclosed is what the entry is bound to"""
    value = strict_json(line)
    need(type(value) is dict and canonical(value) == line, "evidence that is not canonical")
    parts = [part for part in ("key", "context", "values") if part in value]
    need(list(value) == ["index", "entry"] + [name for part in parts for name in (part + "_salt", part)], "other members")
    need(type(value["index"]) is int and type(value["entry"]) is str, "not an index and an entry")
    decimal(str(value["index"]))
    entry = parse_entry(value["entry"])
    for part in parts:
        salt, text = value[part + "_salt"], value[part]
        need(type(salt) is str and re.fullmatch(r"[0-9a-f]{32}", salt) and type(text) is str, "not a salt and a text")
        bound = base64.b64encode(sha(bytes.fromhex(salt) + text.encode("utf-8", "surrogatepass"))).decode()
        need(entry[part] == bound, f"change {entry['id']}: not what was sealed: {part}")
    return value["index"], value["entry"]


def receipt(data, keys, rules=None):
    try:
        lines = data.decode().split("\n")
    except UnicodeDecodeError:
        raise No("a receipt that is not UTF-8") from None
    need("" in lines[:-1], "it ends before its checkpoint")
    blank = lines.index("")
    need(blank >= 3 and lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("extra ")
         and lines[2].startswith("index "), "not a receipt")
    index = decimal(lines[2][6:])
    need(blank - 3 <= 64, "a proof that is too long")
    proof = [sha_of(line) for line in lines[3:blank]]
    origin, size, root = open_checkpoint("\n".join(lines[blank + 1:]).encode(), keys, rules)
    try:
        extra = unbase64(lines[1][6:]).decode()
    except UnicodeDecodeError:
        raise No("evidence that is not UTF-8") from None
    said, entry = parse_evidence(extra)
    need(said == index, "the evidence is of another entry")
    need(included(index, size, leaf_hash(entry.encode()), proof, root), "it does not stand in the checkpoint")
    return f"entry {index} of {size} in {origin}: {entry}"


def expired(said, by, entries, first):
    """What an EXPIRE took: just the entries that it names, of its table and time, and of none of them anything is disclosed"""
    value, digest = strict_json(said), hashlib.sha256()
    need(type(value) is dict and canonical(value) == said and list(value) == ["expired", "leaves"], "an EXPIRE that says something else")
    what = value["expired"]
    named = [decimal(n) * 256 + i for n, bits in value["leaves"].items() for i in range(256) if sha_of(bits)[i // 8] >> i % 8 & 1]
    need(named and max(named) - first < len(entries), f"change {by['id']}: it names an entry that is not there")
    for index in [one for one in named if one >= first]:
        leaf, entry, discloses = entries[index - first]
        need(not discloses and entry["table_id"] == by["table_id"] and entry["at"] < what["before"] and what["first"] <= entry["id"]
             <= what["last"] and entry["op"] not in ("ERASE", "EXPIRE"), f"change {by['id']}: it names {entry['id']}, which is another")
        digest.update(leaf)
    need(len(named) == what["changes"] and first or digest.digest() == sha_of(what["digest"]), f"change {by['id']}: another digest")
    return f"; {len(named)} expired by change {by['id']} ({what['class']}, {what['keep']})"


def trail(lines, checkpoint, keys, rules=None):
    origin, size, root = open_checkpoint(checkpoint, keys, rules)
    tree, first, entries, expiries = None, None, [], []
    for line in lines:
        if tree is None and line.startswith('{"start":'):
            value = strict_json(line)
            need(type(value) is dict and canonical(value) == line and list(value) == ["start", "peaks"]
                 and type(value["start"]) is int and type(value["peaks"]) is list
                 and all(type(peak) is str for peak in value["peaks"]), "not a start")
            first = decimal(str(value["start"]))
            tree = Tree(first, [sha_of(peak) for peak in value["peaks"]])
            continue
        tree = tree or Tree()
        index, entry = parse_evidence(line)
        need(index == tree.size, f"entry {index} stands where entry {tree.size} belongs")
        parsed, evidence = json.loads(entry), json.loads(line)
        entries.append((leaf_hash(entry.encode()), parsed, len(evidence) > 2))
        tree.append(entries[-1][0])
        expiries += [(evidence["values"], parsed)] if parsed["op"] == "EXPIRE" and "values" in evidence else []
    tree = tree or Tree()
    need(tree.size == size, f"{tree.size} entries, the checkpoint covers {size}")
    need(tree.root() == root, "another root")
    went = [expired(said, by, entries, first or 0) for said, by in expiries]
    return f"entries {first or 0} to {size} of {origin} are those of the checkpoint{''.join(went)}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", choices=("receipt", "trail", "archive"))
    parser.add_argument("files", nargs="+")
    parser.add_argument("--vkey", action="append", default=[], help="a vkey, or a file with one")
    parser.add_argument("--policy")
    given = parser.parse_args()
    keys = [pathlib.Path(key).read_text().strip() if pathlib.Path(key).is_file() else key for key in given.vkey]
    rules = pathlib.Path(given.policy).read_text() if given.policy else None
    try:
        if given.what == "receipt":
            print("good:", receipt(pathlib.Path(given.files[0]).read_bytes(), keys, rules))
        elif given.what == "archive":
            import archive  # which imports this
            print("good:", archive.archive(given.files[0], keys, rules))
        else:
            with open(given.files[0], encoding="utf-8", newline="\n") as file:
                lines = (line.removesuffix("\n") for line in file)
                print("good:", trail(lines, pathlib.Path(given.files[1]).read_bytes(), keys, rules))
    except No as no:
        print("not proved:", no)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
