"""Cases of encrypted values (docs/format.md, "Encrypted values"): tokens opened with their data key, and one value of a change told
alone, which is checked against a receipt's evidence without any key."""
import json

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from world import FILES, b64, canonical, change, salt, sha

KEY = sha(b"data key")
PLACE = "3\n7\n"
SALT = salt(40)


def key_id(key):
    return sha(b"vestige-data-key", key)[:16]


def chacha(value, key=KEY, place=PLACE, salt=SALT, id=None, commit=None):
    nonce, plain = sha(b"nonce")[:12], salt + value.encode()
    sealed = ChaCha20Poly1305(key).encrypt(nonce, plain, place.encode())
    return b"\x01\x01" + (id or key_id(key)) + nonce + sealed + (commit or sha(plain))


def aes(value, key=KEY, salt=SALT, id=None, commit=None):
    iv, plain = sha(b"nonce")[:16], salt + value.encode()
    pad = padding.PKCS7(128).padder()
    to = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    sealed = to.update(pad.update(plain) + pad.finalize()) + to.finalize()
    return b"\x01\x02" + (id or key_id(key)) + iv + sealed + (commit or sha(plain))


def token_cases():
    cases = []

    def add(name, good, token, key=KEY, place=PLACE, value=""):
        cases.append({"name": name, "good": good, "token": b64(token), "key": key.hex(), "place": place, "salt": SALT.hex(),
                      "value": value})

    for make, alg in ((chacha, "ChaCha20-Poly1305"), (aes, "AES-256-CBC")):
        for name, value in {"a text": '"123-45-6789"', "nothing": "", "a number": "61.5", "other letters": '"Käse \u2603"',
                            "one block": "0123456789abcdef", "long": "x" * 1000}.items():
            add(f"{alg}: {name}", True, make(value), value=value)
        good = make('"111-11"')
        for place in (0, 1, 2, 17, 18, len(good) - 33, len(good) - 32, len(good) - 1):
            bad = bytearray(good)
            bad[place] ^= 1
            add(f"{alg}: a bit of byte {place} is another", False, bytes(bad), value='"111-11"')
        for cut in (0, 1, 18, len(good) // 2, len(good) - 1):
            add(f"{alg}: cut to {cut} bytes", False, good[:cut], value='"111-11"')
        add(f"{alg}: a byte more", False, good + b"\0", value='"111-11"')
        add(f"{alg}: another key", False, good, key=sha(b"another"), value='"111-11"')
        add(f"{alg}: another value", False, good, value='"111-12"')
        add(f"{alg}: the commitment of another value", False, make('"111-11"', commit=sha(SALT + b'"111-12"')), value='"111-11"')
        add(f"{alg}: the id of another key", False, make('"111-11"', id=key_id(sha(b"another"))), value='"111-11"')
    add("ChaCha20-Poly1305: of another column", False, chacha("1"), place="3\n8\n", value="1")
    add("AES-256-CBC: bound to no column", True, aes("1"), place="3\n8\n", value="1")
    FILES["token.json"] = (json.dumps(cases, indent=1, ensure_ascii=True) + "\n").encode()


def disclosure_cases():
    cases = []
    entry = json.loads(change(0)[0])
    values = {"old": {"ssn": {"$encrypted": b64(chacha('"111-11"'))}, "born": {"$encrypted": b64(aes("2001-01-01"))}, "name": "ann"},
              "new": {"ssn": {"$encrypted": b64(chacha('"222-22"', salt=salt(41)))}, "born": None}}
    values_salt, text = salt(42), canonical(values)
    entry["values"] = b64(sha(values_salt, text.encode()))
    evidence = canonical({"index": 7, "entry": canonical(entry), "values_salt": values_salt.hex(), "values": text})
    withheld = canonical({"index": 7, "entry": canonical(entry)})
    first = {"id": entry["id"], "side": "old", "column": "ssn", "salt": SALT.hex(), "value": '"111-11"'}

    def add(name, good, line, of=evidence):
        cases.append({"name": name, "good": good, "evidence": of, "disclosure": line if isinstance(line, str) else canonical(line)})

    add("the old value", True, first)
    add("the new value", True, {**first, "side": "new", "salt": salt(41).hex(), "value": '"222-22"'})
    add("a value of the other algorithm", True, {**first, "column": "born", "value": "2001-01-01"})
    for part, other in {"id": entry["id"] + 1, "side": "new", "column": "born", "salt": salt(41).hex(), "value": '"111-12"'}.items():
        add(f"its {part} is another", False, {**first, part: other})
    for part in first:
        add(f"without its {part}", False, {name: value for name, value in first.items() if name != part})
    add("a column in clear", False, {**first, "column": "name", "value": "ann"})
    add("a column that is null there", False, {**first, "side": "new", "column": "born", "value": "null"})
    add("a column that is not there", False, {**first, "column": "iban"})
    add("a side that there is not", False, {**first, "side": "key"})
    add("the boundary of salt and value moved", False, {**first, "salt": SALT.hex() + b'"'.hex(), "value": '111-11"'})
    add("a short salt", False, {**first, "salt": SALT.hex()[:-2]})
    add("something more", False, {**first, "note": ""})
    add("another order", False, dict(reversed(first.items())))
    add("a space", False, canonical(first).replace(",", ", ", 1))
    add("an upper-case salt", False, {**first, "salt": SALT.hex().upper()})
    add("its value is a number", False, {**first, "value": 1})
    add("its id is a text", False, {**first, "id": str(entry["id"])})
    add("a line end", False, canonical(first) + "\n")
    add("the receipt has no values", False, first, of=withheld)
    add("no object", False, "[]")
    FILES["disclosure.json"] = (json.dumps(cases, indent=1, ensure_ascii=True) + "\n").encode()
