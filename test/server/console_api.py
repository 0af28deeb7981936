#!/usr/bin/python3
"""The API of the console, on SQLite and on PostgreSQL: what it answers is what the command line prints."""
import json
import re
import sys
import urllib.parse

from served import Shop, check, quoted

PAGES = 7


def build(postgres):
    shop = Shop(postgres)
    shop.sql('create table products (id integer primary key, name text, price integer);'
             'create table "Odd, Name/x" (a text, b text, note text, primary key (a, b));'
             "insert into products values (1, 'Teapot', 99900), (2, 'Cup', 1200), (3, 'Plate', 800)")
    shop.vestige("init")
    shop.vestige("track", "products", "--tags", "SOX")
    shop.vestige("track", '"Odd, Name/x"' if postgres else "Odd, Name/x")
    shop.exec("ann", "update products set price = 89900 where id = 1", "summer sale")
    shop.exec("bob", "update products set price = 94900 where id = 1; delete from products where id = 2")
    shop.exec("ann", """insert into "Odd, Name/x" values ('a,b', 'c/d?e%', '<b>&"')""")
    for n in range(20):
        shop.exec("batch", f"update products set price = {n} where id = 3")
    shop.vestige("keygen", "--origin", "audit.example.com/shop", "--out", "log.key")
    shop.vestige("seal", "--key", "log.key")
    return shop


def lists(shop, console):
    """Pages are the list, cut; CSV and NDJSON are what log prints."""
    log = shop.lines("log")
    first = console.get("/changes?count=1&limit=1000")
    check(first["items"] == log and first["count"] == len(log) and first["next"] is None, "the changes are those of log")
    seen, after = [], ""
    while True:
        page = console.get(f"/changes?limit={PAGES}{after}")
        check(len(page["items"]) <= PAGES, "a page is no longer than was asked")
        seen += page["items"]
        if page["next"] is None:
            break
        after = "&after=" + quoted(page["next"])
    check(seen == log, "the pages are the list")
    check(console.ask("/api/v1/changes.ndjson").text() == shop.vestige("log", "--format", "json"), "NDJSON is byte for byte that of log")
    check(console.ask("/api/v1/changes.csv?q=who:ann").body.decode()
          == shop.vestige("log", "-q", "who:ann", "--format", "csv").replace("\r\n", "\n").replace("\n", "\r\n"), "CSV is that of log")
    check(console.get("/changes?q=" + quoted("op:delete who:bob"))["items"] == shop.lines("log", "-q", "op:delete who:bob"), "a filter")
    for bad, status in (("limit=0", 400), ("limit=1001", 400), ("limit=x", 400), ("after=x", 400), ("q=" + quoted("nobody:x"), 400),
                        ("q=" + quoted("table:nothere"), 404), ("q=" + "x" * 5000, 400)):
        answer = console.ask("/api/v1/changes?" + bad)
        problem = answer.json()
        check(answer.status == status and problem["status"] == status and problem["detail"]
              and answer.headers["Content-Type"] == "application/problem+json", f"{bad[:40]}: {answer}")


def changes(shop, console):
    for change in shop.lines("log"):
        one = console.get(f"/changes/{change['id']}")
        check(one["change"] == change and one["alerts"] == [], "a change is that of show")
        check(one["sealed"]["checkpoint"]["origin"] == "audit.example.com/shop", f"it is sealed: {one}")
    check(one["policy"] == {"tags": ["SOX"]}, f"the policy of its table: {one}")
    receipt = console.ask("/api/v1/changes/1/receipt")
    (shop.folder / "receipt").write_bytes(receipt.body)
    check("attachment" in receipt.headers["Content-Disposition"], "a receipt is a download")
    check(console.get("/changes/1/check")["verdict"] == "sealed", "a receipt without a key proves no signature")
    tx = shop.lines("log", "--stat")[-2]
    found = console.get(f"/tx/{tx['tx']}")
    check({name: found[name] for name in tx} == tx and found["context"]["actor"] == "bob", f"a transaction: {found}")
    check(console.ask("/api/v1/changes/9999").status == 404 and console.ask("/api/v1/tx/9999").status == 404, "none is missing")
    preview = console.get(f"/tx/{tx['tx']}/revert")
    check(preview["command"] == f"vestige revert --tx {tx['tx']}" and preview["conflicts"] == 0 and preview["sql"] is None and len(preview["said"]) == 1, f"a preview: {preview}")
    rows = {(row["table"], row["op"]): row for row in preview["rows"]}
    check(rows["products", "UPDATE"]["columns"] == [{"column": "price", "now": 94900, "then": 89900, "conflict": False}]
          and "name" in [one["column"] for one in rows["products", "INSERT"]["columns"]], f"its rows: {preview}")
    first = console.get("/tx/1/revert")
    check(first["conflicts"] == 1 and first["rows"][0]["columns"][0]["conflict"] is True and "has changed since" in first["said"][0], f"a conflict: {first}")
    check(shop.lines("log") == console.get("/changes?limit=1000")["items"], "a preview changes nothing")


