"""What the tests of the console have in common: a server on a free port, questions to it, and shops on both databases."""
import atexit
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.parse

VESTIGE = os.environ["VESTIGE"]


def check(condition, what):
    if not condition:
        raise SystemExit(f"console: {what}")


def quoted(text):
    return urllib.parse.quote(text, safe="")


class Answer:
    def __init__(self, answer, body):
        self.status = answer.status
        self.headers = answer.headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode()

    def __repr__(self):
        return f"{self.status} {self.body[:600]!r}"


class Console:
    """`vestige serve` on a free port."""

    def __init__(self, db, *options, folder=None, env=None, port=0):
        self.process = subprocess.Popen(
            [VESTIGE, "serve", "--listen", f"127.0.0.1:{port}", *options], stderr=subprocess.PIPE, text=True, cwd=folder or tempfile.gettempdir(),
            env=os.environ | {"VESTIGE_DB": db, "TZ": "UTC"} | (env or {}))
        atexit.register(self.process.kill)
        line = self.process.stderr.readline()
        found = re.fullmatch(r"the console is at http://127\.0\.0\.1:(\d+)/\n", line)
        check(found, f"it said {line!r}")
        self.port = int(found[1])

    def ask(self, path, method="GET", body=None, headers=None, host=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.putrequest(method, path, skip_host=True)
        connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = Answer(answer, answer.read())
        connection.close()
        return found

    def get(self, path, **more):
        """The JSON of an answer that is one."""
        answer = self.ask("/api/v1" + path, **more)
        check(answer.status == 200, f"{path}: {answer}")
        return answer.json()

    def post(self, path, body, **headers):
        return self.ask("/api/v1" + path, "POST", json.dumps(body).encode(),
                        {"X-Vestige": "1", "Content-Type": "application/json"} | headers)

    def raw(self, request):
        """What comes back for bytes that are sent as they are."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while some := connection.recv(65536):
                answer += some
        return answer

    def events(self, query="", after=None):
        """The events of a tail, as (id, name, data), until it is closed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/api/v1/events" + query, headers={} if after is None else {"Last-Event-ID": str(after)})
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"console: events: {answer.status} {answer.read()[:300]}")
        fields = {}
        try:
            for line in answer:
                line = line.decode().rstrip("\n")
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    yield int(fields.get("id", -1)), fields["event"], json.loads(fields["data"])
                    fields = {}
        except (ConnectionError, http.client.HTTPException):
            return
        finally:
            connection.close()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(60)
        check(code == (0 if how != signal.SIGKILL else -9), f"it ended with {code}: {self.process.stderr.read()}")


class Shop:
    """A database with a trail, and who may do what to it."""

    def __init__(self, postgres, name="serve"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vestige-serve-"))
        self.postgres = postgres
        if postgres:
            self.sql(f"drop database if exists {name}", database="postgres")
            self.sql(f"create database {name}", database="postgres")
            self.database = name
            self.url = f"postgresql:///{name}"
        else:
            self.url = str(self.folder / "shop.db")

    def sql(self, text, database=None):
        if self.postgres:
            command = ["psql", "-qXAt", "-v", "ON_ERROR_STOP=1", "-d", database or self.database, "-f", "-"]
        else:
            command = ["sqlite3", "-bail", self.url]
        done = subprocess.run(command, input=text, capture_output=True, text=True)
        check(done.returncode == 0, f"{text[:200]}: {done.stderr}")
        return done.stdout

    def vestige(self, *words, good=True, **more):
        done = subprocess.run([VESTIGE, *words], capture_output=True, text=True, cwd=self.folder,
                              env=os.environ | {"VESTIGE_DB": self.url, "TZ": "UTC"}, **more)
        check(not good or done.returncode == 0, f"{words}: {done.stderr}")
        return done.stdout if good else done

    def exec(self, actor, sql, reason="because"):
        return self.vestige("exec", "--actor", actor, "--reason", reason, sql)

    def lines(self, *words):
        return [json.loads(line) for line in self.vestige(*words, "--format", "json").splitlines()]

    def serve(self, *options, **more):
        return Console(self.url, *options, folder=self.folder, **more)

    def remove(self):
        shutil.rmtree(self.folder)
