"""What the contract cannot ask of every driver: pipelines, cursors with a name, streams, settings of an adapter."""

from __future__ import annotations

import threading
from typing import Any

import asyncpg
import psycopg
import psycopg2
import psycopg2.extras
import psycopg2.sql
import pytest
from conftest import Shop
from psycopg import sql
from psycopg.rows import dict_row

import vestige
import vestige.asyncpg
import vestige.psycopg
import vestige.psycopg2

ANN = ("a", {"actor": "ann"})
BOB = ("b", {"actor": "bob"})
NONE = ("c", {})
INSERT = "insert into things (id, label) values (%s, %s)"


@pytest.fixture
def mark(shop: Shop) -> int:
    shop.run("delete from things", "delete from strict")
    return shop.mark()


def connected(shop: Shop, kind: Any = vestige.psycopg.Connection, **named: Any) -> Any:
    made = kind.connect(host="127.0.0.1", port=shop.proxy.port, user="app", dbname="clients", sslmode="disable", **named)
    made.execute("""set vestige.context = '{"actor": "stranger"}'""")
    made.commit()
    return made


def connected2(shop: Shop) -> Any:
    made = vestige.psycopg2.connect(host="127.0.0.1", port=shop.proxy.port, user="app", dbname="clients", sslmode="disable")
    made.cursor().execute("""set vestige.context = '{"actor": "stranger"}'""")
    made.commit()
    return made


async def connected_async(shop: Shop, **named: Any) -> Any:
    made = await vestige.asyncpg.connect(host="127.0.0.1", port=shop.proxy.port, user="app", database="clients", ssl=False, **named)
    await made.execute("""set vestige.context = '{"actor": "stranger"}'""")
    return made


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_pipeline_says_each_context(shop: Shop, mark: int, autocommit: bool) -> None:
    spent = []
    for kind in (psycopg.Connection, vestige.psycopg.Connection):
        shop.run("delete from things")
        mark = shop.mark()
        with connected(shop, kind, autocommit=autocommit) as connection:
            before = shop.proxy.round_trips
            with connection.pipeline():
                with vestige.context(actor="ann"):
                    connection.execute(INSERT, (1, "a"))
                with vestige.context(actor="bob"):
                    connection.execute(INSERT, (2, "b"))
                cursor = connection.execute(INSERT + " returning id", (3, "c"))
            spent.append(shop.proxy.round_trips - before)
            assert cursor.fetchall() == [(3,)]
            connection.commit()
    assert spent[0] == spent[1]
    assert shop.changes(mark) == [ANN, BOB, NONE]


def test_a_transaction_in_a_pipeline(shop: Shop, mark: int) -> None:
    with connected(shop, autocommit=True) as connection:
        with connection.pipeline(), vestige.context(actor="ann"), connection.transaction():
            connection.execute(INSERT, (1, "a"))
            with vestige.context(actor="bob"):
                connection.execute(INSERT, (2, "b"))
        with connection.pipeline():
            connection.execute(INSERT, (3, "c"))
    assert shop.changes(mark) == [ANN, BOB, NONE]


def test_streams_and_cursors_with_a_name(shop: Shop, mark: int) -> None:
    with connected(shop, autocommit=True) as connection, vestige.context(actor="ann"):
        rows = list(connection.cursor().stream("insert into things (id, label) values (1, 'a') returning id, label"))
        assert rows == [(1, "a")]
        with connection.transaction(), connection.cursor("named") as cursor:
            cursor.execute("select label from things")
            assert cursor.fetchall() == [("a",)]
            with vestige.context(actor="bob"):
                connection.execute(INSERT, (2, "b"))
    assert shop.changes(mark) == [ANN, BOB]


