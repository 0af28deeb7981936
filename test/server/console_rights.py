#!/usr/bin/python3
"""Rights come from the database, reads are recorded before they are answered, and what is hostile is a text like any other."""
import hashlib
import json
import sys

from served import Shop, check, quoted

HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'; drop table products; --", "=cmd|' /C calc'!A0", "\u202eexe.txt", "\r\nSet-Cookie: a=b", "{\"$blob\":\"00\"}",
           "\\u0000", "é ünï 漢字 \U0001f600", "x" * 100_000, "data: x\n\nevent: change\nid: 99", "null", "", " ", "%00%0a", "../../etc/passwd", "\x01\x1b[2J"]


def tokens(shop, *users):
    file = shop.folder / "tokens"
    file.write_text("".join(f"{hashlib.sha256(user.encode()).hexdigest()} {user}\n" for user in users))
    file.chmod(0o600)
    return "--auth", "token", "--tokens", str(file)


def bearer(user):
    return {"Authorization": "Bearer " + user}


def roles(shop):
    """PostgreSQL: a reader, one who reads the table too, one who may nothing."""
    for role in ("serve_reader", "serve_table", "serve_none"):
        if not shop.sql(f"select 1 from pg_roles where rolname = '{role}'").strip():
            shop.sql(f"create role {role}")
    shop.sql("grant vestige_reader to serve_reader, serve_table; grant select on products to serve_table")
    (shop.folder / "vestige.toml").write_text('[console.users]\nann = "serve_reader"\nbob = "serve_table"\neve = "serve_none"\nmallory = "serve_nobody"\n')
    console = shop.serve(*tokens(shop, "ann", "bob", "eve", "mallory", "stranger"))
    read = ["/changes", "/changes/1", "/changes/1/receipt", "/tx/1", "/tables", "/tables/products/rows/1/history", "/facets", "/complete?q=who:", "/verify", "/events", "/alerts", "/holds", "/reviews", "/changes.csv",
            "/changes.ndjson", "/status", "/retention"]
    table = ["/tables/products/rows", "/tables/products/rows.csv", "/tables/products/rows/1", "/tables/products/rows/1/blame", "/tables/products/rows/1/field/price", "/tx/1/revert"]
    for path in read + table:
        for user, status in (("eve", 403), ("mallory", None), ("stranger", 403)):
            answer = console.ask("/api/v1" + path, headers=bearer(user))
            check(answer.status == status or status is None and answer.status in (400, 403, 404), f"{user} {path}: {answer}")
            for word in ("Teapot", "ann", "price", "summer"):
                check(word not in answer.text().replace(path, "").replace("changes/1", ""), f"{user} {path} is told of {word}: {answer}")
        if path != "/events":
            bob = console.ask("/api/v1" + path, headers=bearer("bob"))
            check(bob.status == 200 or path.endswith("receipt") and bob.status == 404, f"bob {path}: {bob}")
            ann = console.ask("/api/v1" + path, headers=bearer("ann"))
            check(ann.status == (403 if path in table else bob.status), f"ann {path}: {ann}")
            if ann.status == 403:
                check("Teapot" not in ann.text() and "serve_reader" in ann.text(), f"ann is told what she may not: {ann}")
    for user, status in (("eve", 403), ("stranger", 403), ("ann", 200), ("bob", 200)):
        answer = console.post("/verify", {}, **bearer(user))
        check(answer.status == status and (status == 403 or answer.body), f"{user} verifies: {answer}")
    check(console.get("/about", headers=bearer("bob"))["role"] == "serve_table", "about says whose rights they are")
    for user in ("ann", "bob", "eve", "mallory", "stranger"):
        for path, body in (("/alerts/00/ack", {"note": "x"}), ("/silences", {"words": "rule:x", "until": "2099-01-01", "reason": "x"}), ("/silences", {"words": "rule:x", "until": "1d", "reason": "x"})):
            answer = console.ask("/api/v1" + path, "POST", json.dumps(body).encode(), bearer(user) | {"X-Vestige": "1", "Content-Type": "application/json"})
            check(answer.status in (400, 403, 404), f"{user} writes {path}: {answer}")
    console.end()
    (shop.folder / "vestige.toml").unlink()


def users_without_roles(shop):
    (shop.folder / "vestige.toml").write_text('[console.users]\nann = "anything"\n')
    console = shop.serve(*tokens(shop, "ann", "eve"))
    check(console.ask("/api/v1/changes", headers=bearer("ann")).status == 200, "who is named may read")
    check("eve has no role here" in console.ask("/api/v1/changes", headers=bearer("eve")).text(), "who is not may not")
    console.end()
    for text, said in (('[console.users]\nann = ""\n', "the role of 'ann' is empty"), ('[console.users]\nann = "None"\n', "is 'none', which no role can be called"), ("[console]\nuser = 1\n", "user")):
        (shop.folder / "vestige.toml").write_text(text)
        refused = shop.vestige("serve", "--listen", "127.0.0.1:0", good=False)
        check(refused.returncode != 0 and said in refused.stderr, f"{text}: {refused.stderr}")
    (shop.folder / "vestige.toml").unlink()


