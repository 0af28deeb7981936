"""What stands around SQLAlchemy in programs: Flask-SQLAlchemy and SQLModel, schemas and tenants, pools that ping, streams."""
# ruff: noqa: F811

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import VESTIGE, Shop
from sqlalchemy import orm
from sqlalchemy_models import EXTENSION, database, made, marks, server  # noqa: F401

import vestige
import vestige.sqlalchemy as va

pytestmark = marks


def test_flask_sqlalchemy(tmp_path: pathlib.Path) -> None:
    flask_sqlalchemy = pytest.importorskip("flask_sqlalchemy")
    import flask

    import vestige.flask

    app = flask.Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path / 'shop.db'}"
    db = flask_sqlalchemy.SQLAlchemy(app)
    vestige.flask.Vestige(app, actor=lambda: flask.request.headers["X-User"])

    class Post(db.Model):
        id = sa.Column(sa.Integer, primary_key=True)
        title = sa.Column(sa.String)

    va.track(db.Model)
    with app.app_context():
        va.install(db.engine, extension=str(EXTENSION))
        va.init(db.engine)
        db.create_all()

    @app.post("/posts/<int:n>")
    def write(n: int) -> str:
        db.session.merge(Post(id=n, title=flask.request.get_data(as_text=True)))
        db.session.commit()
        return str(len(va.history(db.session, Post, n)))

    client = app.test_client()
    assert client.post("/posts/1", data="one", headers={"X-User": "ann"}).text == "1"
    assert client.post("/posts/1", data="two", headers={"X-User": "bob"}).text == "2"
    with app.app_context():
        newest, first = va.history(db.session.get(Post, 1))
        db.session.remove()
    assert [(one.actor, one.new["title"], one.context["business_process"]) for one in (first, newest)] == [
        ("ann", "one", "POST /posts/<int:n>"),
        ("bob", "two", "POST /posts/<int:n>"),
    ]


def test_sqlmodel(tmp_path: pathlib.Path) -> None:
    sqlmodel = pytest.importorskip("sqlmodel")
    # Its annotations are looked up where it is written, which these of a test are not.
    hero = type(
        "Hero",
        (sqlmodel.SQLModel,),
        {"__module__": __name__, "__annotations__": {"id": int, "name": str}, "id": sqlmodel.Field(primary_key=True)},
        table=True,
    )
    va.track(hero, tags=["SOX"])
    engine = va.install(made("sqlite", tmp_path), extension=str(EXTENSION))
    va.init(engine)
    sqlmodel.SQLModel.metadata.create_all(engine)
    with vestige.context(actor="ann"), sqlmodel.Session(engine) as session:
        session.add(hero(id=1, name="Deadpond"))
        session.commit()
        one = session.exec(sqlmodel.select(hero)).one()
        one.name = "Spider"
        session.commit()
        newest, first = va.history(one)
        assert (newest.old, first.actor) == ({"name": "Deadpond"}, "ann")
        assert session.exec(sqlmodel.select(va.as_of(hero, first.id))).one().name == "Deadpond"
    engine.dispose()


def test_schemas_and_tenants(database: None, tmp_path: pathlib.Path) -> None:
    """Tables of one name in several schemas: named by the model, or found by the search path."""
    metadata = sa.MetaData()
    bills = sa.Table("bills", metadata, sa.Column("id", sa.Integer, primary_key=True), schema="Odd one")
    here = sa.MetaData()
    own = sa.Table("bills", here, sa.Column("id", sa.Integer, primary_key=True))
    va.track(metadata)
    va.track(here, tags=["tenant"])
    engine = va.install(made("postgresql", tmp_path))
    with engine.begin() as connection:
        for name in ('"Odd one"', "north", "south"):
            connection.execute(sa.text(f"create schema {name}"))
        metadata.create_all(connection)
    for tenant in ("north", "south"):
        with vestige.context(actor=tenant), engine.begin() as connection:
            connection.execute(sa.text(f"set local search_path = {tenant}"))
            here.create_all(connection)
            connection.execute(sa.insert(own).values(id=1))
            connection.execute(sa.insert(bills).values(id=len(tenant) if tenant == "north" else 6))
            assert va.reconcile(connection, here, metadata) == []
    for tenant in ("north", "south"):
        with engine.begin() as connection:
            connection.execute(sa.text(f"set local search_path = {tenant}"))
            assert [change.actor for change in va.history(connection, own, 1)] == [tenant]
            assert connection.execute(sa.select(va.as_of(own, va.changes(connection, own)[0].id))).all() == [(1,)]
            assert [change.new for change in va.changes(connection, bills)] == [{"id": 5}, {"id": 6}]
            assert len(connection.execute(sa.select(va.as_of(bills, va.changes(connection, bills)[1].id))).all()) == 2
    engine.dispose()


