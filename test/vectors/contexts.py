"""Signed contexts (docs/format.md); for make.py. Clients sign those that have a `key`, and must come to the same field."""
import json

from world import FILES, LOG, Key, b64

ORIGIN = "audit.example.com/shop"
ISSUED = 1_790_000_000
SHOP = Key("shop-web", 1, 41)
OTHER = Key("shop-web", 1, 42)


def canonical(fields):
    return json.dumps(dict(sorted(fields.items())), ensure_ascii=False, separators=(",", ":"))


def field(fields, key=SHOP, origin=ORIGIN, issued=ISSUED, lifetime=240, nonce="6f1d2c3b4a5968778695a4b3c2d1e0f0"):
    words = [origin, str(issued), str(issued + lifetime), nonce]
    message = "vestige-context/v1\n" + "".join(word + "\n" for word in [*words, canonical(fields)])
    return message, " ".join([key.name, *words, b64(key.secret.sign(message.encode()))])


def context_cases():
    cases = []
    sale = {"reason": "summer sale", "actor": "ann"}

    def add(name, word, fields, signature, at=ISSUED + 1, **more):
        context = fields if signature is None else fields | {"signature": signature}
        cases.append({"name": name, "good": word in ("signed", "bound"), "word": word, "vkeys": [SHOP.vkey], "origin": ORIGIN,
                      "at": str(at), "context": context} | more)

    def made(name, word, fields, at=ISSUED + 1, **how):
        message, signature = field(fields, **how)
        key = how.get("key", SHOP)
        add(name, word, fields, signature, at, key=key.file, message=message, signed_for=how.get("origin", ORIGIN),
            issued=str(how.get("issued", ISSUED)), lifetime=str(how.get("lifetime", 240)),
            nonce=signature.split(" ")[4])

    made("a context", "signed", sale)
    made("one field", "signed", {"actor": "ann"})
    made("nothing but a signature", "signed", {})
    made("letters of all kinds", "signed", {"actor": "Zoë \"Z\" \\ / ' \u2028 \U0001f600", "ａ": "\uffff", "\U00010000": "after it"})
    made("control characters", "signed", {"actor": "a\b\f\n\r\t\u0001\u001f\u007f"})
    made("names in the order of their bytes", "signed", {"b": "2", "a": "1", "B": "0", "\ue000": "4", "\U00010000": "5", "é": "3"})
    made("no text anywhere", "signed", {"actor": "", "reason": ""})
    made("several transactions", "signed", sale, nonce="0123456789abcdef*25")
    made("a transaction of its own", "bound", sale, nonce="x4711.6f1d2c3b4a5968778695a4b3c2d1e0f0")
    made("the application's clock is half a minute ahead", "signed", sale, at=ISSUED - 30)
    made("it is half a minute behind", "signed", sale, at=ISSUED + 30)
    made("five minutes ahead", "expired", sale, at=ISSUED - 300)
    made("five minutes behind", "expired", sale, at=ISSUED + 300)
    made("a minute ahead", "signed", sale, at=ISSUED - 60)
    made("more than a minute ahead", "expired", sale, at=ISSUED - 61)
    made("its last second", "signed", sale, at=ISSUED + 240)
    made("after it", "expired", sale, at=ISSUED + 241)
    made("another trail", "foreign", sale, origin="audit.example.com/test")
    made("another key of that name", "bad", sale, key=OTHER)
    made("another signer", "unknown-signer", sale, key=LOG)
    add("no signature", "unsigned", sale, None)
    add("no context", "unsigned", {}, None)
    _, signature = field(sale)
    for name, fields in {"another actor": sale | {"actor": "bob"}, "one field more": sale | {"a": ""},
                         "one field less": {"actor": "ann"}, "another letter case": sale | {"actor": "Ann"},
                         "values exchanged": {"actor": "summer sale", "reason": "ann"}}.items():
        add(name, "bad", fields, signature)
    words = signature.split(" ")
    for at, name, word in [(0, "the signer", "shop"), (1, "the origin", "audit.example.com/shoq"), (2, "issued", str(ISSUED + 1)),
                           (3, "expires", str(ISSUED + 241)), (4, "the nonce", "7f1d2c3b4a5968778695a4b3c2d1e0f0"),
                           (4, "uses", words[4] + "*2"), (5, "the signature", "A" + words[5][1:])]:
        add(f"{name} is another", "unknown-signer" if at == 0 else "bad", sale, " ".join([*words[:at], word, *words[at + 1:]]))
    for name, bad in {"empty": "", "a word": "signed", "five words": " ".join(words[:5]), "seven words": signature + " x",
                      "two spaces": signature.replace(" ", "  ", 1), "a space at its end": signature + " ",
                      "a line end": signature + "\n", "no padding": signature[:-2], "url base64": signature.replace("+", "-").replace("/", "_"),
                      "a sign": signature.replace(str(ISSUED), "+" + str(ISSUED), 1),
                      "a zero before": signature.replace(str(ISSUED), "0" + str(ISSUED), 1)}.items():
        if bad != signature:
            add(f"its field is {name}", "bad", sale, bad)
    for name, nonce in {"short": "0123456789abcde", "long": "a" * 65, "of other letters": "0123456789abcde/",
                        "for one": "0123456789abcdef*1", "for none": "0123456789abcdef*0", "for too many": "0123456789abcdef*1000001",
                        "for no number": "0123456789abcdef*"}.items():
        add(f"a nonce is {name}", "bad", sale, field(sale, nonce=nonce)[1])
    add("more than a day", "bad", sale, field(sale, lifetime=86401)[1])
    add("it ends before it begins", "bad", sale, field(sale, lifetime=-1)[1])
    made("a day", "signed", sale, lifetime=86400)
    FILES["signed_context.json"] = (json.dumps(cases, indent=1, ensure_ascii=True) + "\n").encode()