def recorded(shop):
    shop.vestige("access", "--record", "on", "--by", "dpo", "--reason", "policy")
    console = shop.serve(*tokens(shop, "ann"))
    check(console.get("/about", headers=bearer("ann"))["record"] is True, "about says that reads are recorded")
    ask = "/changes?q=" + quoted("who:ann value:Teapot") + "&limit=7"
    console.get(ask, headers=bearer("ann"))
    console.ask("/api/v1/changes.ndjson", headers=bearer("ann"))
    console.ask("/api/v1/tables/products/rows/secret%20name/history", headers=bearer("ann"))
    for path in ("/tables/secret/rows/1/history", "/tables/products/rows/1/blame?column=secret", "/tables/products/rows?after=secret", "/tables/products/rows/1?at=secret", "/reports/secret",
                 "/reports/retention?period=secret&since=secret&subject=secret", "/alerts/secret", "/alerts?state=secret&rule=secret", "/changes/secret", "/tx/secret", "/changes?limit=secret"):
        console.ask("/api/v1" + path, headers=bearer("ann"))
    console.ask("/api/v1/tables/products/rows/1/field/price?after=1", headers=bearer("ann"))
    console.ask("/api/v1/changes", headers=bearer("nobody"))
    console.get("/about", headers=bearer("ann"))
    rows = [one for one in shop.lines("access") if one["verb"] == "serve"]
    check(len(rows) == 15 and all(one["who"] == "ann" and one["kind"] == "trail" for one in rows), f"each read is recorded, by whom: {rows}")
    texts = [one["filter"] for one in rows]
    check(any("products 1 price after=1" in text for text in texts), f"what the trail knows is: {texts}")
    check(any("GET /api/v1/changes q=" in text and "limit=7" in text for text in texts) and not any("Teapot" in text or "secret" in text for text in texts),
          f"as what, and nothing that one could take out of changes: {texts}")
    console.end()
    if not shop.postgres:
        # Where a read cannot be written down nothing is shown.
        shop.sql("create trigger no_reads before insert on vestige_access begin select raise(abort, 'no'); end")
        console = shop.serve()
        answer = console.ask("/api/v1/changes")
        check(answer.status == 403 and "nothing is shown" in answer.json()["detail"], f"not recorded, not shown: {answer}")
        console.end()
        shop.sql("drop trigger no_reads")
    shop.vestige("access", "--record", "off", "--by", "dpo", "--reason", "over")


def hostile(shop):
    shop.sql("create table \"<b>'x'\" (id integer primary key, \"a\"\"<i>\" text)")
    shop.vestige("track", "\"<b>'x'\"")
    for n, text in enumerate(HOSTILE):
        shop.sql(f"insert into \"<b>'x'\" values ({n}, {literal(shop, text)})")
    shop.exec("<script>alert('who')</script>", "update products set price = 77", "</script>\r\nX: y")
    console = shop.serve()
    log = shop.lines("log")
    check(console.get("/changes?limit=1000")["items"] == log, "as log prints it")
    check(console.ask("/api/v1/changes.ndjson").text() == shop.vestige("log", "--format", "json"), "and its lines")
    table = [one["table"] for one in console.get("/tables")["items"] if "<b>" in one["table"]][0]
    rows = console.get(f"/tables/{quoted(table)}/rows")["items"]
    check([row['a"<i>'] for row in rows] == HOSTILE, "rows are what they are")
    column = quoted('a"<i>')
    for n in range(len(HOSTILE)):
        plot = console.ask(f"/api/v1/tables/{quoted(table)}/rows/{n}/field/{column}.svg")
        check(plot.status == 200 and b"<script" not in plot.body and b"<img" not in plot.body, f"a plot of {HOSTILE[n][:20]!r}")
        check(set(plot.headers) == set(console.ask("/api/v1/tables/products/rows/1/field/price.svg").headers), "no header comes from a value")
    seen = []
    for index, name, data in console.events("?after=-1"):
        if name == "change":
            seen.append(data["id"])
        if len(seen) == len(log):
            break
    check(sorted(seen) == sorted(one["id"] for one in log), "each is one event, whatever stands in it")
    lines = console.ask(f"/api/v1/tables/{quoted(table)}/rows.csv").text()
    check("\n=cmd" not in lines and ",=cmd" not in lines and "'=cmd" in lines, "no formula in CSV")
    check(any("alert" in one["value"] for one in console.get("/facets")["facets"]["actor"]), "and facets")
    console.end()


def literal(shop, text):
    plain = "'" + text.replace("'", "''") + "'"
    if not shop.postgres:
        return f"cast(x'{text.encode().hex()}' as text)"
    return f"convert_from('\\x{text.encode().hex()}', 'UTF8')" if text else plain


def main():
    shop = Shop("--postgres" in sys.argv)
    shop.sql("create table products (id integer primary key, name text, price integer); insert into products values (1, 'Teapot', 1)")
    shop.vestige("init")
    shop.vestige("track", "products")
    shop.exec("ann", "update products set name = 'Teapot', price = 2", "summer sale")
    if shop.postgres:
        roles(shop)
    else:
        users_without_roles(shop)
    recorded(shop)
    hostile(shop)
    shop.remove()
    print("console: rights are the database's")


main()
