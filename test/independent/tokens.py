#!/usr/bin/python3
"""What was told of encrypted values (docs/format.md, "Encrypted values"), held against a receipt, without Vestige and without a key.

    tokens.py RECEIPT DISCLOSED --vkey KEY... [--policy FILE]"""
import argparse
import json
import pathlib
import re
import sys

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from verify import No, canonical, integer, need, parse_evidence, receipt, sha, strict_json, unbase64

SALT, COMMIT = 16, 32


def pieces(token):
    """(algorithm, id of the data key, nonce, what is encrypted, commitment)"""
    need(len(token) > 18 and token[0] == 1 and token[1] in (1, 2), "not a token")
    head = 18 + (12, 16)[token[1] - 1]
    need(len(token) >= head + SALT + 16 + COMMIT, "a token that is too short")
    return token[1], token[2:18], token[18:head], token[head:-COMMIT], token[-COMMIT:]


def opened(token, key, place):
    """(salt, value) of a token, by its data key."""
    algorithm, key_id, nonce, sealed, commit = pieces(token)
    need(sha(b"vestige-data-key" + key)[:16] == key_id, "the token is under another key")
    try:
        if algorithm == 1:
            plain = ChaCha20Poly1305(key).decrypt(nonce, sealed, place.encode())
        else:
            need(len(sealed) % 16 == 0, "no whole block")
            cipher = Cipher(algorithms.AES(key), modes.CBC(nonce)).decryptor()
            pad = padding.PKCS7(128).unpadder()
            plain = pad.update(cipher.update(sealed) + cipher.finalize()) + pad.finalize()
    except (InvalidTag, ValueError):
        raise No("its key does not open it in this place") from None
    need(len(plain) >= SALT and sha(plain) == commit, "not what was recorded")
    return plain[:SALT], plain[SALT:]


def disclosure(line, evidence):
    """Why the value that is told is the one that evidence, itself checked, has a token of."""
    told = strict_json(line)
    need(type(told) is dict and canonical(told) == line, "a disclosure that is not canonical")
    need(list(told) == ["id", "side", "column", "salt", "value"], "other members")
    integer(told["id"])
    need(all(type(told[name]) is str for name in ("side", "column", "salt", "value")), "not a text")
    need(told["side"] in ("old", "new") and re.fullmatch(r"[0-9a-f]{32}", told["salt"]), "no side, or no salt")
    _, entry = parse_evidence(evidence)
    need(json.loads(entry)["id"] == told["id"], "of another change")
    values = json.loads(json.loads(evidence).get("values", "{}"))
    there = values.get(told["side"], {}).get(told["column"])
    need(type(there) is dict and list(there) == ["$encrypted"], "nothing is encrypted there")
    commit = pieces(unbase64(there["$encrypted"]))[-1]
    need(sha(bytes.fromhex(told["salt"]) + told["value"].encode()) == commit, "another value, or another salt")
    return f"change {told['id']}: {told['side']} {told['column']} is {told['value']}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("receipt")
    parser.add_argument("disclosed")
    parser.add_argument("--vkey", action="append", default=[], help="a vkey, or a file with one")
    parser.add_argument("--policy")
    given = parser.parse_args()
    keys = [pathlib.Path(key).read_text().strip() if pathlib.Path(key).is_file() else key for key in given.vkey]
    rules = pathlib.Path(given.policy).read_text() if given.policy else None
    try:
        data = pathlib.Path(given.receipt).read_bytes()
        receipt(data, keys, rules)
        evidence = unbase64(data.decode().split("\n")[1].removeprefix("extra ")).decode()
        for line in pathlib.Path(given.disclosed).read_text().splitlines():
            print("good:", disclosure(line, evidence))
    except No as no:
        print("not proved:", no)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