def test_cursors_of_any_factory(shop: Shop, mark: int) -> None:
    class Mine(psycopg.ClientCursor[Any]):
        def added(self) -> str:
            return "mine"

    with connected(shop, cursor_factory=Mine) as connection, vestige.context(actor="ann"):
        cursor = connection.cursor(row_factory=dict_row)
        assert isinstance(cursor, Mine)
        assert cursor.added() == "mine"
        cursor.execute(
            sql.SQL("insert into {} (id, label) values (%s, %s) returning id").format(sql.Identifier("things")), (1, "a")
        )
        assert cursor.fetchall() == [{"id": 1}]
        assert (cursor.rowcount, cursor.statusmessage, cursor.nextset()) == (1, "INSERT 0 1", None)
        connection.commit()
        connection.cursor_factory = psycopg.Cursor
        with vestige.context(actor="bob"):
            connection.execute(b"insert into things (id, label) values (2, 'b')")
        assert type(connection.cursor()).__name__ == "Cursor"
    assert shop.changes(mark) == [ANN, BOB]


@pytest.mark.parametrize("autocommit", [True, False])
def test_what_a_context_asks_for_may_use_the_connection_itself(shop: Shop, mark: int, autocommit: bool) -> None:
    asked: list[str] = []
    connection = connected(shop, autocommit=autocommit)

    def look_up() -> str:
        asked.append("who")
        return str(connection.execute("select 'ann'").fetchone()[0])

    def write() -> None:
        with vestige.context(actor=look_up):
            connection.execute("delete from things where id = 0")
            connection.execute(INSERT, (1, "a"))
            connection.commit()
        with vestige.context(actor=look_up), connection.transaction():
            connection.execute(INSERT, (2, "aa"))

    worker = threading.Thread(target=write, daemon=True)
    worker.start()
    worker.join(30)
    assert not worker.is_alive(), "it waits for itself"
    assert shop.changes(mark) == [ANN, ("aa", ANN[1])]
    assert asked == ["who", "who"]
    connection.close()


def test_a_transaction_begun_by_hand(shop: Shop, mark: int) -> None:
    with connected(shop, autocommit=True) as connection:
        with vestige.context(actor="ann"):
            connection.execute("begin isolation level serializable")
            connection.execute(INSERT, (1, "a"))
            connection.execute("commit and chain")
            with vestige.context(actor="bob"):
                connection.execute(INSERT, (2, "b"))
            connection.execute("commit")
        connection.execute("begin; insert into things (id, label) values (3, 'c'); commit")
    assert shop.changes(mark)[:2] == [ANN, BOB]


def test_several_statements_in_one_text(shop: Shop, mark: int) -> None:
    with connected(shop, autocommit=True) as connection, vestige.context(actor="ann"):
        connection.execute("insert into things (id, label) values (1, 'a'); insert into things (id, label) values (2, 'a2')")
    assert shop.changes(mark) == [ANN, ("a2", {"actor": "ann"})]


def test_settings_of_a_transaction_may_come_first(shop: Shop, mark: int) -> None:
    with connected(shop) as connection, vestige.context(actor="ann"):
        connection.execute("set transaction isolation level serializable")
        connection.execute(INSERT, (1, "a"))
        connection.commit()
        connection.read_only = True
        assert connection.execute("select 1").fetchone() == (1,)
        connection.rollback()
    connection2 = connected2(shop)
    with connection2, connection2.cursor() as cursor, vestige.context(actor="bob"):
        cursor.execute("set transaction isolation level serializable")
        cursor.execute(INSERT, (2, "b"))
    connection2.close()
    assert shop.changes(mark) == [ANN, BOB]


def test_a_session_that_means_its_own(shop: Shop, mark: int) -> None:
    class Keeping(vestige.psycopg.Connection[Any]):
        vestige_empty = "keep"

    with connected(shop, Keeping) as connection:
        connection.execute(INSERT, (1, "s"))
        connection.commit()
        with vestige.context(actor="ann"):
            connection.execute(INSERT, (2, "a"))
            connection.commit()
        with vestige.context(actor="bob"):
            connection.execute(INSERT, (3, "b"))
        connection.execute(INSERT, (4, "c"))
    assert shop.changes(mark) == [("s", {"actor": "stranger"}), ANN, BOB, NONE]


