"""The contract of the clients, with every driver; PostgreSQL's directly and through PgBouncer."""

from __future__ import annotations

import json
import pathlib
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import drivers_sqlalchemy
import pytest
import pytest_asyncio
from conftest import CONTRACT, VESTIGE, Shop
from contract import Run
from drivers import POSTGRES, SQLITE, Asyncpg, Driver, Psycopg, Psycopg2, PsycopgAsync

CASES = CONTRACT["cases"]


def named(value: Any) -> str:
    return value["name"] if isinstance(value, dict) else getattr(value, "__name__", str(value))


pytestmark = pytest.mark.asyncio(loop_scope="module")


class Lines:
    """Connections that stay: what one case leaves in its session, the next one finds."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.open: dict[tuple[type[Driver], bool, str], Run] = {}
        self.plain: dict[tuple[type[Driver], str], int] = {}

    async def spend(self, kind: type[Driver], plain: bool, way: str, case: dict[str, Any]) -> int:
        """Runs a case on empty tables; the round trips of its steps."""
        self.shop.run("delete from things", "delete from strict")
        assert self.shop.bouncer is not None
        proxy = self.shop.proxy if way == "direct" else self.shop.bouncer.proxy
        place = (kind, plain, way)
        if place not in self.open:
            self.open[place] = Run(kind(plain), "127.0.0.1", proxy.port)
            await self.open[place].connect()
        before = proxy.round_trips
        try:
            await self.open[place].steps(case["steps"])
        except BaseException:
            await self.open.pop(place).close()
            raise
        return proxy.round_trips - before

    async def spent_without(self, kind: type[Driver], case: dict[str, Any]) -> int:
        """What the driver itself spends."""
        place = (kind, case["name"])
        if place not in self.plain:
            self.plain[place] = await self.spend(kind, True, "direct", case)
        return self.plain[place]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lines(shop: Shop) -> AsyncIterator[Lines]:
    made = Lines(shop)
    yield made
    for one in made.open.values():
        await one.close()


# A way of using a driver that differs in the text of its statements only is not run through PgBouncer, too.
WAYS = [(kind, "direct") for kind in POSTGRES + drivers_sqlalchemy.POSTGRES]
WAYS += [(kind, "bouncer") for kind in (Psycopg, PsycopgAsync, Psycopg2, Asyncpg)]


@pytest.mark.parametrize(("kind", "way"), WAYS, ids=named)
@pytest.mark.parametrize("case", [case for case in CASES if case.get("only", "postgresql") == "postgresql"], ids=named)
async def test_postgres(lines: Lines, case: dict[str, Any], kind: type[Driver], way: str) -> None:
    if case.get("needs") == "copy" and not kind.copies:
        pytest.skip("it has no COPY")
    # Where nothing says a context, nothing of this case works.
    plain = None if "required field" in case["name"] else await lines.spent_without(kind, case)
    mark = lines.shop.mark()
    spent = await lines.spend(kind, False, way, case)
    found = [change for change in lines.shop.changes(mark) if change[1].get("actor") != "owner"]
    assert found == [tuple(change) for change in case["changes"]]
    if plain is not None and kind.counts and not (kind.ahead and '"many"' in json.dumps(case["steps"])):
        most = plain + case.get("added", 0)
        assert plain <= spent <= most, f"{plain} round trips without the client, {spent} with it"


@pytest.fixture(scope="module")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("sqlite") / "shop.db"
    database = sqlite3.connect(path)
    for statement in CONTRACT["setup"]["sqlite"]:
        database.execute(statement)
    database.close()
    for words in (["init"], ["track", "things"], ["track", "strict", "--require", "actor,reason"]):
        subprocess.run([VESTIGE, "--db", str(path), *words], check=True, capture_output=True)
    return path


def sqlite_changes(path: pathlib.Path, after: int) -> list[tuple[str, dict[str, Any]]]:
    printed = subprocess.run(
        [VESTIGE, "--db", str(path), "log", "--reverse", "--format", "json"], check=True, capture_output=True
    ).stdout.decode()
    found = []
    for line in printed.splitlines():
        change = json.loads(line)
        if change["id"] > after and change["op"] != "DELETE":
            values = change["new_values"]
            found.append((values.get("label", values.get("note")), change["context"]))
    return found


@pytest.mark.parametrize("kind", SQLITE + drivers_sqlalchemy.SQLITE, ids=named)
@pytest.mark.parametrize("case", [case for case in CASES if case.get("only", "sqlite") == "sqlite"], ids=named)
async def test_sqlite(shop_file: pathlib.Path, case: dict[str, Any], kind: type[Driver]) -> None:
    owner = sqlite3.connect(shop_file)
    owner.execute("insert into vestige_session (actor, reason) values ('cleaner', 'clean')")
    owner.execute("delete from things")
    owner.execute("delete from strict")
    owner.execute("delete from vestige_session")
    owner.commit()
    [mark] = owner.execute("select coalesce(max(id), 0) from vestige_change").fetchone()
    one = Run(kind(plain=False), str(shop_file), 0)
    await one.connect()
    await one.steps(case["steps"])
    await one.close()
    said = [
        (label, {k: json.loads(v) if k in ("n", "deep") and isinstance(v, str) else v for k, v in context.items()})
        for label, context in sqlite_changes(shop_file, mark)
    ]
    assert said == [tuple(change) for change in case["changes"]]
    assert owner.execute("select count(*) from vestige_session").fetchone() == (0,), "a context was left behind"
    owner.close()
