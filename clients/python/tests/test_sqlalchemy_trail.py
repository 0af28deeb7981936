"""Models that know their history: changes, blame, time travel, undoing and erasing; on both databases, sync and async."""
# ruff: noqa: F811

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc, orm
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy_models import (  # noqa: F401
    Base,
    Color,
    Line,
    Product,
    Thing,
    async_engine,
    database,
    engine,
    marks,
    priced,
    server,
    session,
    told,
)

import vestige
import vestige.sqlalchemy as va

pytestmark = marks
UTC = datetime.timezone.utc


def ops(changes: list[Any]) -> list[str]:
    return [change.op for change in changes]


def test_a_row_knows_its_history(session: Any) -> None:
    product = priced(session, 999, 899)
    with vestige.context(actor="bob"):
        product.cost, product.name = decimal.Decimal("949.50"), "Pot"
        newest, older, first = va.history(product)  # what is not yet flushed is
    assert (newest.op, newest.actor, newest.changed) == ("UPDATE", "bob", ("name", "cost"))
    assert newest.old == {"cost": decimal.Decimal("899.00"), "name": "Teapot"}
    assert newest.new["cost"] == decimal.Decimal("949.50")
    assert (older.who, older.context["reason"]) == ("ann", "stock")
    assert first.op == "INSERT"
    assert first.key == {"id": 1}
    assert first.new == {"id": 1, "name": "Teapot", "cost": decimal.Decimal(999), "seen": None}
    assert va.history(session, Product, 1) == [newest, older, first]
    raw = va.history(session, Product.__table__, 1)[0]
    assert raw.new.keys() == {"price", "name"}
    assert {blame.column: (blame.value, blame.who) for blame in va.blame(product)} == {
        "id": (1, "ann"),
        "name": ("Pot", "bob"),
        "cost": (decimal.Decimal("949.50"), "bob"),
        "seen": (None, "ann"),
    }
    with pytest.raises(orm.exc.DetachedInstanceError):
        va.history(Product(id=2))
    with pytest.raises(TypeError, match="Session"):
        va.changes(7)


def test_values_are_those_of_the_model(session: Any) -> None:
    values = {
        "id": uuid.uuid4().hex,
        "color": Color.BLUE,
        "label": "LARGE",
        "on": True,
        "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 678),
        "day": datetime.date(2026, 1, 2),
        "span": datetime.timedelta(days=1, seconds=2, microseconds=3),
        "rate": 0.1,
        "amount": decimal.Decimal("12.3400"),
        "blob": b"\0\xff'",
        "data": {"a": [1, None, "x"], "b": {"c": True}},
        "whole": 2**60,
    }
    thing = Thing(**values, unseen="never")
    session.add(thing)
    session.commit()
    [change] = va.history(thing)
    session.refresh(thing)
    assert change.new == values
    assert {name: type(value) for name, value in change.new.items()} == {name: type(getattr(thing, name)) for name in values}
    then = change.id
    thing.color, thing.on, thing.blob, thing.at = None, False, b"", None
    session.commit()
    assert va.history(thing)[0].old == {name: values[name] for name in ("color", "on", "blob", "at")}
    was = session.scalars(sa.select(va.as_of(Thing, then))).one()
    assert {name: getattr(was, name) for name in values} == values


def test_keys_of_several_columns_and_cascades(engine: Any, session: Any) -> None:
    if engine.dialect.name == "sqlite":
        engine.dispose()
        sa.event.listen(engine, "connect", lambda connection, record: connection.execute("pragma foreign_keys = on"))
    product = priced(session, 5)
    product.lines = [Line(order=7, place=1), Line(order=7, place=2)]
    session.commit()
    line = session.get(Line, (7, 2))
    assert va.history(line)[0].key == {"order": 7, "place": 2}
    with vestige.context(actor="bob"):
        session.execute(sa.delete(Product))
        session.commit()
    assert [(change.op, change.actor) for change in va.history(session, Line, 7, 2)] == [("DELETE", "bob"), ("INSERT", "ann")]
    assert ops(va.changes(session, Line, newest_first=True)) == ["DELETE", "DELETE", "INSERT", "INSERT"]
    assert {change.actor for change in va.changes(session, actor="bob")} == {"bob"}


