#!/usr/bin/python3
"""A witness over HTTP: every answer of add-checkpoint, what monitors see, many at once, a kill, a restart."""
import concurrent.futures
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "vectors/sample"
KEY = tempfile.NamedTemporaryFile()  # a copy that nobody else may read
KEY.write((SAMPLE / "w1.key").read_bytes())
KEY.flush()
VESTIGE = os.environ["VESTIGE"]
ORIGIN = "audit.example.com/shop"
SHOWN = "/" + hashlib.sha256(ORIGIN.encode()).hexdigest() + "/checkpoint"


def check(condition, what):
    if not condition:
        raise SystemExit(f"witness: {what}")


class Server:
    """`vestige witness serve` on a free port."""

    def __init__(self, state, key=KEY.name, log=SAMPLE / "log.vkey", name="w1.example.org"):
        self.process = subprocess.Popen(
            [VESTIGE, "witness", "serve", "--key", key, "--state", state, "--log", log, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.fullmatch(re.escape(name) + r" listens on (http://127\.0\.0\.1:(\d+)/)\n", line)
        check(found, f"it said {line!r}")
        self.url, self.port = found[1], int(found[2])

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request(method, path, body and body.encode())
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("Content-Type")

    def add(self, body):
        return self.ask("POST", "/add-checkpoint", body)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        check(code == (0 if how != signal.SIGKILL else -9), f"it ended with {code}")


class Liar(http.server.BaseHTTPRequestHandler):
    """A witness that refuses under /no, says too much under /flood, does not come to an end under /drip, and never remembers
    the same size elsewhere."""
    size = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith(("/flood/", "/drip/")):
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"x" * 65536 if self.path.startswith("/flood/") else b"x")
                    if self.path.startswith("/drip/"):
                        threading.Event().wait(0.5)
            except OSError:
                return
        Liar.size += 1
        self.send_response(403 if self.path.startswith("/no/") else 409)
        self.end_headers()
        self.wfile.write(b"not today\n" if self.path.startswith("/no/") else b"%d\n" % Liar.size)

    def log_message(self, *_):
        pass


def rudely(server):
    """Bodies without end, and connections that never come to one."""
    def opened(head):
        one = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        one.sendall(head)
        return one

    def memory():
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1])

    before = memory()
    chunked = opened(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
    sent = 0
    try:
        while sent < 256 << 20:
            chunked.sendall(b"40000\r\n" + b"x" * 0x40000 + b"\r\n")
            sent += 0x40000
    except OSError:
        pass
    check(sent < 256 << 20 and memory() - before < 64 << 10, f"{sent} bytes of one body were taken, {memory() - before} kB kept")
    # More than there are threads; the newest is answered, the oldest are ended.
    idle = [opened(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n") for _ in range(300)]
    check(server.ask("GET", "/")[0] == 404, "idle connections keep others out")
    for one in idle:
        check(one.recv(1000) is not None, "it comes to an end by itself")
        one.close()


def text(name):
    return (SAMPLE / name).read_text()


def quorum(directory):
    """The trail's own checkpoint, cosigned by two of three witnesses, as vestige.toml demands it."""
    top = pathlib.Path(directory, "quorum")
    below = top / "below"
    below.mkdir(parents=True)

    def run(*words, code=0, where=below):
        done = subprocess.run([VESTIGE, *words], cwd=where, capture_output=True, text=True,
                              env={k: v for k, v in os.environ.items() if k != "VESTIGE_DB"})
        check(done.returncode == code, f"{words} gives {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    shop = sqlite3.connect(top / "shop.db", isolation_level=None)
    (top / "vestige.toml").write_text('database = "shop.db"\n[tables.p]\n')
    shop.execute("create table p (id integer primary key)")
    run("init")
    run("apply")
    log = run("keygen", "--origin", ORIGIN, "--out", "seal.key").split("\n")[0]
    keys = [run("witness", "keygen", "--name", f"q{i}.example.org", "--out", f"q{i}.key").split("\n")[0] for i in range(3)]
    (top / "log.vkey").write_text(log + "\n")
    servers = [Server(str(top / f"q{i}"), below / f"q{i}.key", top / "log.vkey", f"q{i}.example.org") for i in range(2)]
    # The third is down.
    places = [*(server.url for server in servers), "http://127.0.0.1:1/"]

    def demand(text):
        (top / "vestige.toml").write_text(f'database = "shop.db"\n[tables.p]\n[evidence]\n{text}')

    def witnesses(count):
        listed = ", ".join(f'"{key} {place}"' for key, place in zip(keys, places))
        demand(f'vkey = "{log}"\n[evidence.witnesses]\nquorum = {count}\nkeys = [{listed}]\n')

    try:
        demand(f'vkey = "{log}"\n')
        check("no witness is named" in run("witness", "add", code=2), "nobody to ask")
        witnesses(2)
        run("plan")
        check("nothing is sealed yet" in run("witness", "add", code=3), "nothing to cosign")
        for i in range(3):  # The second and third time the witnesses know the log already.
            shop.execute("insert into p values (?)", (i,))
            run("seal", "--key", "seal.key")
            no = run("verify", code=1)
            check("uncosigned: the trail's checkpoint of" in no and "demands 2 of 3 witnesses" in no, no)
            added = run("witness", "add")
            check(added.count("\n— q") == 2 and "q2.example.org: ask http://127.0.0.1:1/" in added, added)
            yes = run("verify")
            check("signed by a key that you trust, and cosigned by q0.example.org, q1.example.org" in yes, yes)
        check(run("witness", "add").count("\n— q") == 2, "who has cosigned is not asked again")

        witnesses(3)
        check("too few witnesses have cosigned" in run("witness", "add", code=1), "two of three are not three")
        report = [json.loads(line) for line in run("verify", "--format", "json", code=1).splitlines()]
        check(report[0]["code"] == "uncosigned" and report[0]["change"] is None, report)
        check(report[1]["witnesses"] == ["q0.example.org", "q1.example.org"], report)
        run("verify", "--vkey", log)  # Who names a key is asked for no more than that.

        # The same by a policy beside vestige.toml, and by --policy.
        (top / "witness.policy").write_text(f"log {log}\n" + "".join(
            f"witness w{i} {key} {place}\n" for i, (key, place) in enumerate(zip(keys, places))) + "group g 2 w0 w1 w2\nquorum g\n")
        demand('policy = "witness.policy"\n')
        run("verify")
        run("verify", where=top)
        shop.execute("insert into p values (4)")
        run("seal", "--key", "seal.key")
        run("verify", code=1)
        check("policy demands g" in run("verify", "--policy", "../witness.policy", code=1), "--policy")
        run("witness", "add", "--url", servers[0].url, "--vkey", keys[0])
        run("verify", code=1)
        run("witness", "add", "--url", servers[1].url, "--vkey", keys[1])
        run("verify", "--policy", "../witness.policy")
        check("no answer" in run("witness", "add", "--url", "http://127.0.0.1:1/", "--vkey", keys[2], code=3), "a witness that is down")
    finally:
        shop.close()
        for server in servers:
            server.end()


def main():
    with tempfile.TemporaryDirectory() as directory:
        state = directory + "/state"
        server = Server(state)
        try:
            check(server.ask("GET", SHOWN)[0] == 404, "nothing was cosigned, and something is shown")
            for path in ("/", "/lock", "/../lock", "/add-checkpoint", SHOWN[:-1], SHOWN + ".new", "/" + "0" * 64 + "/checkpoint"):
                check(server.ask("GET", path)[0] == 404, f"GET {path} shows something")
            check(server.ask("POST", "/else", "x")[0] == 404, "POST elsewhere")

            check(server.add("nonsense")[0] == 400, "400")
            check(server.add(text("request").replace(ORIGIN, "audit.example.com/none"))[0] == 404, "404")
            forged = text("request").replace("\n8\n", "\n9\n")
            check(server.add(forged)[0] == 403, "403")
            check(server.add("x" * (2 << 20))[0] == 413, "a body of two megabytes")
            check(server.ask("GET", SHOWN)[0] == 404, "a refusal left something behind")

            # Many at once: one of them is first, the others are told its size.
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda _: server.add(text("request")), range(64)))
            check(sorted(status for status, _, _ in answers) == [200] + [409] * 63, "many at once")
            check(all(body == "8\n" and kind == "text/x.tlog.size" for status, body, kind in answers if status == 409), "409")
            cosignature = next(body for status, body, _ in answers if status == 200)
            check(re.fullmatch(r"— w1\.example\.org [A-Za-z0-9+/]{102}==\n", cosignature), "a cosignature line")

            status, note, kind = server.ask("GET", SHOWN)
            check(status == 200 and kind == "text/plain; charset=utf-8", "the checkpoint is shown")
            check(note == text("request").split("\n\n", 1)[1] + cosignature, "what is shown is what was cosigned")

            check(server.add(text("request.fork"))[0] == 422, "422")
            check(server.ask("GET", SHOWN)[1] == note, "a refusal changed what is shown")

            second = subprocess.run([VESTIGE, "witness", "serve", "--key", KEY.name, "--state", state, "--log",
                                     SAMPLE / "log.vkey", "--listen", "127.0.0.1:0"], capture_output=True, text=True)
            check(second.returncode == 3 and "another process uses it" in second.stderr, "two on one state")

            server.end(signal.SIGKILL)
            server = Server(state)
            check(server.ask("GET", SHOWN)[1] == note, "it forgot what it cosigned")

            # The program as a client: it shows by the tiles that the log grew.
            add = [VESTIGE, "witness", "add", "--url", server.url, "--vkey", SAMPLE / "w1.vkey", SAMPLE / "checkpoint"]
            unknown = subprocess.run(add, capture_output=True, text=True)
            check(unknown.returncode == 2 and "witness add: the witness knows this log already" in unknown.stderr, "no tiles")
            added = subprocess.run([*add, "--tiles", SAMPLE], capture_output=True, text=True)
            check(added.returncode == 0, added.stderr)
            cosigned = pathlib.Path(directory, "cosigned")
            cosigned.write_text(text("checkpoint") + added.stdout)
            subprocess.run([VESTIGE, "check", SAMPLE / "trail.ndjson", cosigned, "--vkey", SAMPLE / "log.vkey",
                            "--vkey", SAMPLE / "w1.vkey"], check=True, stdout=subprocess.DEVNULL)
            older = subprocess.run([VESTIGE, "witness", "add", "--url", server.url, "--vkey", SAMPLE / "w1.vkey",
                                    SAMPLE / "checkpoint.20", "--tiles", SAMPLE], capture_output=True, text=True)
            check(older.returncode == 2 and "prove that a tree of 20 entries grew from one of 21" in older.stderr, older.stderr)

            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar) as liar:
                threading.Thread(target=liar.serve_forever, daemon=True).start()
                for path, why in (("no/", "add-checkpoint: it refuses with 403: not today"), ("flood/", "add-checkpoint: its answer is longer than 65536 bytes"),
                                  ("drip/", "add-checkpoint: no answer within 10 s"), ("", "add-checkpoint: its size changes with every request")):
                    asked = subprocess.run([VESTIGE, "witness", "add", "--vkey", SAMPLE / "w1.vkey", SAMPLE / "checkpoint", "--tiles", SAMPLE,
                                            "--url", f"http://127.0.0.1:{liar.server_port}/{path}"], capture_output=True, text=True)
                    check(asked.returncode == 3 and why in asked.stderr, asked.stderr)
                liar.shutdown()

            rudely(server)

            # A state that was damaged is not taken for an empty one.
            shutil.copy(SAMPLE / "policy", state + SHOWN)
            check(server.add(text("request"))[0] == 500, "a damaged state")
            check("read a signed note" in server.process.stderr.readline(), "it says why on its own side")
            server.end(signal.SIGINT)
        finally:
            server.process.kill()
            server.process.wait()
        quorum(directory)
    print("the witness answers as it must")


if __name__ == "__main__":
    main()
