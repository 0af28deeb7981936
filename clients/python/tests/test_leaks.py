"""Nobody else's name: a thousand tasks over small pools, half of them without a context, sessions that say a stranger's,
tasks that are cancelled and connections that are killed; directly and through PgBouncer."""

from __future__ import annotations

import asyncio
import collections
import random
from typing import Any

import asyncpg
import psycopg
import psycopg_pool
import pytest
from conftest import Shop

import vestige
import vestige.asyncpg
import vestige.psycopg
import vestige.psycopg2

TASKS = 1000
INSERT = "insert into things (id, label) values ({}, {})"
NOBODY = "nobody"


class Work:
    """What the tasks do: task n writes the row n under the actor n, where it is even, else under none."""

    def __init__(self, shop: Shop, way: str, size: int) -> None:
        assert shop.bouncer is not None
        self.shop, self.size = shop, size
        self.host, self.port = (shop.host, shop.port) if way == "direct" else (str(shop.bouncer.directory), 6432)
        self.random = random.Random(size)
        self.committed: set[int] = set()
        shop.run("delete from things")
        self.mark = shop.mark()

    async def task(self, n: int, write: Any) -> None:
        await asyncio.sleep(self.random.random() / 50)
        if n % 2:
            await write(n)
        else:
            with vestige.context(actor=f"user-{n}", request_id=str(n)):
                await write(n)
        self.committed.add(n)

    async def run(self, write: Any, expected: tuple[type[BaseException], ...] | None = None) -> None:
        """Every tenth task is cancelled in the middle, and now and then a connection is killed."""
        tasks = [asyncio.create_task(self.task(n, write)) for n in range(TASKS)]
        for n in range(0, TASKS, 10):
            asyncio.get_running_loop().call_later(self.random.random() / 5, tasks[n].cancel)
        async with await psycopg.AsyncConnection.connect("dbname=clients", autocommit=True) as killer:
            for _ in range(5):
                await asyncio.sleep(0.05)
                await killer.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' order by random() limit 1"
                )
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        unexpected = [end for end in ends if end is not None and not isinstance(end, expected or EXPECTED)]
        assert not unexpected, unexpected[:3]

    def look(self) -> None:
        found: collections.Counter[str] = collections.Counter()
        recorded = set()
        for label, context in self.shop.changes(self.mark):
            n = int(label)
            recorded.add(n)
            wanted = {} if n % 2 else {"actor": f"user-{n}", "request_id": label}
            found["right" if context == wanted else f"{n}: {context}"] += 1
        wrong = [what for what in found if what != "right"]
        assert not wrong, wrong[:5]
        # What its task saw committed is recorded; what a cancelled one committed, perhaps.
        assert self.committed <= recorded
        assert len(recorded) > TASKS * 0.8


EXPECTED = (
    asyncio.CancelledError,
    psycopg.OperationalError,
    psycopg.InternalError,  # of psycopg: PgBouncer and the server both say that the connection is gone
    psycopg.Rollback,  # of psycopg: what it goes back in is gone with the connection
    psycopg_pool.PoolTimeout,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # of asyncpg: it is cancelled while it hears that the connection is gone
    asyncpg.ProtocolViolationError,
    ConnectionError,
)


def poison(n: int) -> str:
    return f"""set vestige.context = '{{"actor": "stranger-{n}"}}'"""


@pytest.mark.parametrize(("way", "size"), [("direct", 5), ("direct", 20), ("bouncer", 20)])
async def test_asyncpg(shop: Shop, way: str, size: int) -> None:
    work = Work(shop, way, size)
    made = vestige.asyncpg.create_pool(
        host=work.host,
        port=work.port,
        user="app",
        database="clients",
        min_size=size,
        max_size=size,
        statement_cache_size=0,
    )
    async with made as pool:

        async def write(n: int) -> None:
            async with pool.acquire() as connection:
                kind = n % 5
                if kind == 0:
                    await connection.execute(poison(n))
                if kind == 1:  # in no transaction
                    await connection.execute(INSERT.format("$1", "$2"), n, str(n))
                elif kind == 2:  # back to a savepoint, and once more
                    async with connection.transaction():
                        try:
                            async with connection.transaction():
                                with vestige.context(actor="undone"):
                                    await connection.execute(INSERT.format("$1", "$2"), n, str(n))
                                raise KeyError
                        except KeyError:
                            await connection.execute(INSERT.format("$1", "$2"), n, str(n))
                else:
                    async with connection.transaction():
                        await asyncio.sleep(work.random.random() / 100)
                        await connection.execute(INSERT.format("$1", "$2"), n, str(n))

        await work.run(write)
        pool.terminate()  # close() of asyncpg 0.30 may wait for ever for a connection that was killed
    work.look()


@pytest.mark.parametrize(("way", "size"), [("direct", 5), ("direct", 20), ("bouncer", 20)])
async def test_psycopg(shop: Shop, way: str, size: int) -> None:
    work = Work(shop, way, size)
    pool = psycopg_pool.AsyncConnectionPool(
        f"host={work.host} port={work.port} user=app dbname=clients",
        connection_class=vestige.psycopg.AsyncConnection,
        min_size=size,
        max_size=size,
        open=False,
        kwargs={"prepare_threshold": None},
        timeout=60,
    )
    async with pool:

        async def write(n: int) -> None:
            async with pool.connection() as connection:
                kind = n % 5
                if kind == 0:
                    await connection.execute(poison(n))
                    await connection.commit()
                if kind == 1:
                    await connection.set_autocommit(True)
                    await connection.execute(INSERT.format("%s", "%s"), (n, str(n)))
                    await connection.set_autocommit(False)
                elif kind == 2:
                    async with connection.transaction():
                        async with connection.transaction():
                            with vestige.context(actor="undone"):
                                await connection.execute(INSERT.format("%s", "%s"), (n, str(n)))
                            raise psycopg.Rollback
                        await connection.execute(INSERT.format("%s", "%s"), (n, str(n)))
                else:
                    await connection.execute("select 1")
                    await asyncio.sleep(work.random.random() / 100)
                    await connection.execute(INSERT.format("%s", "%s"), (n, str(n)))

        await work.run(write)
    work.look()


async def test_psycopg2_in_threads(shop: Shop) -> None:
    """Threads of a server that each have a connection; requests one after the other."""
    import psycopg2.pool

    work = Work(shop, "direct", 5)
    pool = psycopg2.pool.ThreadedConnectionPool(
        5,
        5,
        connection_factory=vestige.psycopg2.Connection,
        host=work.host,
        port=work.port,
        user="app",
        dbname="clients",
    )
    turn = asyncio.Semaphore(5)

    def blocking(n: int) -> None:
        connection = pool.getconn()
        try:
            connection.autocommit = n % 5 == 1
            with connection, connection.cursor() as cursor:
                if n % 5 == 0:
                    cursor.execute(poison(n))
                    connection.commit()
                cursor.execute(INSERT.format("%s", "%s"), (n, str(n)))
        finally:
            pool.putconn(connection)

    async def write(n: int) -> None:
        async with turn:
            await asyncio.to_thread(blocking, n)

    # No task is cancelled here: a thread goes on without it.
    ends = await asyncio.gather(*(work.task(n, write) for n in range(TASKS)))
    assert ends == [None] * TASKS
    pool.closeall()
    work.look()
    assert len(work.committed) == TASKS
