"""What the signature of a context is worth by itself (docs/format.md, "Signed context"); no code of Vestige."""
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verify import NAME, No, canonical, decimal, need, unbase64, vkey


def nonce_of(text):
    """(how many transactions may have it, the transaction that it is bound to)"""
    found = re.fullmatch(r"([A-Za-z0-9_.-]{16,64})(?:\*([1-9][0-9]{0,6}))?", text, re.ASCII)
    need(found, "not a nonce")
    uses = int(found[2] or 1)
    need(found[2] is None or 2 <= uses <= 1_000_000, "a nonce for one, or too many")
    bound = re.match(r"x(0|[1-9][0-9]{0,19})\.", text, re.ASCII)
    return uses, int(bound[1]) if bound and not found[2] else None


def verifies(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def signed_word(context, keys, origin, at):
    """What a context's signature is worth by itself; `at` in seconds."""
    if "signature" not in context:
        return "unsigned"
    words = context["signature"].split(" ")
    try:
        need(len(words) == 6 and NAME.fullmatch(words[0]) and NAME.fullmatch(words[1]), "not a signature")
        issued, expires, signature = decimal(words[2]), decimal(words[3]), unbase64(words[5])
        need(issued <= expires <= issued + 86400 and len(signature) == 64, "not a signature")
        bound = nonce_of(words[4])[1]
    except No:
        return "bad"
    known = [key for name, kind, _, key in map(vkey, keys) if name == words[0] and kind == 1]
    if not known:
        return "unknown-signer"
    fields = {name: context[name] for name in sorted(context) if name != "signature"}
    message = "\n".join(["vestige-context/v1", *words[1:5], canonical(fields), ""]).encode()
    if not any(verifies(key, message, signature) for key in known):
        return "bad"
    if words[1] != origin:
        return "foreign"
    if not issued - 60 <= at <= expires:
        return "expired"
    return "signed" if bound is None else "bound"