def rows(shop, console):
    tables = {one["table"]: one for one in console.get("/tables")["items"]}
    check(tables["products"]["key"] == ["id"] and tables["products"]["tracked"] and tables["products"]["changes"] == 23, f"tables: {tables}")
    for at in ("now", "1", "tx:2"):
        expected = shop.lines("at", "products", "--time", at) if at != "1" else shop.lines("at", "products", "--change", "1")
        seen, after = [], ""
        while True:
            page = console.get(f"/tables/products/rows?limit=1&at={at}{after}")
            seen += page["items"]
            if page["next"] is None:
                break
            after = "&after=" + quoted(page["next"])
        check(seen == expected and page["columns"] == ["id", "name", "price"] and page["key"] == ["id"], f"rows at {at}: {seen}")
    row = console.get("/tables/products/rows/1?at=1")
    check(row["row"]["price"] == 89900 and row["changed"] == ["price"] and [one["who"] for one in row["positions"]] == ["ann", "bob"], f"a row: {row}")
    gone = console.get("/tables/products/rows/2")
    check(gone["exists"] is False and gone["row"] is None and len(gone["positions"]) == 1, f"a row that is gone: {gone}")
    odd = f"/tables/{quoted('Odd, Name/x' if not shop.postgres else list(set(tables) - {'products'})[0])}/rows/{quoted('a,b')},{quoted('c/d?e%')}"
    check(console.get(odd)["row"]["note"] == '<b>&"', "a key with commas, slashes and percent signs")
    check(console.get("/tables/products/rows/1/history")["items"] == shop.lines("log", "products", "1"), "the history is that of log")
    check(console.get("/tables/products/rows/1/blame")["items"] == shop.lines("blame", "products", "1"), "blame is that of blame")
    check(console.get("/tables/products/rows/1/diff?from=1&to=2") == shop.lines("diff", "products", "1", "--from", "1", "--to", "2")[0], "diff is that of diff")
    check(console.get("/tables/products/rows/1/field/price")["items"] == shop.lines("field", "products", "1", "price"), "field is that of field")
    plot = console.ask("/api/v1/tables/products/rows/1/field/price.svg")
    check(plot.status == 200 and plot.text().startswith("<svg") and "style=" not in plot.text(), "a plot")
    for path in ("/tables/nothere/rows", "/tables/products/rows/77", "/tables/products/rows/1/field/nothere", "/nothing", "/tables/products"):
        check(console.ask("/api/v1" + path).status == 404, f"{path} is missing")
    check(console.ask("/api/v1/tables/products/rows/1/diff").status == 400, "a diff needs a moment")
    check(console.ask("/api/v1/tables/products/rows?after=x").status == 400, "after is what next was")
    gone = console.ask("/api/v1/tables/products/rows?after=" + quoted('1 {"id":-1}'))
    check(gone.status == 404 and "after: the row where a page ended is not there" in gone.text(), f"a page that ended nowhere: {gone.text()}")
    every = console.ask("/api/v1/changes.csv?limit=9223372036854775806").text()
    check(every == console.ask("/api/v1/changes.csv").text() and every.count("\n") > 20, "as many as there are")
    check(console.ask("/api/v1/changes.csv?limit=9223372036854775807").status == 400, "more than can be")
    check(console.ask("/api/v1/tables/%ff/rows").json()["detail"].__class__ is str, "an error says text, whatever the address was")


def search(shop, console):
    facets = console.get("/facets")
    check({one["value"]: one["count"] for one in facets["facets"]["actor"]} == {"batch": 20, "ann": 2, "bob": 2}, f"facets: {facets}")
    check(facets["facets"]["tag"] == [{"value": "SOX", "count": 23}] and facets["changes"] == 24 and not facets["truncated"], f"facets: {facets}")
    check(sum(sum(day["counts"].values()) for day in facets["facets"]["day"]) == 24, f"days: {facets}")
    check(console.get("/facets?q=who:ann")["changes"] == 2, "facets of a filter")
    for typed, wanted in (("ta", "table:"), ("table:pro", "table:products"), ("who:ba", "who:batch"), ("op:up", "op:update"), ("old.pr", "old.price"), ("", "table:")):
        found = [one["text"] for one in console.get("/complete?q=" + quoted(typed))["items"]]
        check(wanted in found and len(found) <= 20, f"complete {typed}: {found}")


