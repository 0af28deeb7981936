#!/usr/bin/python3
"""Who may ask the console, and from where; and what it makes of requests that are none."""
import hashlib
import http.client
import os
import random
import socket
import sys
import time
from pathlib import Path

from served import Shop, check, quoted

SEED = int(os.environ.get("SEED", "20261130"))


def hosts(shop):
    console = shop.serve("--host", "Audit.Example.com")
    for host in ("evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example", "evil.example:80", "[::1].evil"):
        for path in ("/", "/api/v1/changes", "/healthz", "/login"):
            answer = console.ask(path, host=host or " ")
            check(answer.status == 403, f"asked as {host!r}: {answer}")
    for host in ("localhost", f"127.0.0.1:{console.port}", "[::1]:80", "audit.example.com", "AUDIT.example.COM:443"):
        check(console.ask("/api/v1/about", host=host).status == 200, f"asked as {host}")
    twice = console.raw(b"GET /api/v1/about HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
    check(b" 403 " in twice.split(b"\r\n")[0], "two hosts")
    check(b" 403 " in console.raw(b"GET /api/v1/about HTTP/1.1\r\n\r\n").split(b"\r\n")[0], "no host")
    origin = f"http://127.0.0.1:{console.port}"
    for headers, status in (({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"X-Vestige": "0"}, 403),
                            ({"Content-Type": "text/plain"}, 415), ({"Origin": origin}, 404)):
        answer = console.post("/alerts/0000/ack", {"note": "x"}, **headers)
        check(answer.status == status, f"a POST with {headers}: {answer}")
    for body in (b"", b"[]", b"{", b'{"note":1}', b'{"note":"x"}}', b'{"a":"\xff"}', b"{" * 5000):
        answer = console.ask("/api/v1/silences", "POST", body, {"X-Vestige": "1", "Content-Type": "application/json"})
        check(answer.status == 400, f"a body {body[:20]}: {answer}")
        said = "silence: what is meant, and why, are not both said" if body == b"" else "read what was sent: it is no object of texts"
        check(said in answer.text() or body == b'{"a":"\xff"}', f"a body {body[:20]}: {answer}")
    late = console.post("/silences", {"words": "rule:x", "until": "2001-01-01", "reason": "x"})
    check("silence: its end is not within a year from now" in late.text(), f"a silence that is over: {late}")
    check("alerts: 'odd' is no state of an alert" in console.ask("/api/v1/alerts?state=odd").text(), "no state")
    check(console.ask("/api/v1/silences", "POST", b'"' + b"x" * 300_000, {"X-Vestige": "1", "Content-Type": "application/json"}).status in (400, 413), "a large body")
    for path in ("/assets/../vestige.toml", "/assets/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/index.html", "/../etc/passwd", "/assets/", "/assets//x", "/assets/x/y",
                 "/.%00json", "/t/", "/t//", "/assets/index.html", "/%2e%2e%2f%2e%2e%2fetc/passwd", "//etc/passwd"):
        check(console.ask(path).status == 404, f"{path}: {console.ask(path)}")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        check(console.ask("/api/v1/changes", method).status == 405, method)
    check(console.ask("/api/v1/changes", "POST", b"{}", {"X-Vestige": "1", "Content-Type": "application/json"}).status == 405, "nothing is written there")
    check(console.ask("/api/v1/changes", "HEAD").body == b"", "HEAD has no body")
    console.end()


def tokens(shop):
    one = shop.serve()
    two = shop.vestige("serve", "--listen", f"127.0.0.1:{one.port}", good=False)
    check(two.returncode == 3 and "the address cannot be taken" in two.stderr, f"a second at the same address: {two}")
    one.end()
    file = shop.folder / "tokens"
    file.write_text("# who\n" + "".join(f"{hashlib.sha256(token.encode()).hexdigest()} {user}\n" for token, user in (("secret-ann", "ann"), ("secret-bob", "Bob B."))))
    file.chmod(0o600)
    console = shop.serve("--auth", "token", "--tokens", str(file))
    check("the console wants a token" in console.ask("/api/v1/about").text() and console.ask("/api/v1/about").status == 401 and console.ask("/api/v1/about").headers["WWW-Authenticate"] == "Bearer", "no token")
    check(console.ask("/").status == 303 and console.ask("/").headers["Location"] == "/login", "the page leads to the login")
    check(console.ask("/tx/1?a=b").headers["Location"] == "/login?next=%2Ftx%2F1%3Fa%3Db", "and says where to go then")
    check(console.ask("/login").headers["Referrer-Policy"] == "same-origin", "so that a browser says where the form is from")
    check(console.ask("/metrics").status in (303, 401), "metrics are not for everybody")
    for token in ("secret-anx", "", "secret-ann,", "x" * 1000, file.read_text().split()[2]):
        check(console.ask("/api/v1/about", headers={"Authorization": "Bearer " + token}).status == 401, f"the token {token[:20]!r}")
        check(console.ask("/api/v1/about", headers={"Cookie": "vestige=" + token}).status == 401, f"the cookie {token[:20]!r}")
    check(console.get("/about", headers={"Authorization": "Bearer secret-bob"})["user"] == "Bob B.", "a token has a user")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    check(console.ask("/login", "POST", b"token=wrong", form).status == 401, "a wrong token")
    parts = b'--x\r\nContent-Disposition: form-data; name="token"\r\n\r\nwrong\r\n--x--\r\n'
    check("one length and one part" in console.ask("/login", "POST", parts, {"Content-Type": "multipart/form-data; boundary=x"}).text(), "a form of parts")
    check(console.ask("/login", "POST", b"token=secret-ann", form | {"Origin": "http://evil.example"}).status == 403, "a login from elsewhere")
    good = console.ask("/login", "POST", b"token=secret%2Dann", form)
    cookie = good.headers["Set-Cookie"]
    for place, then in (("/tx/1?a=b", "/tx/1?a=b"), ("//evil.example", "/"), ("/\\evil.example", "/"), ("https://evil.example", "/"), ("/a\r\nX: y", "/"), ("", "/")):
        form_of = f"token=secret-ann&next={quoted(place)}".encode()
        check(console.ask("/login", "POST", form_of, form).headers["Location"] == then, f"after signing in, from {place!r}")
        check(f'value="{then}"' in console.ask("/login?next=" + quoted(place)).text(), f"the page, from {place!r}")
    check(good.status == 303 and "HttpOnly" in cookie and "SameSite=Strict" in cookie, f"a login: {cookie}")
    check(console.get("/about", headers={"Cookie": "a=b; " + cookie.split(";")[0]})["user"] == "ann", "a cookie has a user")
    check(b"secret" not in console.ask("/login").body and "form-action 'self'" in console.ask("/login").headers["Content-Security-Policy"], "the page for it")
    check("Secure" in console.ask("/login", "POST", b"token=secret-ann", form, host="127.0.0.1.").headers.get("Set-Cookie", "Secure"), "elsewhere it is for TLS only")
    console.end()
    for text, said in (("zz ann\n", "is no hash and user"), ("", ": there are none"), (f"{'0' * 64} \n", "is no hash and user")):
        file.write_text(text)
        refused = shop.vestige("serve", "--listen", "127.0.0.1:0", "--auth", "token", "--tokens", str(file), good=False)
        check(refused.returncode != 0 and said in refused.stderr, f"tokens {text!r}: {refused.stderr}")
    file.chmod(0o666)
    check(": others may write to it" in shop.vestige("serve", "--auth", "token", "--tokens", str(file), good=False).stderr, "a file of everybody's")
    check("read the tokens nothere: no such file" in shop.vestige("serve", "--auth", "token", "--tokens", "nothere", good=False).stderr, "no file")


def proxies(shop):
    console = shop.serve("--auth", "header", "--proxy", "127.0.0.0/8")
    check(console.ask("/api/v1/about").status == 401, "a proxy that says nothing")
    check(console.get("/about", headers={"X-Forwarded-User": "ann"})["user"] == "ann", "a proxy that says who it is")
    for user in ("", "a\tb", "x" * 300, "\xff"):
        check(console.ask("/api/v1/about", headers={"X-Forwarded-User": user}).status == 401, f"a user {user[:9]!r}")
    two = b"GET /api/v1/about HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-User: ann\r\nX-Forwarded-User: root\r\n\r\n"
    check(b" 401 " in console.raw(two).split(b"\r\n")[0], "two users")
    console.end()
    console = shop.serve("--auth", "header", "--proxy", "10.0.0.0/8", "--proxy", "::1", "--user-header", "Remote-User")
    answer = console.ask("/api/v1/about", headers={"Remote-User": "ann", "X-Forwarded-For": "10.0.0.1"})
    check(answer.status == 401 and "the console is asked past its proxy" in answer.json()["detail"], "past the proxy")
    console.end()
    for words, said in ((("--listen", "0.0.0.0:0"), "others than this machine could ask there"), (("--auth", "header"), "serve: --auth header and --proxy go together"),
                        (("--auth", "token"), "serve: --auth token and --tokens go together"),
                        (("--auth", "header", "--proxy", "10.0.0.0/33"), "read the network '10.0.0.0/33': no addresses"), (("--auth", "header", "--proxy", "nginx"), "': no addresses"),
                        (("--listen", "nowhere"), "not an address and a port")):
        refused = shop.vestige("serve", *words, good=False)
        check(refused.returncode != 0 and said in refused.stderr, f"{words}: {refused.stderr}")


def malformed(shop):
    """Bytes that are no request, too large, too slow, too many: the server answers the next one."""
    console = shop.serve()
    get = b"GET /api/v1/about HTTP/1.1\r\nHost: localhost\r\n"
    for bytes in (b"", b"\r\n", b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", get + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
                  get + b"X: y\r\n" * 100_000 + b"\r\n", get + b"Range: bytes=" + b"0-," * 2000 + b"0-\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", get + b"Content-Length: -1\r\n\r\n",
                  b"POST /api/v1/silences HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
                  b"GET /api/v1/changes?q=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /" + b"a/" * 200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
                  b"GET /?" + b"a&" * 200 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /api/v1/\n\n HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        try:
            answer = console.raw(bytes)
            check(b" 200 " not in answer.split(b"\r\n")[0] or b"Range" in bytes, f"{bytes[:60]}: {answer[:100]}")
        except OSError:
            pass
    post = b"POST /login HTTP/1.1\r\nHost: localhost\r\n"
    for headers in (b"Content-Length: 7\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 7", b"Content-Length: 7\r\nContent-Length: 3", b"Content-Length: 7\r\ncontent-length: 7",
                    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 7"):
        for line in (post, get):
            answer = console.raw(line + headers + b"\r\n\r\ntoken=x")
            check(b" 400 " in answer.split(b"\r\n")[0], f"{line} {headers}: {answer[:100]}")
    for path, said in (("/%zz", "read the address: a % without two digits of hex"), ("/api/v1/changes/x", ": not a number that it can be"), ("/" + "a/" * 99, "read the address: more than 64 words"),
                       ("/api/v1/changes?q=" + "x" * 5000, "q: longer than 4096 bytes"), ("/api/v1/events?after=x", "events: no index of the feed"),
                       ("/api/v1/tables/products/rows/1/diff", "diff: from is missing"), ("/api/v1/tables/products/rows?after=x", "after: not where a page ended"),
                       ("/api/v1/events?after=999", " is the last index of the feed, and 999 was known"), ("/api/v1/changes?q=%zz", "read the address: a % without two digits of hex")):
        answer = console.ask(path)
        check(said in answer.text() or path == "/%zz" and answer.status == 404, f"{path}: {answer}")
    check(b"read the address: it is no path" in console.raw(b"GET x HTTP/1.1\r\nHost: localhost\r\n\r\n"), "no path")
    standing = [socket.create_connection(("127.0.0.1", console.port)) for _ in range(150)]  # they say nothing
    while console.ask("/healthz").status != 200:  # the first are told to come again; those who say nothing are soon gone
        time.sleep(0.2)
    for one in standing:
        one.close()
    rng = random.Random(SEED)
    api = console.get("/openapi.json")
    paths = [path for path in api["paths"] if not path.endswith("/events")]
    odd = ["", "0", "-1", "1", "products", "99999999999999999999", "null", "x'00ff'", "'a''b'", "id=1", "rowid=1", "a,b,c", "%00", "\0", "\x1b[31m", "‮", "<script>", "../..", "é", "\udcff", "1e999", "last~3",
           "tx:1", "now", "2026-13-01", "who:", "old.price>", "-" * 50, "(" * 50, "table:products " * 40, "a" * 3000, '"', "mark:x", "~", "{}", "%", "_", ";drop table products"]

    def any_word():
        word = rng.choice(odd)
        return "".join(quoted(c) if c != "\udcff" else "%FF" for c in word)

    statuses = {}
    for _ in range(600):
        path = rng.choice(paths)
        parameters = [one["name"] for one in next(iter(api["paths"][path].values()))["parameters"] if one["in"] == "query"]
        while "{" in path:
            before, _, rest = path.partition("{")
            path = before + any_word() + rest.partition("}")[2]
        query = "&".join(f"{rng.choice(parameters + ['limit', 'after'])}={any_word()}" for _ in range(rng.randrange(4)))
        tail = rng.choice(["", "", ".csv", ".ndjson"])
        try:
            answer = console.ask(path + tail + ("?" + query if query else ""))
        except (OSError, http.client.HTTPException) as error:
            check(False, f"seed {SEED}: {path}{tail}?{query}: {error}")
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        check(answer.status in (200, 308, 400, 403, 404, 405, 409, 414, 503), f"seed {SEED}: {path}{tail}?{query}: {answer}")
        if answer.status >= 400:
            check(answer.headers["Content-Type"] == "application/problem+json" and answer.json()["status"] == answer.status, f"seed {SEED}: {path}?{query}: {answer}")
    check(console.process.poll() is None and console.ask("/healthz").status == 200, "it stands")
    print("console: fuzzed, by status:", dict(sorted(statuses.items())))
    console.end()


def slow(shop):
    """Many who do not read what they asked for: the next one is told, and the server grows no larger."""
    for n in range(80):
        shop.sql(f"insert into products values ({n + 100}, {large(shop)}, 1)")
    console = shop.serve()
    size = resident(console)
    standing = []
    for _ in range(24):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", console.port))
        one.sendall(b"GET /api/v1/changes.ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n")
        check(one.recv(12) == b"HTTP/1.1 200", "it begins")
        standing.append(one)
    refused = console.ask("/api/v1/changes")
    check(refused.status == 503 and "the console has 24 questions under way" in refused.text(), f"one too many: {refused}")
    # Under a sanitizer what was given back is kept.
    check(sanitized() or resident(console) - size < 200 << 10, f"{resident(console)} kB resident, {size} before")
    for one in standing:
        one.close()
    check(console.ask("/api/v1/changes?limit=1").status == 200, "and when they are gone it answers")
    print(f"console: 24 who do not read cost {(resident(console) - size) // 1024} MB")
    console.end()


def sanitized():
    return b"__asan_init" in Path(os.environ["VESTIGE"]).read_bytes()


def large(shop):
    return "repeat('x', 200000)" if shop.postgres else "replace(hex(zeroblob(100000)), '00', 'xx')"


def resident(console):
    with open(f"/proc/{console.process.pid}/status") as file:
        return [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]


def main():
    shop = Shop("--postgres" in sys.argv)
    shop.sql("create table products (id integer primary key, name text, price integer); insert into products values (1, 'Teapot', 1)")
    shop.vestige("init")
    shop.vestige("track", "products")
    shop.exec("ann", "update products set price = 2")
    hosts(shop)
    tokens(shop)
    proxies(shop)
    malformed(shop)
    slow(shop)
    shop.remove()
    print("console: it answers those who may ask")


main()