@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
async def test_a_pool_that_pings_and_a_stream(shop: Shop, driver: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    shop.run("delete from things")
    mark = shop.mark()
    url = f"postgresql+{driver}://app@/clients?host={shop.host}&port={shop.port}"
    insert = sa.text("insert into things select n, n::text from generate_series(1, 3) n")
    if driver == "asyncpg":
        engine: Any = va.install(create_async_engine(url, pool_pre_ping=True, pool_size=1))
        for actor in ("stranger", "ann"):
            with vestige.context(actor=actor):
                async with engine.connect() as connection, connection.begin() as begun:
                    rows = await connection.stream(sa.text("select n from generate_series(1, 3) n"))
                    assert [row.n async for row in rows] == [1, 2, 3]
                    await connection.execute(insert)
                    await (begun.commit() if actor == "ann" else begun.rollback())
        await engine.dispose()
    else:
        engine = va.install(sa.create_engine(url, pool_pre_ping=True, pool_size=1, future=True))
        for actor in ("stranger", "ann"):
            with vestige.context(actor=actor), orm.Session(engine, future=True) as session:
                rows = session.execute(sa.text("select n from generate_series(1, 3) n"), execution_options={"stream_results": True})
                assert [row.n for row in rows] == [1, 2, 3]
                session.execute(insert)
                session.commit() if actor == "ann" else session.rollback()
        engine.dispose()
    assert shop.changes(mark) == [(n, {"actor": "ann"}) for n in "123"]


def test_where_nothing_can_be_loaded_the_program_answers(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vestige._sqlite_connections.found_path", lambda extension: None)
    monkeypatch.setenv("PATH", f"{pathlib.Path(VESTIGE).parent}{os.pathsep}{os.environ['PATH']}")
    engine = va.install(made("sqlite", tmp_path))
    va.init(engine)
    metadata = sa.MetaData()
    table = sa.Table("things", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("on", sa.Boolean))
    va.track(table)
    metadata.create_all(engine)
    with vestige.context(actor="ann"), engine.begin() as connection:
        connection.execute(sa.insert(table).values(id=1, on=True))
    with engine.connect() as connection:
        [change] = va.history(connection, table, 1)
        assert (change.actor, change.new) == ("ann", {"id": 1, "on": True})
        with pytest.raises(vestige.ExtensionUnavailable):
            connection.execute(sa.select(va.as_of(table, change.id)))
    engine.dispose()


def test_without_greenlet(tmp_path: pathlib.Path) -> None:
    # SQLAlchemy 2.1 brings it only with its extra asyncio, which a program without asyncio does not ask for.
    program = """
import sys
sys.modules["greenlet"] = None
import sqlalchemy as sa
from sqlalchemy import orm
import vestige.sqlalchemy as va

Base = orm.declarative_base()

class Post(Base):
    __tablename__ = "posts"
    id = sa.Column(sa.Integer, primary_key=True)
    title = sa.Column(sa.String)

va.track(Base)
engine = va.install(sa.create_engine(sys.argv[1], future=True), extension=sys.argv[2])
va.init(engine)
Base.metadata.create_all(engine)
with orm.Session(engine, future=True) as session:
    post = Post(id=1, title="first")
    session.add(post)
    session.commit()
    post.title = "second"
    session.commit()
    va.undo(session, va.history(post)[0])
    print(post.title, [change.op for change in va.history(session, Post, 1)], "sqlalchemy.ext.asyncio" in sys.modules)
"""
    command = [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'shop.db'}", str(EXTENSION)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.stdout == "first ['UPDATE', 'UPDATE', 'INSERT'] False\n", ran.stderr
