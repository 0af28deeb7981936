#!/usr/bin/python3
"""docs/api.md is what openapi.json says.

  api_page.py            compare
  api_page.py --rewrite  write it anew
"""
import difflib
import pathlib
import sys

from served import Shop

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/api.md"
HEAD = """# The API of the console

What `vestige serve` answers under `/api/v1`, written by `test/server/api_page.py --rewrite` from `GET /api/v1/openapi.json`, which is
made of the same table as the answers. [console.md](console.md) says who may ask; [json.md](json.md) what the objects are: a change
here is byte for byte what `vestige log --format json` prints.

- A list is `{"items":[…],"next":…}`. `next` is given back as `after`, and `null` at the end; pages go on behind a key, so that what
  comes meanwhile moves nothing. A page ends after 4 MB, too.
- A list is also there as `.csv` and `.ndjson` in the place of nothing (`/api/v1/changes.ndjson?q=who:ann`): all of it unless `limit` is
  given, sent while it is read. Where it breaks off, so does the transfer.
- In the place of `{key}` stand the values of the key's columns, in their order, percent-encoded, with commas between them.
- An error is `application/problem+json` (RFC 9457): `type` (`urn:vestige:` and `invalid`, `missing`, `denied`, `conflict`, `offline`, `corrupt`
  or `internal`), `title`, `status`, `detail`, and `hint`, which says what to do.
- A question may take 5 seconds, one whose answer is sent while it is read 60: beyond that it is broken off (503).
- A POST needs `X-Vestige: 1` and `Content-Type: application/json`.
- Names are only ever added.
"""


def page(api):
    out = [HEAD]
    for path, methods in api["paths"].items():
        for method, one in methods.items():
            out.append(f"## {method.upper()} {path}\n\n{one['summary'][0].upper()}{one['summary'][1:]}.")
            types = [f"`{name}`" for name in one["responses"]["200"]["content"]]
            out.append(("Also as `.csv` and `.ndjson`. " if one["x-vestige-list"] else "") + "Answers " + ", ".join(types) + ".\n")
            asked = [parameter for parameter in one["parameters"] if parameter["in"] == "query"]
            if asked:
                out.append("| parameter | type | |\n|---|---|---|")
                out += [f"| `{parameter['name']}` | {parameter['schema']['type']} | {parameter['description']} |" for parameter in asked]
                out.append("")
    return "\n".join(out).rstrip() + "\n"


def main():
    shop = Shop(False)
    shop.sql("create table t (id integer primary key)")
    shop.vestige("init")
    console = shop.serve()
    wanted = page(console.get("/openapi.json"))
    console.end()
    shop.remove()
    if "--rewrite" in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
        return
    found = PAGE.read_text(encoding="utf-8")
    if found != wanted:
        sys.exit("".join(difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), "docs/api.md", "openapi.json (api_page.py --rewrite)", n=1)))
    print("console: docs/api.md is what openapi.json says")


main()
