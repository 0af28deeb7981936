"""Models with a trail, on either database, for the tests of vestige.sqlalchemy; and the fixtures that make them."""

from __future__ import annotations

import enum
import os
import pathlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from conftest import VESTIGE
from sqlalchemy import orm
from sqlalchemy.ext.asyncio import create_async_engine

import vestige
import vestige.sqlalchemy as va

EXTENSION = pathlib.Path(VESTIGE).parent.parent / "sqlite/vestige0.so"
marks = [
    pytest.mark.skipif(not EXTENSION.exists(), reason="the loadable extension is not built"),
    pytest.mark.filterwarnings("ignore:Dialect sqlite.* Decimal"),
]
Base: Any = orm.declarative_base()


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Upper(sa.types.TypeDecorator[str]):
    """Small in the database, large in the program."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value and value.lower()

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value and value.upper()


@va.track(tags=["SOX"])
class Product(Base):
    __tablename__ = "sa products"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.String(100))
    cost = sa.Column("price", sa.Numeric(10, 2))
    seen = sa.Column(sa.DateTime)
    lines = orm.relationship("Line", back_populates="product", cascade="all, delete-orphan", passive_deletes=True)


class Line(Base):
    __tablename__ = "sa_lines"
    __vestige__ = va.Track()
    order = sa.Column("doc", sa.Integer, primary_key=True)
    place = sa.Column(sa.Integer, primary_key=True)
    product_id = sa.Column(sa.ForeignKey("sa products.id", ondelete="CASCADE"))
    product = orm.relationship(Product, back_populates="lines")


class Thing(Base):
    __tablename__ = "sa_things"
    __vestige__ = va.Track(exclude=["unseen"])
    id = sa.Column(sa.String(32), primary_key=True)
    color = sa.Column(sa.Enum(Color))
    label = sa.Column(Upper(20))
    on = sa.Column(sa.Boolean)
    at = sa.Column(sa.DateTime)
    day = sa.Column(sa.Date)
    span = sa.Column(sa.Interval)
    rate = sa.Column(sa.Float)
    amount = sa.Column(sa.Numeric(10, 4))
    blob = sa.Column(sa.LargeBinary)
    data = sa.Column(sa.JSON)
    whole = sa.Column(sa.BigInteger)
    unseen = sa.Column(sa.Text)


class Untold(Base):
    __tablename__ = "sa_untold"
    id = sa.Column(sa.Integer, primary_key=True)


@pytest.fixture(scope="module")
def server() -> Iterator[psycopg.Connection[Any]]:
    """A server with a database that has a trail and no more, to be copied."""
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("create database with_trail")
        engine = va.install(sa.create_engine("postgresql+psycopg2:///with_trail"))
        assert va.init(engine)
        assert not va.init(engine)
        engine.dispose()
        yield server
        server.execute("drop database with_trail (force)")


@pytest.fixture
def database(server: psycopg.Connection[Any]) -> Iterator[None]:
    server.execute("create database models template with_trail")
    yield
    server.execute("drop database models (force)")


def made(kind: str, path: pathlib.Path) -> Any:
    if kind == "postgresql":
        return sa.create_engine("postgresql+psycopg2:///models", future=True)
    if kind == "asyncpg":
        return create_async_engine(f"postgresql+asyncpg:///models?host={os.environ['PGHOST']}&port={os.environ['PGPORT']}")
    url = f"{path / 'shop.db'}"
    return (
        create_async_engine(f"sqlite+aiosqlite:///{url}")
        if kind == "aiosqlite"
        else sa.create_engine(f"sqlite:///{url}", future=True)
    )


@pytest.fixture(params=["postgresql", "sqlite"])
def engine(request: Any, tmp_path: pathlib.Path) -> Iterator[Any]:
    if request.param == "postgresql":
        request.getfixturevalue("database")
    engine = va.install(made(request.param, tmp_path), extension=str(EXTENSION))
    assert va.init(engine) == (request.param == "sqlite")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Any) -> Iterator[Any]:
    with vestige.context(actor="ann", reason="stock"), orm.Session(engine, future=True) as session:
        yield session


@pytest.fixture(params=["asyncpg", "aiosqlite"])
async def async_engine(request: Any, tmp_path: pathlib.Path) -> AsyncIterator[Any]:
    if request.param == "asyncpg":
        request.getfixturevalue("database")
    engine = va.install(made(request.param, tmp_path), extension=str(EXTENSION))
    await va.init(engine)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What two receivers were told."""
    heard: list[Any] = []

    @va.on_change(Product, op="update", when=lambda change: abs(change.new["cost"] - change.old["cost"]) > 100)
    def flag(change: Any) -> None:
        heard.append(("flag", change.old["cost"], change.new["cost"], change.actor))

    @va.on_change(Line)
    def line(change: Any) -> None:
        heard.append((change.op, change.key["place"]))

    yield heard
    va.forget(flag)
    va.forget(line)


def priced(session: Any, *costs: float) -> Product:
    """A product with a history: of each transaction a price."""
    product = Product(id=1, name="Teapot", cost=costs[0])
    session.add(product)
    session.commit()
    for cost in costs[1:]:
        product.cost = cost
        session.commit()
    return product
