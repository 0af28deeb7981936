#!/usr/bin/python3
"""`vestige metrics`, of SQLite and of PostgreSQL, by Prometheus' own reader of its format; its server; and that the alerts and the
dashboard of share/monitoring name metrics that there are.

    monitoring.py      beside a PostgreSQL server of its own (test/scripts/monitoring.sh)
"""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

try:
    import prometheus_client.parser
    import yaml
except ImportError:
    print("python3-prometheus-client or python3-yaml is not installed", file=sys.stderr)
    sys.exit(77)

VESTIGE = os.environ["VESTIGE"]
SHARE = pathlib.Path(__file__).resolve().parents[2] / "share" / "monitoring"
ODD = 'odd "na\\me"\n'
problems = []


def check(holds, text):
    if not holds:
        problems.append(text)


def vestige(db, folder, *words):
    return subprocess.run([VESTIGE, *words], text=True, capture_output=True, check=False, cwd=folder, env={**os.environ, "VESTIGE_DB": db})


def read(text):
    """{name: {labels: value}}, as Prometheus reads it; each with a help and a type before it."""
    found = {}
    for family in prometheus_client.parser.text_string_to_metric_families(text):
        check(family.documentation and family.type in ("gauge", "counter"), f"{family.name}: {family.type} {family.documentation}")
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    for line in text.splitlines():
        check(re.fullmatch(r'# (HELP|TYPE) vestige_\w+ .+|vestige_[a-z_]+(\{(\w+="([^"\\\n]|\\["\\n])*",?)+\})? -?[0-9.e+]+', line), f"line: {line}")
    check(text.endswith("\n"), "the last line does not end")
    return found


def sqlite_trail(folder):
    with sqlite3.connect(pathlib.Path(folder, "shop.db")) as db:
        db.executescript(f'create table p (id integer primary key); create table "{ODD.replace(chr(34), chr(34) * 2)}" (id integer primary key)')


def numbers(db, folder):
    done = vestige(db, folder, "metrics")
    check(done.returncode == 0, f"metrics: {done.stderr}")
    return read(done.stdout)


def check_trail(db, folder, tables):
    vestige(db, folder, "init")
    for table in tables:
        check(vestige(db, folder, "track", table).returncode == 0, f"track {table}")
    vestige(db, folder, "exec", "insert into p select 1 union all select 2 union all select 3")
    found = numbers(db, folder)
    check(found["vestige_up"][()] == 1 and found["vestige_changes_total"][()] == 3, f"{db}: {found}")
    check(found["vestige_entries"][()] == 0 and found["vestige_unsealed_changes"][()] == 3, f"{db}: unsealed {found}")
    check(found["vestige_unsealed_oldest_age_seconds"][()] > 0, f"{db}: age {found}")
    check("vestige_checkpoint_timestamp_seconds" not in found, f"{db}: a checkpoint before there is one")
    check(sum(found["vestige_open_alerts"].values()) == 0 and found["vestige_trail_size_bytes"][()] > 0, f"{db}: {found}")
    check(("vestige_partitions_ahead" in found) == db.startswith("postgresql"), f"{db}: partitions")
    check(found["vestige_tables_tracked"][()] == len(tables) and found["vestige_tables_with_trouble"][()] == 0, f"{db}: tables {found}")
    vestige(db, folder, "log", "--consumer", ODD, "-n", "2", "--format", "json")
    vestige(db, folder, "keygen", "--origin", "example.com/t", "--out", f"key{len(tables)}")
    vestige(db, folder, "seal", "--key", f"key{len(tables)}")
    found = numbers(db, folder)
    check(found["vestige_entries"][()] == found["vestige_checkpoint_entries"][()] == found["vestige_changes_total"][()] == 3, f"{db}: sealed {found}")
    check(found["vestige_unsealed_changes"][()] == 0 and found["vestige_unsealed_oldest_age_seconds"][()] == 0, f"{db}: all sealed {found}")
    check(found["vestige_consumer_lag_changes"] == {(("consumer", ODD),): 1}, f"{db}: consumers {found}")
    return found


def check_files(printed):
    rules = (SHARE / "vestige-alerts.yml").read_text(encoding="utf-8")
    groups = yaml.safe_load(rules)["groups"]
    exprs = [rule["expr"] for group in groups for rule in group["rules"]]
    board = json.loads((SHARE / "vestige-dashboard.json").read_text(encoding="utf-8"))
    exprs += [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    exprs += [one["query"] for one in board["templating"]["list"] if one["type"] == "query"]
    named = {name for expr in exprs for name in re.findall(r"\bvestige_\w+", expr)}
    check(named and named <= printed, f"named and not printed: {named - printed}")
    check(printed - named <= {"vestige_build_info"}, f"printed, and in no alert or panel: {printed - named}")
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "rules", SHARE / "vestige-alerts.yml"], capture_output=True, text=True, check=False)
        check(done.returncode == 0, done.stdout + done.stderr)


def get(port, path, method="GET", host=None):
    headers = {} if host is None else {"Host": host}
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method, headers=headers), timeout=30) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


def check_server(folder):
    server = subprocess.Popen([VESTIGE, "metrics", "--listen", "127.0.0.1:0"], cwd=folder, env={**os.environ, "VESTIGE_DB": "shop.db"},
                              stderr=subprocess.PIPE, text=True)
    port = int(server.stderr.readline().split()[-1])
    status, kind, text = get(port, "/metrics")
    check(status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8", f"{status} {kind}")
    check(read(text)["vestige_up"][()] == 1, text)
    check(get(port, "/healthz")[0] == 200 and get(port, "/other")[0] == 404 and get(port, "/metrics", "POST")[0] == 405, "paths")
    for host, status in (("localhost", 200), (f"127.0.0.1:{port}", 200), ("[::1]", 200), ("evil.example", 403), ("127.0.0.1.evil.example:80", 403)):
        check(get(port, "/metrics", host=host)[0] == status, host)
    os.rename(pathlib.Path(folder, "shop.db"), pathlib.Path(folder, "away.db"))
    check(get(port, "/healthz")[0] == 503, "healthy without a database")
    check(read(get(port, "/metrics")[2]) == {"vestige_up": {(): 0}}, "metrics without a database")
    os.rename(pathlib.Path(folder, "away.db"), pathlib.Path(folder, "shop.db"))
    check(get(port, "/healthz")[0] == 200, "not healthy again")
    with socket.create_connection(("127.0.0.1", port)) as slow:  # one that says nothing keeps nobody waiting
        check(get(port, "/healthz")[0] == 200, "kept waiting")
        slow.close()
    server.send_signal(signal.SIGTERM)
    check(server.wait(30) == 0, f"the server ended with {server.returncode}")
    for address in ("0.0.0.0:0", "[::]:0", "example.com:9187"):
        done = vestige("shop.db", folder, "metrics", "--listen", address)
        check(done.returncode == 2 and "others than this machine" in done.stderr, f"{address}: {done.returncode} {done.stderr}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        sqlite_trail(folder)
        subprocess.run(["psql", "-qX", "-c", "create table p (id integer primary key)"], check=True)
        check_trail("shop.db", folder, ["p", ODD])
        printed = check_trail("postgresql:///" + os.environ["PGDATABASE"], folder, ["p"])
        check_files(set(printed))
        check_server(folder)
        with sqlite3.connect(pathlib.Path(folder, "shop.db")) as db:
            db.execute("drop trigger vestige_1_update")
        check(numbers("shop.db", folder)["vestige_tables_with_trouble"][()] == 1, "a missing trigger is no trouble")
    for one in problems:
        print(one)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
