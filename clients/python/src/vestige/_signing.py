"""The signature of a context, by a key that the database never sees (docs/privacy.md, "Signed context").

It is made just before a transaction is told the context, each time anew: a signature is for one transaction. What is signed are
texts, so a signed context has nothing else: what is no text is said as its JSON.
"""

from __future__ import annotations

import binascii
import json
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

FIELD: Final = "signature"
LONGEST: Final = 86400  # seconds


class Signer:
    """A key of `vestige keygen`, and the trail that its signatures are for."""

    def __init__(self, key: str, origin: str, lifetime: int = 240) -> None:
        try:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        except ImportError as missing:
            raise ImportError("signed contexts need the package cryptography: pip install vestige-audit[sign]") from missing
        name, seed = _key(key)
        if not origin or any(c.isspace() or c == "+" for c in origin):
            raise ValueError("an origin is the name of a log, as vestige keygen got it, without spaces and without '+'")
        if not 0 < lifetime <= LONGEST:
            raise ValueError(f"a signature lasts from 1 to {LONGEST} seconds")
        self.name, self.origin, self.lifetime = name, origin, lifetime
        self._sign: Callable[[bytes], bytes] = Ed25519PrivateKey.from_private_bytes(seed).sign

    def field(self, fields: dict[str, str], issued: int | None = None, nonce: str | None = None) -> str:
        """The field `signature` for a context of these texts."""
        issued = int(time.time()) if issued is None else issued
        words = [self.origin, str(issued), str(issued + self.lifetime), nonce or os.urandom(16).hex()]
        text = json.dumps(dict(sorted(fields.items())), ensure_ascii=False, separators=(",", ":"))
        signature = self._sign("\n".join(["vestige-context/v1", *words, text, ""]).encode())
        return " ".join([self.name, *words, binascii.b2a_base64(signature, newline=False).decode()])


_signer: Signer | None = None


def sign_with(key: str | os.PathLike[str] | None, *, origin: str = "", lifetime: int = 240) -> None:
    """From here on every context that this process says is signed; None: no more.

    key       the file of a private key that `vestige keygen` made
    origin    the trail that it is for: the name of its log
    lifetime  seconds from the beginning of a transaction's first statement to its last change
    """
    global _signer
    if key is None:
        _signer = None
        return
    with open(key, encoding="ascii", errors="replace") as file:
        _signer = Signer(file.read(), origin, lifetime)


def signed(said: str) -> str:
    """A context of said(), with a new signature where this process signs."""
    if _signer is None or not said:
        return said
    from vestige._render import dump

    fields = {
        name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        for name, value in json.loads(said).items()
        if name != FIELD
    }
    return dump(fields | {FIELD: _signer.field(fields)})


def _key(text: str) -> tuple[str, bytes]:
    """The name and the seed. What is wrong is said without a word of the key."""
    import base64  # whoever signs nothing needs none of it

    parts = text.strip().split("+", 4)
    try:
        body = base64.b64decode(parts[4], validate=True) if parts[:2] == ["PRIVATE", "KEY"] and len(parts) == 5 else b""
    except binascii.Error:
        body = b""
    if len(body) != 33 or body[0] != 1 or not parts[2]:
        raise ValueError("the file is no private key of vestige keygen")
    return parts[2], body[1:]