def test_statements_alone_without_a_client(shop: Shop, mark: int) -> None:
    class Off(vestige.psycopg.Connection[Any]):
        vestige_autocommit = "off"

    with connected(shop, Off, autocommit=True) as connection, vestige.context(actor="ann"):
        connection.execute(INSERT, (1, "s"))
        with connection.transaction():
            connection.execute(INSERT, (2, "a"))
    assert shop.changes(mark) == [("s", {"actor": "stranger"}), ANN]


def test_errors_are_the_drivers_as_well(shop: Shop, mark: int) -> None:
    with connected(shop) as connection, vestige.context(actor="ann"):
        with pytest.raises(psycopg.DatabaseError) as caught:
            connection.execute("insert into strict values (1, 'x')")
        assert isinstance(caught.value, vestige.MissingContext)
        assert (caught.value.sqlstate, caught.value.diag.sqlstate) == ("VS001", "VS001")
        assert isinstance(caught.value.__cause__, psycopg.DatabaseError)
        connection.rollback()
    connection2 = connected2(shop)
    with connection2.cursor() as cursor, vestige.context(actor="ann"), pytest.raises(psycopg2.DatabaseError) as other:
        cursor.execute("insert into strict values (1, 'x')")
    assert isinstance(other.value, vestige.MissingContext)
    assert other.value.pgcode == "VS001"
    connection2.close()
    assert shop.changes(mark) == []


def test_what_psycopg2_sends_from_c(shop: Shop, mark: int) -> None:
    shop.run(
        """create or replace function add(int, text) returns int language sql
           as 'insert into things values ($1, $2) returning id'"""
    )
    connection = connected2(shop)
    for autocommit in (False, True):
        shop.run("delete from things")
        start = shop.mark()
        connection.autocommit = autocommit
        with connection.cursor() as cursor, vestige.context(actor="ann"):
            cursor.callproc("add", (1, "a"))
            assert cursor.fetchall() == [(1,)]
            with vestige.context(actor="bob"):
                cursor.executemany(INSERT, [(2, "b")])
        with connection.cursor() as cursor:
            import io

            cursor.copy_from(io.StringIO("3\tc\n"), "things", columns=("id", "label"))
            with pytest.raises(psycopg2.ProgrammingError, match="empty query"):
                cursor.execute("")
        if not autocommit:
            connection.commit()
        assert [change for change in shop.changes(start) if change[1].get("actor") != "owner"] == [ANN, BOB, NONE]
    connection.close()


def test_a_transaction_that_psycopg2_begins_by_itself_is_told_its_own_context(shop: Shop, mark: int) -> None:
    """Also where the last one was under the same, and somebody has spoken for the session."""
    connection = connected2(shop)
    with connection, connection.cursor() as cursor:
        cursor.execute("""set vestige.context = '{"actor": "stranger"}'""")

    def named() -> None:
        with connection.cursor("some") as cursor:
            cursor.execute("select 1")
            cursor.fetchall()

    begins = [lambda: None, named, lambda: connection.lobject(0, "w"), lambda: connection.tpc_begin(connection.xid(1, "g", "b"))]
    with vestige.context(actor="ann"):
        for number, begin in enumerate(begins):
            begin()
            connection.cursor().execute(INSERT, (number, str(number)))
            connection.tpc_commit() if number == 3 else connection.commit()
    connection.close()
    assert shop.changes(mark) == [(str(number), {"actor": "ann"}) for number in range(len(begins))]


def test_psycopg2_has_cursors_as_ever(shop: Shop, mark: int) -> None:
    connection = connected2(shop)
    large = {"actor": "ann", "note": "x" * 3000}
    with connection, vestige.context.of(large):
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute(
            psycopg2.sql.SQL("insert into {} (id, label) values (%s, '100%%') returning id").format(
                psycopg2.sql.Identifier("things")
            ),
            (1,),
        )
        assert (cursor.fetchall(), cursor.rowcount, cursor.statusmessage) == ([{"id": 1}], 1, "INSERT 0 1")
        cursor.executemany(b"insert into things (id, label) values (%s, %s)", [(2, "a"), (3, "b")])
        with connection.cursor("named") as named:
            named.execute("select label from things order by id")
            assert named.fetchall() == [("100%",), ("a",), ("b",)]
        cursor.execute("select '%' as plain")
        assert cursor.fetchone() == {"plain": "%"}
    connection.close()
    assert shop.changes(mark) == [("100%", large), ("a", large), ("b", large)]