def test_a_model_as_it_was(session: Any) -> None:
    product = priced(session, 999, 899)
    session.add_all([Product(id=2, name="Cup", cost=7), Line(order=1, place=1, product_id=2)])
    session.commit()
    [_, first] = va.history(product)
    past = va.as_of(Product, first.at)
    was = session.scalars(sa.select(past).where(past.id == 1)).one()
    assert (type(was), was.cost, product.cost) == (Product, 999, 899)
    assert was is not product
    # It is no state of the session: neither taken for what is now, nor written, nor loaded anew.
    was.cost = 1
    assert was not in session
    session.commit()
    assert (was.name, session.get(Product, 1).cost) == ("Teapot", 899)

    now = datetime.datetime.now(UTC)
    both = va.as_of(Product, now)
    assert session.scalars(sa.select(both.name).where(both.cost > 5).order_by(both.id)).all() == ["Teapot", "Cup"]
    joined = sa.select(Line.place, past.name, both.cost).join(both, both.id == Line.product_id).outerjoin(past, past.id == both.id)
    if session.get_bind().dialect.name == "postgresql":
        assert session.execute(joined).all() == [(1, None, 7)]
    table = va.as_of(Product.__table__, first.id)
    assert session.execute(sa.select(table.c.price)).all() == [(999,)]
    assert session.query(va.as_of(Product, first.id)).all()[0].cost == 999
    with pytest.raises(ValueError, match="without a zone"):
        va.as_of(Product, datetime.datetime(2026, 1, 1))


def test_undoing(session: Any) -> None:
    product = priced(session, 999, 899, 949)
    newest, older, _ = va.history(product)
    with vestige.context(actor="bob", reason="wrong price"):
        with pytest.raises(va.Conflict) as caught:
            va.revert(session, older.tx)
        assert isinstance(caught.value, exc.DBAPIError)
        session.rollback()
        assert va.undo(session, newest).done == "applied"
        assert product.cost == 899
        session.commit()
        assert va.revert(session, older.tx, force=True) == 1
    assert product.cost == 999
    session.rollback()
    assert product.cost == 899
    assert (va.history(product)[0].actor, len(va.history(product))) == ("bob", 4)


def test_erasing(session: Any) -> None:
    priced(session, 999, 899)
    with vestige.without(), pytest.raises(vestige.MissingContext):
        va.erase(session, Product, 1)
    session.rollback()
    va.erase(session, Product, 1, reason="GDPR 4711")
    session.commit()
    *rest, erase = va.changes(session, Product)
    assert (erase.op, erase.context["reason"]) == ("ERASE", "GDPR 4711")
    assert all(change.new is None or not change.new.get("name") for change in rest)


def test_reports(session: Any) -> None:
    since = datetime.datetime.now(UTC) - datetime.timedelta(minutes=1)
    priced(session, 1, 2, 3)
    with vestige.context.of({"actor": "bob", "reason": None}):
        session.add(Line(order=1, place=1))
        session.commit()
    until = datetime.datetime.now(UTC) + datetime.timedelta(minutes=1)
    [first, second] = va.report(session, since, until, target=Product)
    assert (first.by, first.op, first.changes, first.transactions) == ("ann", "UPDATE", 2, 2)
    assert (second.op, second.changes) == ("INSERT", 1)
    [line] = va.report(session, since, until, by="reason", target=Line)
    assert (line.by, line.changes) == (None, 1)
    assert not va.report(session, until, until)


async def test_async(async_engine: Any, told: list[Any]) -> None:
    with vestige.context(actor="ann", reason="test"):
        async with AsyncSession(async_engine, expire_on_commit=False) as session:
            product = Product(id=1, name="Teapot", cost=999)
            session.add(product)
            await session.commit()
            product.cost = 1
            await session.commit()
            newest, first = await va.history(product)
            assert (newest.old, newest.actor) == ({"cost": 999}, "ann")
            assert await va.history(session, Product, 1) == [newest, first]
            assert (await session.scalars(sa.select(va.as_of(Product, first.id)))).one().cost == 999
            assert (await va.undo(session, newest)).done == "applied"
            await session.refresh(product)
            assert product.cost == 999
            await session.commit()
            assert [blame.who for blame in await va.blame(product)] == ["ann"] * 4
            assert await session.run_sync(lambda sync: len(va.history(product))) == 3
            await va.erase(session, Product, 1)
            await session.commit()
            assert len(await va.changes(session, Product)) == 4
    assert told == [("flag", 999, 1, "ann"), ("flag", 1, 999, "ann")]
    assert await va.reconcile(async_engine, Base) == []
