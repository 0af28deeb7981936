#!/usr/bin/python3
"""A witness over HTTP: every answer of add-checkpoint, what monitors see, many at once, a kill, a restart."""
import concurrent.futures
import hashlib
import http.client
import http.server
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading

SAMPLE = pathlib.Path(__file__).resolve().parents[1] / "vectors/sample"
VESTIGE = os.environ["VESTIGE"]
ORIGIN = "audit.example.com/shop"
SHOWN = "/" + hashlib.sha256(ORIGIN.encode()).hexdigest() + "/checkpoint"


def check(condition, what):
    if not condition:
        raise SystemExit(f"witness: {what}")


class Server:
    """`vestige witness serve` on a free port."""

    def __init__(self, state):
        self.process = subprocess.Popen(
            [VESTIGE, "witness", "serve", "--key", SAMPLE / "w1.key", "--state", state, "--log", SAMPLE / "log.vkey",
             "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        found = re.fullmatch(r"w1\.example\.org listens on (http://127\.0\.0\.1:(\d+)/)\n", line)
        check(found, f"it said {line!r}")
        self.url, self.port = found[1], int(found[2])

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
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
    """A witness that refuses under /no and never remembers the same size elsewhere."""
    size = 0

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        Liar.size += 1
        self.send_response(403 if self.path.startswith("/no/") else 409)
        self.end_headers()
        self.wfile.write(b"not today\n" if self.path.startswith("/no/") else b"%d\n" % Liar.size)

    def log_message(self, *_):
        pass


def text(name):
    return (SAMPLE / name).read_text()


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

            second = subprocess.run([VESTIGE, "witness", "serve", "--key", SAMPLE / "w1.key", "--state", state, "--log",
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
                for path, why in (("no/", "add-checkpoint: it refuses with 403: not today"), ("", "add-checkpoint: its size changes with every request")):
                    asked = subprocess.run([VESTIGE, "witness", "add", "--vkey", SAMPLE / "w1.vkey", SAMPLE / "checkpoint", "--tiles", SAMPLE,
                                            "--url", f"http://127.0.0.1:{liar.server_port}/{path}"], capture_output=True, text=True)
                    check(asked.returncode == 3 and why in asked.stderr, asked.stderr)
                liar.shutdown()

            # A state that was damaged is not taken for an empty one.
            shutil.copy(SAMPLE / "policy", state + SHOWN)
            check(server.add(text("request"))[0] == 500, "a damaged state")
            check("read a signed note" in server.process.stderr.readline(), "it says why on its own side")
            server.end(signal.SIGINT)
        finally:
            server.process.kill()
            server.process.wait()
    print("the witness answers as it must")


if __name__ == "__main__":
    main()
