"""SQLAlchemy's engines under a context: what the contract does not have, with engines and sessions as programs make them."""

from __future__ import annotations

import asyncio
import pathlib
import sqlite3
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
import sqlalchemy as sa
from conftest import VESTIGE, Shop
from drivers_sqlalchemy import NEW
from sqlalchemy import exc, orm
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import StaticPool
from test_leaks import EXPECTED, TASKS, Work

import vestige
import vestige.sqlalchemy as va

Base: Any = orm.declarative_base()


class Thing(Base):
    __tablename__ = "things"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    label = sa.Column(sa.Text)
    note = sa.Column(sa.Text)


class Strict(Base):
    __tablename__ = "strict"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    label = sa.Column(sa.Text)


def url(shop: Shop, driver: str = "psycopg2", port: int | None = None) -> str:
    return f"postgresql+{driver}://app@/clients?host={shop.host}&port={port or shop.port}"


@pytest.fixture
def empty(shop: Shop) -> Shop:
    shop.run("delete from things", "delete from strict")
    return shop


@pytest.fixture
def engine(empty: Shop) -> Iterator[Any]:
    made = va.install(sa.create_engine(url(empty), future=True))
    yield made
    made.dispose()


def test_flushes_of_a_session_are_one_transaction(empty: Shop, engine: Any) -> None:
    mark = empty.mark()
    with vestige.context(actor="ann", reason="stock"), orm.Session(engine, future=True) as session:
        session.add_all(Thing(id=n, label=str(n)) for n in range(30))
        session.flush()
        session.get(Thing, 3).note = "x"
        session.flush()
        session.execute(sa.update(Thing).where(Thing.id < 3).values(note="y"))
        session.execute(sa.insert(Thing), [{"id": 100 + n, "label": f"m{n}"} for n in range(20)])
        session.delete(session.get(Thing, 29))
        session.commit()
    rows = empty.owner.execute("select distinct tx, context from vestige.changes where id > %s", (mark,)).fetchall()
    assert [row[1] for row in rows] == [{"actor": "ann", "reason": "stock"}]
    assert len(empty.changes(mark)) == 30 + 1 + 3 + 20 + 1


def test_what_is_refused_has_its_name(engine: Any) -> None:
    with vestige.context(actor="ann"), orm.Session(engine, future=True) as session:
        session.add(Strict(id=1, label="a"))
        with pytest.raises(va.MissingContext) as caught:
            session.commit()
    assert (caught.value.table, caught.value.field) == ("public.strict", "reason")
    assert isinstance(caught.value, vestige.MissingContext)
    assert isinstance(caught.value, exc.DBAPIError)
    assert isinstance(caught.value.orig, psycopg2.DatabaseError)


def test_another_error_is_as_it_was(engine: Any) -> None:
    with engine.connect() as connection, pytest.raises(exc.ProgrammingError) as caught:
        connection.execute(sa.text("select * from nowhere"))
    assert not isinstance(caught.value, vestige.VestigeError)


def test_installed_twice_is_once(engine: Any) -> None:
    before = engine.dialect.connect
    assert va.install(engine) is engine
    assert engine.dialect.connect is before


def test_no_adapter() -> None:
    class Other:
        name, driver, is_async = "oracle", "oracledb", False

    class Engine:
        dialect = Other()

    with pytest.raises(NotImplementedError, match=r"oracle\+oracledb"):
        va.install(Engine())


def test_connections_of_before_are_not_handed_out(empty: Shop) -> None:
    mark = empty.mark()
    engine = sa.create_engine(url(empty), future=True)
    with engine.connect() as connection:
        connection.execute(sa.text("""set vestige.context = '{"actor": "stranger"}'"""))
        connection.commit()
    va.install(engine)
    with vestige.context(actor="ann"), engine.begin() as connection:
        connection.execute(sa.text("insert into things values (1, 'a')"))
    assert empty.changes(mark) == [("a", {"actor": "ann"})]
    engine.dispose()


def test_a_database_in_memory_is_not_lost() -> None:
    engine = sa.create_engine("sqlite://", poolclass=StaticPool, future=True)
    with engine.connect():
        pass
    va.install(engine)
    with pytest.raises(exc.InvalidRequestError, match="before the engine's first"):
        engine.connect()


