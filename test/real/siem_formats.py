#!/usr/bin/python3
"""The formats of `vestige export --format`, of the same changes of SQLite and of PostgreSQL: OCSF against a JSON Schema made
from the released one (test/vectors/ocsf), CEF by a reader of its own, CloudEvents by its rules, Debezium's envelope by
what a consumer does with it; and both databases say the same.

    siem_formats.py      beside a PostgreSQL server of its own (test/scripts/siem_formats.sh)
"""
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("python3-jsonschema is not installed", file=sys.stderr)
    sys.exit(77)

VESTIGE = os.environ["VESTIGE"]
SCHEMA = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "ocsf" / "ocsf-1.8.0.json"
FORMATS = ["ocsf", "cef", "cloudevents", "ecs", "debezium"]
LONG = "long " * 250_000
problems = []

TABLES = """
create table products (id integer primary key, name text, price integer, secret text);
create table lines (order_id integer, line integer, what text, primary key (order_id, line));
"""
WORK = [
    ("ann", "a=b|c\\d\ne", "insert into products values (1, 'Teapot', 99900, 'hidden-1'), (2, 'Cup = \\ | x', 1200, 'hidden-2')"),
    ("ann", None, "update products set price = 94900, secret = 'hidden-3' where id = 1"),
    (None, None, "update products set name = '\u202eright to left \u05d0' where id = 2"),
    ("bob\u05d1", "long", f"update products set name = '{LONG}' where id = 2"),
    ("bob", "several keys", "insert into lines values (7, 2, '" + LONG + "'), (7, 3, null)"),
    ("bob", "key", "update lines set line = 4 where line = 3"),
    ("bob", None, "delete from lines where line = 2"),
]


def check(holds, text):
    if not holds:
        problems.append(text)