def other(shop, console):
    about = console.get("/about")
    check(about["engine"] == ("postgresql" if shop.postgres else "sqlite") and about["user"] is None and about["record"] is False
          and about["database"] == (shop.database if shop.postgres else "shop"), f"about: {about}")
    verify = console.get("/verify")
    check(verify["checkpoint"]["size"] == 24 and verify["sealed"] == 24 and verify["unsealed"] == 0, f"verify: {verify}")
    done = console.post("/verify", {})
    events = re.findall(r"event: (\w+)\ndata: (.*)\n", done.text())
    check(events[0][0] == "progress" and events[-1][0] == "done" and json.loads(events[-1][1]) == shop.lines("verify")[-1], f"verify: {events}")
    reports = [one["name"] for one in console.get("/reports")["items"]]
    check("changes" in reports, f"reports: {reports}")
    report = console.get("/reports/changes?q=who:bob")
    section = [one for one in report["sections"] if one["name"] == "changes"][0]
    check(report["report"]["sound"] and section["count"] == len(section["rows"]) > 0, f"a report: {report}")
    page = console.ask("/api/v1/reports/changes.html")
    check("attachment" in page.headers["Content-Disposition"] and page.headers["Content-Security-Policy"].startswith("sandbox"), "a report is a download")
    (shop.folder / "report.html").write_bytes(page.body)
    check("report changes" in shop.vestige("check", "report.html", "--unsigned"), "it can be checked")
    lines = console.ask("/api/v1/reports/changes.ndjson").text().splitlines()
    check(json.loads(lines[0])["report"] == "changes", "a report as lines")
    check(console.ask("/api/v1/reports/changes.csv").text().startswith("time,change,"), f"a report as CSV: {console.ask('/api/v1/reports/changes.csv')}")
    check(console.ask("/api/v1/reports/changes.csv?section=none").status == 400 and console.ask("/api/v1/reports/none").status == 404, "there is none")
    for name in ("alerts", "holds", "reviews", "retention", "status"):
        check(isinstance(console.get("/" + name)["items"], list), name)
        for form in ("csv", "ndjson"):
            check(console.ask(f"/api/v1/{name}.{form}").status == 200, f"{name}.{form}")
    check(console.get("/status")["items"] == [json.loads(one) for one in shop.vestige("doctor", "--format", "json", good=False).stdout.splitlines()], "status is doctor")
    check(console.ask("/healthz").text() == "ok\n" and "vestige_entries 24" in console.ask("/metrics").text(), "health and metrics")


def contract(console):
    """Every route of openapi.json is there, and its pages redirect."""
    api = console.get("/openapi.json")
    words = {"id": "1", "table": "products", "key": "1", "column": "price", "name": "changes"}
    for path, methods in api["paths"].items():
        for method, one in methods.items():
            filled = re.sub(r"\{(\w+)\}", lambda found: words[found[1]], path)
            if method == "get" and not path.endswith("/events"):
                query = "?from=1" if path.endswith("/diff") else ""
                answer = console.ask(filled + query)
                check(answer.status == 200 or "/alerts/" in path and answer.status == 404, f"{filled}: {answer}")
                types = list(one["responses"]["200"]["content"])
                check(answer.status != 200 or answer.headers["Content-Type"].split(";")[0] in types, f"{filled}: {answer.headers['Content-Type']} is none of {types}")
            elif method == "post":
                check(console.ask(filled, "POST", b"{}").status == 403, f"{filled}: a POST without X-Vestige")
                check(console.ask(filled).status in (200, 405), f"GET {filled}")
    for page, target in (("/t/products.json?at=1", "/api/v1/tables/products/rows?at=1"), ("/t/products/1.csv", "/api/v1/tables/products/rows/1/history.csv"),
                         ("/c/7.json", "/api/v1/changes/7"), ("/tx/2.ndjson", "/api/v1/changes.ndjson?q=tx:2"), ("/.csv?q=who:ann", "/api/v1/changes.csv?q=who:ann"),
                         ("/alerts.json", "/api/v1/alerts"), ("/status.csv", "/api/v1/status.csv")):
        answer = console.ask(page)
        check(answer.status == 308 and answer.headers["Location"] == target, f"{page}: {answer.status} {answer.headers.get('Location')}")
    for page in ("/", "/t/products", "/t/products/1", "/c/1", "/tx/1", "/verify", "/alerts", "/alerts/x", "/reports", "/holds", "/retention", "/status"):
        answer = console.ask(page)
        check(answer.status == 200 and answer.headers["Content-Type"].startswith("text/html"), f"{page}: {answer}")
        check("default-src 'none'" in answer.headers["Content-Security-Policy"] and answer.headers["X-Content-Type-Options"] == "nosniff", "headers")
    for name in ("Content-Security-Policy", "Cache-Control", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Cross-Origin-Resource-Policy"):
        check(console.ask("/api/v1/about").headers.get_all(name) is not None and len(console.ask("/api/v1/about").headers.get_all(name)) == 1, f"{name} stands once")


def main():
    for postgres in ([True] if "--postgres" in sys.argv else [False]):
        shop = build(postgres)
        console = shop.serve()
        lists(shop, console)
        changes(shop, console)
        rows(shop, console)
        search(shop, console)
        other(shop, console)
        contract(console)
        console.end()
        shop.remove()
        print("console:", "PostgreSQL" if postgres else "SQLite", "answers as the command line prints")


main()
