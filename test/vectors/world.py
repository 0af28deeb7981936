"""A small sealed trail, its keys, checkpoints and receipts, all from fixed seeds; for make.py."""
import base64
import hashlib
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FILES = {}  # name -> bytes


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def b64(data):
    return base64.b64encode(data).decode()


# --- the tree, as RFC 6962 writes it

def leaf_hash(entry):
    return sha(b"\0", entry)


def split(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return sha(b"\1", mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole):
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


# --- keys and notes

class Key:
    def __init__(self, name, kind, seed):
        self.name, self.kind = name, bytes([kind])
        self.secret = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.secret.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = sha(name.encode(), b"\n", self.kind, self.public)[:4]
        self.vkey = f"{name}+{self.id.hex()}+{b64(self.kind + self.public)}"
        self.file = f"PRIVATE+KEY+{name}+{self.id.hex()}+{b64(self.kind + bytes([seed]) * 32)}\n"

    def payload(self, text, time=0):
        if self.kind == b"\1":
            return self.secret.sign(text.encode())
        return time.to_bytes(8, "big") + self.secret.sign(f"cosignature/v1\ntime {time}\n{text}".encode())

    def line(self, text, time=1767323045, name=None, id=None, change=lambda payload: payload):
        payload = change(self.payload(text, time))
        return f"— {name or self.name} {b64((id or self.id) + payload)}\n"


LOG = Key("audit.example.com/shop", 1, 7)
LOG2 = Key("audit.example.com/shop", 1, 8)     # the same name, another key
OTHER = Key("audit.example.com/other", 1, 9)
LOG_AS_OTHER = Key("audit.example.com/other", 1, 7)
W1, W2, W3 = (Key(f"w{n}.example.org", 4, 20 + n) for n in (1, 2, 3))


def checkpoint_text(size, root, origin=LOG.name, more=""):
    return f"{origin}\n{size}\n{b64(root)}\n{more}"


def note(text, *lines):
    return text + "\n" + "".join(lines)


# --- the trail

def canonical(value):
    """JSON without spaces; control characters as docs/format.md has them (the same as json.dumps)."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def salt(n):
    return sha(b"salt", bytes([n]))[:16]


def commit(n, text):
    return b64(sha(salt(n), text.encode()))


def change(i):
    """(entry, {part: (salt, canonical)}) of the change with the id 100 + i."""
    op = ["INSERT", "UPDATE", "DELETE", "TRUNCATE", "BASELINE", "ERASE"][i % 6]
    table = ["products", "Käse \"alt\"", "a\\b\n\t\x01", "orders"][i % 4]
    parts = {}
    if op not in ("TRUNCATE",):
        parts["key"] = (salt(3 * i), canonical({"key": {"id": i}}))
        values = {"INSERT": {"new": {"id": i, "name": "Milk \u0007 jug"}} if i % 12 else
                            {"new": {"id": i, "name": {"$redacted": True}, "iban": {"$encrypted": b64(salt(i))}}},
                  "UPDATE": {"old": {"price": 99900 + i}, "new": {"price": None}}}.get(op, {"old": {"id": i}})
        parts["values"] = (salt(3 * i + 1), canonical(values))
    if i % 3:
        parts["context"] = (salt(3 * i + 2), canonical({
            "db_user": "app", "actor": f"ann{i}", "reason": "sälé",
            **({"fields": {"signature": b64(sha(b"signature", bytes([i])))}} if i % 7 == 1 else {})}))
    entry = {"v": 1, "id": 100 + i, "op": op, "table_id": 1 + i % 4, "table": table,
             "at": f"2026-01-02T03:04:{i:02}.678901Z", "tx": 100 + i - i % 2}
    for part in ("key", "context", "values"):
        entry[part] = b64(sha(parts[part][0], parts[part][1].encode())) if part in parts else None
    return canonical(entry), parts


def evidence(index, entry, parts):
    line = {"index": index, "entry": entry}
    for part in ("key", "context", "values"):
        if part in parts:
            line[part + "_salt"], line[part] = parts[part][0].hex(), parts[part][1]
    return canonical(line)


CHANGES = [change(i) for i in range(21)]
ENTRIES = [entry for entry, _ in CHANGES]
LEAVES = [leaf_hash(entry.encode()) for entry in ENTRIES]
LINES = [evidence(i, entry, parts) for i, (entry, parts) in enumerate(CHANGES)]


class Cases:
    """The cases of one file: each has a name, `good`, and what it is made of."""

    def __init__(self, name):
        self.name, self.cases = name, []

    def add(self, name, good, **what):
        self.cases.append({"name": name, "good": good, **what})

    def done(self):
        names = [case["name"] for case in self.cases]
        assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
        lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in self.cases)
        FILES[self.name + ".json"] = f"[\n{lines}\n]\n".encode()


def flip(data, place=0):
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]


def replaced(text, old, new):
    assert old in text, (old, text)
    return text.replace(old, new, 1)


def without_padding(text):
    """The same base64 with bits set that carry nothing."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = len(text.rstrip("=")) - 1
    assert text.endswith("=")
    return text[:place] + letters[letters.index(text[place]) + 1] + text[place + 1:]


def signed(size, leaves=None, cosigners=(), key=LOG, **more):
    text = checkpoint_text(size, mth((leaves or LEAVES)[:size]), **more)
    return note(text, key.line(text), *(one.line(text) for one in cosigners))


def receipt_text(index, size=21, extra=None, proof=None, checkpoint=None, leaves=LEAVES):
    proof = path(index, leaves[:size]) if proof is None else proof
    return ("c2sp.org/tlog-proof@v1\n" + f"extra {b64((extra or LINES[index]).encode())}\n" + f"index {index}\n"
            + "".join(b64(one) + "\n" for one in proof) + "\n" + (checkpoint or signed(size)))


def policy_text(quorum="group q 2 w1 w2 w3\nquorum q\n"):
    return (f"# who is trusted\nlog {LOG.vkey}\n" + "".join(f"witness w{n} {key.vkey}\n" for n, key in enumerate((W1, W2, W3), 1))
            + quorum)
