#!/usr/bin/python3
"""SQL of a transaction under a signed context, as an application would send it, for the transcripts.

    said.py KEY SQL [origin=…] [ago=SECONDS] [nonce=…] [forged=ACTOR] actor=ann …   | sqlite3 shop.db
                KEY: the file of a private key; -: nobody signs
                forged: the context says another actor than the one who is signed for
"""
import json
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients/python/src"))
from vestige._signing import Signer  # noqa: E402

key, statement, *words = sys.argv[1:]
fields = dict(word.split("=", 1) for word in words)
how = {name: fields.pop(name, None) for name in ("origin", "ago", "nonce", "forged")}
if key != "-":
    signer = Signer(pathlib.Path(key).read_text(), how["origin"] or "log.example/shop")
    fields["signature"] = signer.field(fields, int(time.time()) - int(how["ago"] or 0), how["nonce"])
if how["forged"]:
    fields["actor"] = how["forged"]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


if os.environ["VESTIGE_DB"].startswith("postgresql:"):
    print(f"begin; set local vestige.context = {quoted(json.dumps(fields))}; {statement}; commit;")
else:
    own = {name: fields.pop(name) for name in ("actor", "reason") if name in fields}
    columns = ", ".join([*own, "extra"])
    values = ", ".join(quoted(value) for value in [*own.values(), json.dumps(fields)])
    print(f"begin; insert into vestige_session ({columns}) values ({values}); {statement};"
          " delete from vestige_session; commit;")