async def test_asyncpg_cursors_and_statements(shop: Shop, mark: int) -> None:
    connection = await connected_async(shop)
    with vestige.context(actor="ann"):
        statement = await connection.prepare("insert into things (id, label) values ($1, $2) returning id")
        async with connection.transaction():
            found = [tuple(row) async for row in connection.cursor("insert into things (id, label) values (1, 'a') returning id")]
            assert found == [(1,)]
            with vestige.context(actor="bob"):
                cursor = await statement.cursor(2, "b")
                assert await cursor.fetchrow() == (2,)
    assert [tuple(row) for row in await statement.fetch(3, "c")] == [(3,)]
    assert statement.get_statusmsg() == "INSERT 0 1"
    await connection.close()
    assert shop.changes(mark) == [ANN, BOB, NONE]


async def test_asyncpg_goes_back_by_a_statement_that_is_fetched(shop: Shop, mark: int) -> None:
    connection = await connected_async(shop)
    with vestige.context(actor="bob"):
        await connection.execute("begin")
        await connection.fetch("savepoint here")
    with vestige.context(actor="ann"):
        await connection.execute("insert into things (id, label) values (1, 'undone')")
        back = await connection.prepare("rollback to savepoint here")
        await back.fetch()
        await connection.execute("insert into things (id, label) values (1, 'a')")
    await connection.execute("commit")
    await connection.close()
    assert shop.changes(mark) == [ANN]


async def test_asyncpg_answers_as_ever(shop: Shop, mark: int) -> None:
    connection = await connected_async(shop)
    with vestige.context(actor="ann"):
        assert await connection.execute("begin") == "BEGIN"
        assert await connection.execute("insert into things (id, label) values (1, 'a')") == "INSERT 0 1"
        assert await connection.execute("commit") == "COMMIT"
        assert await connection.execute("start transaction /* it is */ -- one") == "START TRANSACTION"
        assert await connection.fetchrow("insert into things (id, label) values (2, $1) returning label", "x") == ("x",)
        assert await connection.execute("rollback") == "ROLLBACK"
    with vestige.context(actor="bob"):
        assert await connection.execute("insert into things (id, label) values (2, 'b')") == "INSERT 0 1"
    if hasattr(asyncpg.Connection, "fetchmany"):
        many = "insert into things (id, label) values ($1, $2) returning id"
        assert [tuple(row) for row in await connection.fetchmany(many, [(3, "c")])] == [(3,)]
    else:
        await connection.execute("insert into things (id, label) values (3, 'c')")
    with pytest.raises(asyncpg.PostgresError) as caught:
        await connection.execute("insert into strict values (1, 'x')")
    assert isinstance(caught.value, vestige.asyncpg.MissingContext)
    assert caught.value.field == "actor"
    await connection.close()
    assert shop.changes(mark) == [ANN, BOB, NONE]


async def test_asyncpg_pools(shop: Shop, mark: int) -> None:
    async with vestige.asyncpg.create_pool(
        host="127.0.0.1", port=shop.proxy.port, user="app", database="clients", ssl=False, min_size=1, max_size=1
    ) as pool:
        with vestige.context(actor="ann"):
            await pool.execute("insert into things (id, label) values ($1, $2)", 1, "a")
            async with pool.acquire() as connection, connection.transaction():
                with vestige.context(actor="bob"):
                    await connection.execute("insert into things (id, label) values ($1, $2)", 2, "b")
        await pool.executemany("insert into things (id, label) values ($1, $2)", [(3, "c")])
    assert shop.changes(mark) == [ANN, BOB, NONE]
