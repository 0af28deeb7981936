"""Which tables are recorded, and who is told of what was committed."""
# ruff: noqa: F811

from __future__ import annotations

import logging
import pathlib
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import Shop
from sqlalchemy import exc, orm
from sqlalchemy_models import Base, Line, Product, database, engine, made, marks, priced, server, session, told  # noqa: F401

import vestige
import vestige.sqlalchemy as va

pytestmark = marks


def test_what_is_committed_is_told(session: Any, told: list[Any]) -> None:
    product = priced(session, 500, 550)
    assert told == []
    product.cost = 700
    session.add(Line(order=1, place=1))
    session.flush()
    with session.begin_nested():
        session.add(Line(order=1, place=2))
    nested = session.begin_nested()
    session.add(Line(order=1, place=3))
    nested.rollback()
    assert told == []
    session.commit()
    assert sorted(told, key=str) == [("INSERT", 1), ("INSERT", 2), ("flag", 550, 700, "ann")]
    told.clear()
    product.cost = 1
    session.flush()
    session.rollback()
    session.commit()
    session.execute(sa.select(Product))
    session.commit()
    assert told == []


def test_statements_of_core_in_a_session_are_told_and_others_are_not(engine: Any, session: Any, told: list[Any]) -> None:
    product = priced(session, 500)
    session.execute(sa.update(Product).where(Product.id == product.id).values(cost=700))
    session.commit()
    assert told == [("flag", 500, 700, "ann")]
    with engine.begin() as connection:
        connection.execute(sa.update(Product).values(cost=1))
    assert len(told) == 1


def test_two_phases(database: None, told: list[Any], tmp_path: pathlib.Path) -> None:
    engine = va.install(made("postgresql", tmp_path))
    Base.metadata.create_all(engine)
    with vestige.context(actor="ann"), orm.Session(engine, twophase=True, future=True) as session:
        product = priced(session, 500, 550)  # two transactions of one connection, under one context
        assert told == []
        product.cost = 700
        session.commit()
        assert told == [("flag", 550, 700, "ann")]
        product.cost = 1
        session.flush()
        session.rollback()
        session.commit()
        assert len(told) == 1
        assert {change.who for change in va.history(product)} == {"ann"}
    engine.dispose()


def test_an_alert_that_fails_undoes_nothing(session: Any, caplog: pytest.LogCaptureFixture) -> None:
    @va.on_change(Product)
    def fails(change: Any) -> None:
        raise KeyError("no mail")

    try:
        with caplog.at_level(logging.ERROR, "vestige"):
            product = priced(session, 500)
    finally:
        va.forget(fails)
    assert "the change is committed" in caplog.text
    assert len(va.history(product)) == 1


def test_who_may_not_read_is_told_so(session: Any, told: list[Any], shop: Shop) -> None:
    """By an error of the commit, and its connection is free again."""
    if session.get_bind().dialect.name == "sqlite":
        pytest.skip("whoever writes to SQLite may read it")
    session.execute(sa.text('grant insert on "sa products" to app'))
    session.commit()
    engine = va.install(sa.create_engine("postgresql+psycopg2://app@/models", pool_size=1, max_overflow=0, pool_timeout=1))
    for n in (1, 2):
        with orm.Session(engine, future=True) as other:
            other.add(Product(id=n))
            with pytest.raises(exc.ProgrammingError, match="permission denied"):
                other.commit()
    engine.dispose()
    assert session.execute(sa.select(sa.func.count(Product.id))).scalar() == 0


def test_policies(engine: Any, session: Any) -> None:
    kept = dict(Product.__table__.info)
    assert va.reconcile(engine, Base) == []  # create_all() brought it about
    va.track(Product, exclude=[Product.seen, "name"], require=["actor"])
    try:
        assert va.reconcile(session, Base.metadata) == ["sa products"]
        session.commit()
        session.add(Product(id=1))
        with vestige.without(), pytest.raises(va.MissingContext):
            session.commit()
        session.rollback()
        assert va.history(priced(session, 5))[0].new == {"id": 1, "cost": 5}
    finally:
        Product.__table__.info.update(kept)
    va.untrack(session, Line)
    session.commit()
    assert set(va.reconcile(engine, Base)) == {"sa products", "sa_lines"}
    with pytest.raises(TypeError, match="list of names"):
        va.Track(exclude="name")


def test_all_tables_of_a_base(engine: Any) -> None:
    other = sa.MetaData()
    here = sa.Table("sa_here", other, sa.Column("id", sa.Integer, primary_key=True))
    gone = sa.Table("sa_gone", other, sa.Column("id", sa.Integer, primary_key=True))
    va.track(other, capture="full")
    va.untracked(gone)
    other.create_all(engine)
    with engine.begin() as connection:
        for table in (here, gone):
            connection.execute(sa.insert(table).values(id=1))
    with engine.connect() as connection:
        assert len(va.changes(connection, here)) == 1
        with pytest.raises(exc.DBAPIError, match="not tracked"):
            va.history(connection, gone, 1)
    other.drop_all(engine)


def test_where_no_trail_is_it_is_said(tmp_path: pathlib.Path) -> None:
    engine = va.install(sa.create_engine(f"sqlite:///{tmp_path / 'x.db'}", future=True))
    with pytest.raises(vestige.VestigeError, match="there is no trail"):
        Base.metadata.create_all(engine)