def test_a_creator_of_its_own_has_to_say(empty: Shop) -> None:
    made = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(empty.owner.info.dsn), future=True)
    engine = va.install(made)
    with pytest.raises(TypeError, match="does not say who acts"):
        engine.connect()


def test_a_class_of_its_own_is_kept(empty: Shop) -> None:
    class Mine(psycopg2.extras.DictConnection):
        pass

    engine = va.install(sa.create_engine(url(empty), connect_args={"connection_factory": Mine}, future=True))
    mark = empty.mark()
    with vestige.context(actor="ann"), engine.begin() as connection:
        assert isinstance(connection.connection.dbapi_connection, Mine)
        connection.execute(sa.text("insert into things values (1, 'a')"))
    assert empty.changes(mark) == [("a", {"actor": "ann"})]
    engine.dispose()


def test_options(empty: Shop) -> None:
    engine = va.install(sa.create_engine(url(empty), future=True), autocommit="off", empty="keep")
    mark = empty.mark()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as alone, vestige.context(actor="ann"):
        alone.execute(sa.text("""set vestige.context = '{"actor": "cron"}'"""))
        alone.execute(sa.text("insert into things values (1, 'a')"))
    with engine.begin() as connection:
        connection.execute(sa.text("""set vestige.context = '{"actor": "cron"}'"""))
        connection.execute(sa.text("insert into things values (2, 'b')"))
    assert empty.changes(mark) == [("a", {"actor": "cron"}), ("b", {"actor": "cron"})]
    engine.dispose()


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "shop.db"
    database = sqlite3.connect(path)
    database.execute("create table things (id integer primary key, label text, note text)")
    database.close()
    for words in (["init"], ["track", "things"]):
        subprocess.run([VESTIGE, "--db", str(path), *words], check=True, capture_output=True)
    return path


def test_a_savepoint_that_begins_a_transaction_of_sqlite_leaves_nothing_behind(file: pathlib.Path) -> None:
    engine = va.install(sa.create_engine(f"sqlite:///{file}", future=True))
    with vestige.context(actor="ann"), orm.Session(engine, future=True) as session:
        with session.begin_nested():
            session.add(Thing(id=1, label="a"))
        other = sqlite3.connect(file, timeout=10)
        assert other.execute("select count(*) from vestige_session").fetchone() == (0,)
        session.commit()
    assert other.execute("select count(*) from vestige_session").fetchone() == (0,)
    assert other.execute("select actor from vestige_context").fetchall() == [("ann",)]
    other.close()
    engine.dispose()


LEAKS = [("asyncpg", 5, "direct"), *([("psycopg", 20, "bouncer")] if NEW else [])]


@pytest.mark.parametrize(("driver", "size", "way"), LEAKS)
async def test_leaks(shop: Shop, driver: str, size: int, way: str) -> None:
    work = Work(shop, way, size)
    arguments = {"prepare_threshold": None} if driver == "psycopg" else {}
    engine = va.install(
        create_async_engine(
            f"postgresql+{driver}://app@/clients?host={work.host}&port={work.port}",
            pool_size=size,
            max_overflow=0,
            pool_timeout=600,  # however slow the machine is
            connect_args=arguments,
        )
    )
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")

    async def write(n: int) -> None:
        kind = n % 5
        if kind == 1:
            async with alone.connect() as connection:
                await connection.execute(sa.text("insert into things values (:n, :label)"), {"n": n, "label": str(n)})
            return
        async with AsyncSession(engine) as session:
            if kind == 0:
                await session.execute(sa.text(f"""set vestige.context = '{{"actor": "stranger-{n}"}}'"""))
                await session.commit()
            if kind == 2:
                undone = await session.begin_nested()
                with vestige.context(actor="undone"):
                    await session.execute(sa.insert(Thing).values(id=n, label=str(n)))
                await undone.rollback()
            else:
                await asyncio.sleep(work.random.random() / 100)
            session.add(Thing(id=n, label=str(n)))
            await session.commit()

    # What SQLAlchemy makes of a connection that is killed under it.
    await work.run(write, (*EXPECTED, exc.DBAPIError, exc.InvalidRequestError))
    await engine.dispose()
    work.look()
    assert len(work.committed) > TASKS * 0.8