class Trail:
    def __init__(self, db, folder):
        self.env = {**os.environ, "VESTIGE_DB": db}
        self.folder = folder

    def run(self, *words, fails=False):
        done = subprocess.run([VESTIGE, *words], text=True, capture_output=True, check=False, env=self.env, cwd=self.folder)
        if (done.returncode != 0) != fails:
            raise SystemExit(f"vestige {' '.join(words)[:300]}: {done.returncode} {done.stderr[:500]}")
        return done.stdout

    def sql(self, text):
        path = pathlib.Path(self.folder, "work.sql")
        path.write_text(text, encoding="utf-8")
        if self.env["VESTIGE_DB"].startswith("postgresql"):
            subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-f", path], check=True, env=self.env)
        else:
            with sqlite3.connect(pathlib.Path(self.folder, self.env["VESTIGE_DB"])) as db:
                db.executescript(text)

    def work(self):
        self.sql(TABLES)
        self.run("init")
        self.run("track", "products", "--exclude", "secret")
        self.run("track", "lines")
        for actor, reason, sql in WORK:
            words = ["--actor", actor] if actor else []
            words += ["--reason", reason] if reason else []
            pathlib.Path(self.folder, "one.sql").write_text(sql, encoding="utf-8")
            self.run("exec", *words, "--context", "ip_address=2001:db8::7", "--context", "session_id=s1", "--context",
                     "traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "-f", "one.sql")
        self.run("erase", "products", "2", "--by", "dora", "--reason", "asked for")

    def events(self, name, *words):
        return self.run("export", "--format", name, "--origin", "audit.example.com/shop", *words).splitlines()


def ocsf_faults(event):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    of_class = {6005: 0, 3004: 1, 2004: 2}[event["class_uid"]]
    validator = jsonschema.Draft202012Validator({"$defs": schema["$defs"], **schema["oneOf"][of_class]})
    return [f"{'/'.join(map(str, one.path))}: {one.message[:200]}" for one in validator.iter_errors(event)]


def check_ocsf(lines):
    for line in lines:
        for fault in ocsf_faults(json.loads(line)):
            problems.append(f"ocsf: {fault}")
    # The schema is one that refuses.
    event = json.loads(lines[0])
    for wrong in ({"severity_id": 7}, {"activity_id": 14}, {"actor": {}}, {"src_endpoint": {"ip": "nowhere"}}, {"nonsense": 1}):
        check(ocsf_faults({**event, **wrong}), f"ocsf: {wrong} goes through")


RULES = """
[[rule]]
id = "any"
select = "table:products"
severity = "high"
message = "{new.name} of {actor}"
notify = ["siem"]

[notify.siem]
exec = ["/usr/bin/tee", "%s"]
format = "ocsf"
"""


def check_finding(trail):
    """What a SIEM is told of an alert, and of a test."""
    told, toml = pathlib.Path(trail.folder, "told.json"), pathlib.Path(trail.folder, "vestige.toml")
    toml.write_text(RULES % told, encoding="utf-8")
    trail.run("watch", "--once")
    trail.run("exec", "--actor", "bob\u05d1", "insert into products (id, name) values (9, 'Pot \"\\ \u202e')")
    trail.run("watch", "--once")
    event = json.loads(told.read_text(encoding="utf-8"))
    for fault in ocsf_faults(event):
        problems.append(f"finding: {fault}")
    check(event["class_uid"] == 2004 and event["severity_id"] == 4, f"finding: {event}")
    check(event["finding_info"]["title"] == "Pot \"\\ \u202e of bob\u05d1", f"finding: {event['finding_info']}")
    check(len(event["evidences"][0]["data"]["changes"]) == 1, f"finding: {event['evidences']}")
    for wrong in ({"severity_id": 7}, {"activity_id": 4}, {"finding_info": {"title": "x"}}, {"evidences": [{"name": "x"}]}, {"nonsense": 1}):
        check(ocsf_faults({**event, **wrong}), f"finding: {wrong} goes through")
    trail.run("notify", "siem")
    for fault in ocsf_faults(json.loads(told.read_text(encoding="utf-8"))):
        problems.append(f"finding of a test: {fault}")
    toml.unlink()


def cef_fields(line):
    """The seven fields of the header, and the pairs."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", line, maxsplit=7)
    header = [parts[i] + (parts[i + 1] if i + 1 < len(parts) - 1 else "") for i in range(0, 14, 2)]
    pairs = dict(re.findall(r"(\w+)=((?:\\.|[^=\\])*?)(?= \w+=|$)", parts[-1]))
    return header, {key: re.sub(r"\\(.)", lambda one: {"n": "\n", "r": "\r"}.get(one[1], one[1]), value)
                    for key, value in pairs.items()}


def check_cef(lines, changes):
    for line, change in zip(lines, changes):
        header, pairs = cef_fields(line)
        check(header[:3] == ["CEF:0", "Vestige", "Vestige"] and header[4] == change["op"], f"cef: header {header}")
        check(pairs["externalId"] == str(change["id"]) and pairs["cn1"] == str(change["index"]), f"cef: {pairs}")
        check(pairs.get("cs4") == change["context"].get("reason"), f"cef: reason {pairs.get('cs4')!r}")
        check(pairs.get("suser") == (change["context"].get("actor") or change["db_user"]), f"cef: suser {pairs.get('suser')!r}")
        for field, most in {"cs5": 4000, "cs6": 4000, "msg": 1023, "suser": 1023}.items():
            value = pairs.get(field, "")
            check(len(value.encode()) <= most, f"cef: {field} has {len(value.encode())} bytes")
            if value.endswith("…"):
                check(f"cut: {field}" in pairs["msg"], f"cef: {field} was cut, and msg is {pairs['msg']}")


def check_cloudevents(lines, changes):
    seen = set()
    for line, change in zip(lines, changes):
        event = json.loads(line)
        check(len(line.encode()) <= 64 << 10, f"cloudevents: {len(line)} bytes")
        check(event["specversion"] == "1.0" and event["type"] == f"dev.vestige.change.{change['op'].lower()}", "cloudevents: type")
        check(re.fullmatch(r"//audit\.example\.com/shop/[\w%.~-]*", event["source"]), f"cloudevents: {event['source']}")
        check(all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in event), f"cloudevents: {list(event)}")
        check(event["data"]["id"] == change["id"] and int(event["sequence"]) == change["index"], "cloudevents: data")
        seen.add((event["source"], event["id"]))
    check(len(seen) == len(lines), "cloudevents: source and id are not unique")
    check(any('"dropped"' in line for line in lines), "cloudevents: nothing was dropped")


def check_ecs(lines, changes):
    for line, change in zip(lines, changes):
        event = json.loads(line)
        check(event["ecs"]["version"].startswith("9.") and event["@timestamp"] == change["at"], f"ecs: {line[:200]}")
        check(event["event"]["sequence"] == change["index"] and event["event"]["category"] == ["database"], f"ecs: {line[:200]}")
        check(event.get("trace", {}).get("id", "") in change["context"].get("traceparent", ""), "ecs: another trace")


def replay(lines):
    """What a consumer does that keeps tables by what Debezium sends: rows by their key, values as they come."""
    tables = {}
    keys = {"products": ["id"], "lines": ["order_id", "line"]}
    for line in lines:
        event = json.loads(line)
        if event["op"] not in "cudr":
            continue
        name = event["source"]["table"]
        rows = tables.setdefault(name, {})
        of = lambda row: tuple(row[key] for key in keys[name])
        before = rows.pop(of(event["before"]), {}) if event["before"] else {}
        if event["after"]:
            rows[of(event["after"])] = {**before, **event["after"]}
    return tables


def check_debezium(lines):
    for line in lines:
        event = json.loads(line)
        check({"source", "op", "ts_ms"} <= set(event) and event["op"] in "cudrtm", f"debezium: {line[:200]}")
        check({"version", "connector", "name", "ts_ms", "db", "table"} <= set(event["source"]), f"debezium: {line[:200]}")
    kept = replay(lines)
    check(kept["products"][(1,)] == {"id": 1, "name": "Teapot", "price": 94900}, f"debezium: {kept['products'][(1,)]}")
    check(kept["lines"] == {(7, 4): {"order_id": 7, "line": 4, "what": None}}, f"debezium: {kept['lines']}")


def alike(line):
    """Without what differs by nature: times, ids (the database's own), its name, who logged into it."""
    line = re.sub(r',"row_id":\d+', "", line)
    line = re.sub(r'"content":"[^"]*"', "", line)
    line = re.sub(r'("(?:tx|txId|change|id|values|erases)":|(?:externalId|cs3)=|by change )\d+|("(?:uid|correlation_uid|id)":")\d+"(?=,"(?:event_code|sequence)|\})',
                  r"\1\2ID", line)
    line = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|\b17\d{11}\b|\b1[78]\d{14,17}\b", "TIME", line)
    line = re.sub(r'"(db|database|name)":"(shop\.db|postgres|shop)"', r'"\1":"DB"', line)
    line = re.sub(r'"database":\{[^}]*\}', "DB", line)
    return re.sub(r',?"db_user":("[^"]*"|null)', "", line)


def main():
    with tempfile.TemporaryDirectory() as folder:
        trails = [Trail("shop.db", folder), Trail("postgresql:///" + os.environ["PGDATABASE"], folder)]
        printed = []
        for trail in trails:
            trail.work()
            changes = [json.loads(line) for line in trail.run("log", "--consumer", "test", "--format", "json").splitlines()]
            check([one["op"] for one in changes][-1] == "ERASE", f"the last of {len(changes)} is no ERASE")
            events = {name: trail.events(name) for name in FORMATS}
            events["entity"] = trail.events("ocsf", "--profile", "entity")
            for name, lines in events.items():
                check(len(lines) == len(changes), f"{name}: {len(lines)} of {len(changes)}")
                check(not any("hidden-" in line for line in lines), f"{name}: an excluded column left")
            check_ocsf(events["ocsf"])
            check_ocsf(events["entity"])
            check_cef(events["cef"], changes)
            check_cloudevents(events["cloudevents"], changes)
            check_ecs(events["ecs"], changes)
            check_debezium(events["debezium"])
            printed.append(events)
            check_finding(trail)
        for name, lines in printed[0].items():
            for place, (left, right) in enumerate(zip(lines, printed[1][name])):
                if '"who":"nobody"' in left or place == 3:  # of nobody: SQLite has no user of its own
                    continue
                check(alike(left) == alike(right), f"{name}: {alike(left)[:600]}\n  and {alike(right)[:600]}")
    for one in problems:
        print(one)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
