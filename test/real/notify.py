#!/usr/bin/python3
"""`vestige notify`, with real receivers on this machine: what they get, and what becomes of those that do not behave.

    notify.py      beside a PostgreSQL server of its own (test/scripts/notify.sh)
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

VESTIGE = os.environ["VESTIGE"]
OLD, NEW = b"old secret", base64.b64encode(b"new secret bytes").decode()
problems = []


def check(holds, text):
    if not holds:
        problems.append(text)


class Receiver:
    """Takes connections on a port of its own, and does with each what it was made for."""

    def __init__(self, work, context=None):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.work, self.context, self.got = work, context, []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.work(self, connection)
        except OSError:
            pass
        connection.close()


def http(answer):
    """A receiver of webhooks that reads a whole request, and answers so."""
    def work(receiver, connection):
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(65536)
        head, body = text.split(b"\r\n\r\n", 1)
        headers = {line.split(b":", 1)[0].decode().lower(): line.split(b":", 1)[1].strip().decode() for line in head.split(b"\r\n")[1:]}
        while len(body) < int(headers["content-length"]):
            body += connection.recv(65536)
        receiver.got.append((headers, body))
        connection.sendall(answer)
    return work


def endless_headers(receiver, connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x: y\r\n" * 1000)


def endless_body(receiver, connection):
    receiver.got.append(connection.recv(65536))
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


def silent(receiver, connection):
    while connection.recv(65536):
        pass


def closes(receiver, connection):
    connection.recv(1)


def resets(receiver, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.recv(1)


def syslog(receiver, connection):
    text = b""
    while piece := connection.recv(65536):
        text += piece
    receiver.got.append(text)


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    return context


def notify(folder, toml, *names, db="shop.db", **env):
    pathlib.Path(folder, "vestige.toml").write_text(toml, encoding="utf-8")
    done = subprocess.run([VESTIGE, "notify", *names], text=True, capture_output=True, check=False, cwd=folder,
                          env={**os.environ, "VESTIGE_DB": db, **env})
    return done.returncode, done.stdout + done.stderr


def signed(secret, headers, body):
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(secret, message, hashlib.sha256).digest()).decode()


def check_webhook(folder):
    good = Receiver(http(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"))
    path = pathlib.Path(folder, "hook.secret")
    path.write_text(f"whsec_{NEW}\n", encoding="utf-8")
    path.chmod(0o600)
    toml = f'[notify.ops]\nwebhook = "http://127.0.0.1:{good.port}/hook"\nsecret = ["env:OLD_SECRET", "file:hook.secret"]\n'
    code, said = notify(folder, toml, OLD_SECRET=OLD.decode())
    check(code == 0 and said == "ops: told\n", f"webhook: {code} {said}")
    headers, body = good.got[0]
    check(headers["webhook-signature"].split() == [signed(OLD, headers, body), signed(base64.b64decode(NEW), headers, body)], f"signatures: {headers}")
    event = json.loads(body)
    check(event["type"] == "vestige.alert" and event["data"]["id"] == headers["webhook-id"] and event["data"]["test"], f"body: {body}")
    code, said = notify(folder, toml)
    check(code == 3 and "$OLD_SECRET, which has its secret, is not set" in said, f"no secret: {code} {said}")
    path.write_text("whsec_!", encoding="utf-8")
    code, said = notify(folder, toml, OLD_SECRET="x")
    check(code == 3 and "what follows whsec_ in the secret is not base64" in said and "whsec_!" not in said, f"no base64: {said}")
    path.write_text("", encoding="utf-8")
    check("the secret is empty" in notify(folder, toml, OLD_SECRET="x")[1], "an empty secret")
    path.chmod(0o644)
    check(notify(folder, toml, OLD_SECRET="x")[0] == 3, "a secret that others may read")
    answers = [(b"HTTP/1.1 500 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", "it answers 500"),
               (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "it answers 410"),
               (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "it answers 302")]
    for answer, why in answers:
        one = Receiver(http(answer))
        code, said = notify(folder, f'[notify.ops]\nwebhook = "http://127.0.0.1:{one.port}/secret-path"\n')
        check(code == 1 and said == f"ops: not told: {why}\n" and len(one.got) == 1, f"{answer}: {code} {said}")
        check("webhook-signature" not in one.got[0][0], "a signature without a secret")


def check_bad_receivers(folder):
    taken = socket.create_server(("127.0.0.1", 0))
    free = taken.getsockname()[1]
    taken.close()
    body = Receiver(endless_body)
    names = {"silent": Receiver(silent).port, "headers": Receiver(endless_headers).port, "closes": Receiver(closes).port, "body": body.port, "nobody": free}
    said = {}

    def ask(name, port):
        own = pathlib.Path(folder, name)
        own.mkdir()
        said[name] = notify(own, f'[notify.x]\nwebhook = "http://127.0.0.1:{port}/secret-path"\n', db=str(pathlib.Path(folder, "shop.db")))

    threads = [threading.Thread(target=ask, args=one) for one in names.items()]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    check(said.pop("body")[0] == 0 and len(body.got) == 1, "an answer that never ends was an answer")
    for name, (code, text) in said.items():
        check(code == 1 and text.startswith("x: not told: no answer") and "secret-path" not in text, f"{name}: {code} {text}")


def check_tls(folder):
    right, wrong = certificate(folder, "127.0.0.1"), certificate(folder, "other.example.com")
    both = pathlib.Path(folder, "authorities.pem")
    both.write_text(pathlib.Path(folder, "127.0.0.1.pem").read_text() + pathlib.Path(folder, "other.example.com.pem").read_text())
    answer = http(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    for kind, work, address in (("webhook", answer, "https://127.0.0.1:{}/x"), ("syslog", syslog, "tls://127.0.0.1:{}")):
        good, bad = Receiver(work, right), Receiver(work, wrong)
        toml = f'[notify.x]\n{kind} = "{address}"\n'
        code, said = notify(folder, toml.format(good.port), SSL_CERT_FILE=str(both))
        check(code == 0, f"{kind}: TLS: {said}")
        check(notify(folder, toml.format(good.port))[0] == 1, f"{kind}: an authority that nobody knows")
        check(notify(folder, toml.format(bad.port), SSL_CERT_FILE=str(both))[0] == 1 and not bad.got, f"{kind}: another's certificate")
        check(len(good.got) == 1, f"{kind}: {len(good.got)} came")
    said = notify(folder, f'[notify.x]\nsyslog = "tls://127.0.0.1:{Receiver(syslog, wrong).port}"\n', SSL_CERT_FILE=str(both))[1]
    check(": its certificate does not hold (" in said, f"syslog: {said}")
    said = notify(folder, f'[notify.x]\nsyslog = "tls://127.0.0.1:{Receiver(closes).port}"\n')[1]
    check(": TLS failed" in said, f"syslog: {said}")


def check_syslog(folder):
    good = Receiver(syslog)
    toml = '[notify.s]\nsyslog = "tcp://127.0.0.1:{}"\n'
    check(notify(folder, toml.format(good.port))[0] == 0, "syslog")
    length, frame = good.got[0].split(b" ", 1)
    check(int(length) == len(frame), f"syslog: {length} of {len(frame)}")
    match = re.fullmatch(rb"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} vestige - alert - \xef\xbb\xbf(\{.*\})", frame)
    check(match and json.loads(match[1])["test"], f"syslog: {frame}")
    check(notify(folder, toml.format(Receiver(resets).port))[0] == 1, "syslog: a connection that is reset")
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    taken.close()
    check("nobody takes the connection" in notify(folder, toml.format(port))[1], "syslog: nobody there")


def check_exec(folder):
    def script(name, text):
        path = pathlib.Path(folder, name)
        path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
        path.chmod(0o755)
        return path

    took = script("took", 'cat > took.json; env > took.env; printf "%s" "$1" > took.word\n')
    code, said = notify(folder, f'[notify.p]\nexec = ["{took}", "$(id) ; x"]\n', PGPASSWORD="hidden")
    check(code == 0, f"exec: {said}")
    check(json.loads(pathlib.Path(folder, "took.json").read_text())["test"], "exec: stdin")
    check(pathlib.Path(folder, "took.word").read_text() == "$(id) ; x", "exec: a shell saw it")
    check("hidden" not in pathlib.Path(folder, "took.env").read_text(), "exec: the environment went along")
    for name, text, why in (("three", "exit 3\n", "it ends with 3"), ("killed", "kill -9 $$\n", "it ends by signal 9"),
                            ("stays", "sleep 1000 & sleep 1000\n", "it is not done after 10 s")):
        code, said = notify(folder, f'[notify.p]\nexec = "{script(name, text)}"\n')
        check(code == 1 and why in said, f"exec {name}: {said}")
    check("cannot be started" in notify(folder, '[notify.p]\nexec = "/nowhere/x"\n')[1], "exec: no such program")


def check_channel(folder):
    listener = subprocess.Popen(["psql", "-qXAt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    listener.stdin.write('listen "My Channel";\nselect \'ready\';\n')
    listener.stdin.flush()
    check(listener.stdout.readline() == "ready\n", "psql")
    toml = '[notify.c]\nchannel = "My Channel"\n'
    code, said = notify(folder, toml, db="postgresql:///" + os.environ["PGDATABASE"])
    check(code == 0, f"channel: {said}")
    heard = listener.communicate("select 1;\n")[0]
    check('"My Channel"' in heard and '"test":true' in heard, f"channel: {heard}")
    check("which is PostgreSQL's" in notify(folder, toml)[1], "channel: of SQLite")


def main():
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "shop.db").touch()
        subprocess.run([VESTIGE, "--db", str(pathlib.Path(folder, "shop.db")), "init"], check=True, capture_output=True)
        for one in (check_webhook, check_bad_receivers, check_tls, check_syslog, check_exec, check_channel):
            one(folder)
    for one in problems:
        print(one)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
