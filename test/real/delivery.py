#!/usr/bin/python3
"""Alerts on their way to a webhook that fails, asks for patience, kills who asks it, or is gone: each arrives, under one id.

    delivery.py      beside a PostgreSQL server of its own (test/scripts/delivery.sh)

Time is not waited for: when something is tried next stands in the table of deliveries, and is put back there.
"""
import http.server
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

VESTIGE = os.environ["VESTIGE"]
problems = []


def check(holds, text):
    if not holds:
        problems.append(text)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        server = self.server
        server.seen.append((self.path, self.headers["webhook-id"], body["data"]["id"]))
        if server.kills:
            os.kill(server.kills.pop().pid, signal.SIGKILL)
        status, headers = server.answers.pop(0) if server.answers else (200, {})
        if status == 200:
            server.took.append(self.headers["webhook-id"])
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *words):
        pass


class Trail:
    def __init__(self, db, folder):
        self.db, self.folder = db, folder
        self.env = {**os.environ, "VESTIGE_DB": db}
        self.hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
        self.hook.seen, self.hook.took, self.hook.answers, self.hook.kills = [], [], [], []
        threading.Thread(target=self.hook.serve_forever, daemon=True).start()

    def run(self, *words, code=0):
        done = subprocess.run([VESTIGE, *words], text=True, capture_output=True, check=False, env=self.env, cwd=self.folder)
        check(done.returncode == code, f"{self.db}: vestige {' '.join(words)}: {done.returncode} {done.stderr[:400]}")
        return done.stdout + done.stderr

    def sql(self, text):
        if self.db.startswith("postgresql"):
            text = text.replace("vestige_delivery", "vestige.delivery")
            return subprocess.run(["psql", "-qXAt", "-F", "|", "-c", text], check=True, capture_output=True, text=True).stdout.split()
        with sqlite3.connect(pathlib.Path(self.folder, self.db)) as db:
            return ["|".join("" if one is None else str(one) for one in row) for row in db.execute(text)]

    def toml(self, path):
        pathlib.Path(self.folder, "vestige.toml").write_text(f"""
[[rule]]
id = "dear"
select = "table:p op:insert"
when = "new.price > 100"
severity = "high"
message = "{{table}} {{key}}"
notify = ["ops"]

[notify.ops]
webhook = "http://127.0.0.1:{self.hook.server_address[1]}{path}"
""", encoding="utf-8")

    def raise_alert(self, key, code=0):
        self.run("exec", "--actor", "ann", f"insert into p values ({key}, 500)")
        return self.run("watch", "--once", code=code)

    def come(self):
        """The time of the next attempt."""
        self.sql("update vestige_delivery set next_attempt = 0")

    def ids(self):
        return sorted(json.loads(line)["id"] for line in self.run("alert", "list", "--format", "json").splitlines() if line.startswith("{"))


def play(trail):
    hook = trail.hook
    trail.sql("create table p (id integer primary key, price integer)")
    trail.run("init")
    trail.run("track", "p")
    trail.toml("/first")
    trail.run("watch", "--once")
    # Fails three times, and each time nothing is tried before its time.
    hook.answers = [(500, {}), (503, {}), (404, {})]
    said = trail.raise_alert(1, code=1)
    check("is not told to ops: it answers 500" in said and "/first" not in said, f"said: {said}")
    for attempts in (1, 2):
        trail.come()
        trail.run("alert", "deliver", code=1)
        check(trail.sql("select attempts from vestige_delivery") == [str(attempts + 1)], "attempts")
    before = len(hook.seen)
    trail.run("alert", "deliver")
    check(len(hook.seen) == before == 3, "tried before its time")
    trail.come()
    trail.run("alert", "deliver")
    trail.come()
    trail.run("alert", "deliver")
    check(hook.took == trail.ids() and len({one[1:] for one in hook.seen}) == 1 and len(hook.seen) == 4, f"told: {hook.seen}")
    # One that asks for patience; of a target that failed nothing else is tried in that round.
    hook.answers = [(429, {"Retry-After": "7200"})]
    start = time.time()
    trail.run("exec", "--actor", "ann", "insert into p values (2, 500), (3, 500)")
    trail.run("watch", "--once", code=1)
    check(len(hook.seen) == 5, f"tried at one that rests: {len(hook.seen)}")
    check(max(int(one) for one in trail.sql("select next_attempt from vestige_delivery")) >= (start + 7200) * 1e6, "Retry-After")
    trail.come()
    trail.run("alert", "deliver")
    check(sorted(hook.took) == trail.ids() and len(hook.took) == 3, f"after patience: {hook.took}")
    # Killed when it was told and has not written that down: told again, under the same id.
    trail.run("exec", "--actor", "ann", "insert into p values (4, 500)")
    watch = subprocess.Popen([VESTIGE, "watch", "--once"], env=trail.env, cwd=trail.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    hook.kills.append(watch)
    check(watch.wait(60) == -signal.SIGKILL, "was not killed")
    trail.run("alert", "deliver")
    check(len(hook.took) == 5 and len(set(hook.took)) == 4 and hook.took[3] == hook.took[4], f"killed: {hook.took}")
    # Nobody there any more: nothing else goes to that address, and everything to another.
    hook.answers = [(410, {})]
    check("it is told nothing more at this address" in trail.raise_alert(5, code=1), "gone")
    trail.raise_alert(6)
    trail.come()
    trail.run("alert", "deliver")
    check(len(hook.took) == 5 and hook.seen[-1][0] == "/first", "told where nobody is")
    trail.toml("/second")
    trail.run("alert", "deliver")
    check(sorted(set(hook.took)) == trail.ids() and hook.seen[-1][0] == "/second", f"another address: {hook.took}")
    # One that somebody took up before it was told is told to nobody.
    hook.answers = [(500, {})]
    trail.raise_alert(7, code=1)
    last = hook.seen[-1][1]
    trail.run("alert", "ack", last, "--by", "eve")
    trail.come()
    trail.run("alert", "deliver")
    check(last not in hook.took, "told what was taken up")


def main():
    for db in ("shop.db", "postgresql:///" + os.environ["PGDATABASE"]):
        with tempfile.TemporaryDirectory() as folder:
            play(Trail(db, folder))
    for one in problems:
        print(one)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
