"""Contexts by themselves: they merge, are undone, and are nobody else's."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import datetime
import decimal
import json
import pathlib
import random
import re
import subprocess
import sys
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import vestige
from vestige._context import said

SOURCE = pathlib.Path(__file__).resolve().parents[3]


def now() -> dict[str, Any]:
    return dict(vestige.current())


@pytest.fixture(autouse=True)
def _nothing_open() -> Iterator[None]:
    assert now() == {}
    yield
    assert now() == {}


def test_fields_are_those_of_the_product() -> None:
    header = (SOURCE / "vestige/record/change.h").read_text()
    listed = re.search(r"kContextFields = \{(.*?)\}", header, re.DOTALL)
    assert listed is not None
    assert tuple(re.findall(r'"(\w+)"', listed[1])) == vestige.FIELDS


def test_nothing_but_what_is_used_is_imported() -> None:
    """Every program pays for it at its start, on any machine: modules are counted, and none of them is anybody else's."""
    command = "import sys; before = set(sys.modules); import vestige; print(*sorted(set(sys.modules) - before))"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", command],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(SOURCE / "clients/python/src")},
    ).stdout
    modules = set(printed.split())
    own = {name for name in modules if name.partition(".")[0] == "vestige"}
    assert own == {"vestige", *(f"vestige.{name}" for name in ("_context", "_fields", "_render", "_signing", "errors"))}
    assert {name for name in modules - own if name.partition(".")[0] not in sys.stdlib_module_names} == set()
    heavy = (
        "typing",
        "logging",
        "inspect",
        "asyncio",
        "dataclasses",
        "decimal",
        "datetime",
        "hashlib",
        "random",
        "sqlite3",
        "importlib",
    )
    assert modules.isdisjoint(heavy)
    assert len(modules) <= 45  # those of json, re and contextvars; where there is no site, of os as well


def test_inner_ones_merge_and_are_undone() -> None:
    with vestige.context(actor="ann", reason="a", ticket=1):
        with vestige.context("bob", reason=None, more=[1]):
            assert now() == {"actor": "bob", "reason": "a", "ticket": 1, "more": [1]}
            with vestige.context.of({"reason": None}):
                assert now() == {"actor": "bob", "ticket": 1, "more": [1]}
        assert now() == {"actor": "ann", "reason": "a", "ticket": 1}


def test_an_error_undoes_as_well() -> None:
    with pytest.raises(ValueError, match="deep"), vestige.context(actor="ann"), vestige.context(actor="bob"):
        raise ValueError("deep")
    assert now() == {}


def test_without() -> None:
    with vestige.context(actor="ann"):
        with vestige.without():
            assert now() == {}
            with vestige.context(reason="r"):
                assert now() == {"reason": "r"}
        assert now() == {"actor": "ann"}


def test_annotate_is_for_the_innermost_one() -> None:
    vestige.annotate(actor="nobody")
    with vestige.context(reason="outer"):
        with vestige.context(reason="inner"):
            vestige.annotate(actor="ann")
            assert now() == {"actor": "ann", "reason": "inner"}
        assert now() == {"reason": "outer"}
        vestige.annotate(actor="bob", reason=None)
        assert now() == {"actor": "bob"}


async def test_annotate_is_seen_by_whoever_shares_the_context() -> None:
    """A dependency that runs in another thread finds the user; the handler that waits for it says the name."""
    with vestige.context(reason="request"):
        await asyncio.to_thread(vestige.annotate, actor="ann")
        assert now() == {"actor": "ann", "reason": "request"}

        async def inner() -> None:
            with vestige.context(reason="inner"):
                vestige.annotate(actor="bob")

        await asyncio.create_task(inner())
        assert now() == {"actor": "ann", "reason": "request"}


def test_annotate_changes_what_is_said() -> None:
    with vestige.context(actor="ann"), vestige.context(reason="r"):
        first = said()
        assert said() is first
        vestige.annotate(n=1)
        assert said() == '{"actor":"ann","reason":"r","n":1}'


def test_a_value_is_asked_for_once_and_late() -> None:
    asked = []

    def who() -> str:
        asked.append(now())
        return "ann"

    with vestige.context(actor=who, reason="r"):
        assert asked == []
        assert said() == '{"actor":"ann","reason":"r"}'
        assert said() == '{"actor":"ann","reason":"r"}'
        with vestige.context(reason="inner"):
            assert said() == '{"actor":"ann","reason":"inner"}'
    assert asked == [{"reason": "r"}]


def test_a_value_that_is_annotated_while_it_is_asked_for() -> None:
    """A user that is looked up finds out more on the way; what the database is told meanwhile is without it, and not kept."""

    def who() -> str:
        assert said() == '{"reason":"r"}'
        vestige.annotate(ticket=7)
        return "ann"

    with vestige.context(actor=who, reason="r"):
        first = json.loads(said())
        assert first["actor"] == "ann"
        assert json.loads(said()) == {"actor": "ann", "reason": "r", "ticket": 7}


def test_as_a_decorator() -> None:
    @vestige.context(actor="ann")
    def inner(n: int) -> list[Any]:
        """What it says."""
        return [n, now(), inner(n - 1) if n else None]

    assert inner(1) == [1, {"actor": "ann"}, [0, {"actor": "ann"}, None]]
    assert (inner.__name__, inner.__doc__) == ("inner", "What it says.")


async def test_as_a_decorator_of_coroutines() -> None:
    @vestige.context(actor="ann")
    async def inner() -> dict[str, Any]:
        await asyncio.sleep(0)
        return now()

    assert await inner() == {"actor": "ann"}
    async with vestige.context(actor="bob") as opened, opened:
        assert now() == {"actor": "bob"}


def test_a_generator_keeps_its_context_to_itself() -> None:
    @vestige.context(actor="ann")
    def numbers() -> Iterator[Any]:
        try:
            got = yield now()
            with vestige.context(reason="late"):
                try:
                    yield got, now()
                except KeyError:
                    yield now()
        finally:
            ended.append(now())

    ended: list[Any] = []
    running = numbers()
    assert next(running) == {"actor": "ann"}
    assert now() == {}
    with vestige.context(actor="caller"):
        assert running.send(7) == (7, {"actor": "ann", "reason": "late"})  # type: ignore[attr-defined]
        assert now() == {"actor": "caller"}
    assert running.throw(KeyError()) == {"actor": "ann", "reason": "late"}  # type: ignore[attr-defined]
    running.close()  # type: ignore[attr-defined]
    assert ended == [{"actor": "ann"}]
    assert list(vestige.context(actor="x")(lambda: [now()])()) == [{"actor": "x"}]


async def test_an_async_generator_keeps_its_context_to_itself() -> None:
    @vestige.context(actor="ann")
    async def numbers() -> AsyncIterator[Any]:
        try:
            yield now()
            await asyncio.sleep(0)
            yield now()
        finally:
            ended.append(now())

    ended: list[Any] = []
    seen = []
    async for value in numbers():
        seen.append((value, now()))
    assert seen == [({"actor": "ann"}, {}), ({"actor": "ann"}, {})]
    running = numbers()
    await anext(running)
    await running.aclose()  # type: ignore[attr-defined]
    assert ended == [{"actor": "ann"}, {"actor": "ann"}]


def test_ends_in_any_order_leave_nothing() -> None:
    """All orders in which four contexts can be opened and closed by hand, as generators and fixtures do."""
    random.seed(20261129)
    for _ in range(300):
        open_ones: list[tuple[Any, str]] = []
        for step in range(8):
            if open_ones and random.random() < 0.5:
                one, _name = open_ones.pop(random.randrange(len(open_ones)))
                one.__exit__(None, None, None)
            else:
                one = vestige.context.of({f"f{step}": step})
                one.__enter__()
                open_ones.append((one, f"f{step}"))
                assert now()[f"f{step}"] == step
        for one, _name in open_ones:
            one.__exit__(None, None, None)
        assert now() == {}


def test_ended_elsewhere_changes_nothing_here() -> None:
    one = vestige.context(actor="ann")
    contextvars.copy_context().run(one.__enter__)
    one.__exit__(None, None, None)
    with vestige.context(actor="bob"):
        threading.Thread(target=one.__exit__, args=(None, None, None)).start()
        assert now() == {"actor": "bob"}


async def test_a_task_keeps_what_it_was_started_under() -> None:
    async def job() -> list[Any]:
        found = [now()]
        await started.wait()
        with vestige.context(reason="late"):
            found.append(now())
        return [*found, now()]

    started = asyncio.Event()
    with vestige.context(actor="ann"):
        task = asyncio.create_task(job())
        await asyncio.sleep(0)
    started.set()
    assert await task == [{"actor": "ann"}, {"actor": "ann", "reason": "late"}, {"actor": "ann"}]


def test_threads_do_not_see_each_other() -> None:
    def work(n: int) -> bool:
        good = now() == {}
        for step in range(50):
            with vestige.context(actor=f"{n}.{step}"):
                good = good and now() == {"actor": f"{n}.{step}"} and said() == f'{{"actor":"{n}.{step}"}}'
        return good and now() == {}

    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        assert all(pool.map(work, range(100)))


def test_carried_and_attached() -> None:
    fields = {"actor": "Zoë", "n": 1, "deep": {"a": [None, 1.5]}, "at": datetime.date(2026, 1, 2)}
    assert vestige.carrier() == {}
    with vestige.context.of(fields):
        headers = vestige.carrier()
    assert list(headers) == ["vestige"]
    assert headers["vestige"].isascii()
    with vestige.attach(headers):
        assert now() == fields | {"at": "2026-01-02"}
        with vestige.context(reason="job"):
            assert now()["reason"] == "job"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"vestige": ""},
        {"vestige": "x"},
        {"vestige": "[1]"},
        {"vestige": None},
        {"vestige": 7},
        {"vestige": b"\xff"},
        {"vestige": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"},
        {"vestige": '{"a":' + "9" * 10_000 + "}"},
        {"vestige": "null"},
    ],
)
def test_headers_of_others_are_no_context(headers: dict[str, Any]) -> None:
    with vestige.attach(headers):
        assert now() == {}


def test_values_of_python() -> None:
    one = uuid.UUID(int=7)
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc)
    with vestige.context(a=one, b=decimal.Decimal("1.10"), c=at, d=float("inf"), e={1}, f=(1, True, None), g={"x": at.time()}):
        assert said() == (
            '{"a":"00000000-0000-0000-0000-000000000007","b":"1.10","c":"2026-01-02T03:04:05.000006+00:00","d":"inf","e":[1],'
            '"f":[1,true,null],"g":{"x":"03:04:05.000006"}}'
        )


def test_the_span_of_opentelemetry() -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    with vestige.context(actor="ann"):
        assert now() == {"actor": "ann"}
    with TracerProvider().get_tracer("t").start_as_current_span("work") as span, vestige.context(actor="ann"):
        where = span.get_span_context()
        assert now()["traceparent"] == f"00-{where.trace_id:032x}-{where.span_id:016x}-{where.trace_flags:02x}"
        assert trace.get_current_span() is span
        with vestige.context(traceparent="given"):
            assert now()["traceparent"] == "given"
        with vestige.without():
            assert now() == {}


async def test_bound_to_the_context_of_then() -> None:
    async def later(*args: Any, **named: Any) -> tuple[Any, ...]:
        return now(), args, named

    with vestige.context(actor="ann"), vestige.context(reason="then"):
        plain, coroutine = vestige.bind(now), vestige.bind(later, 1, a=2)
    under_none = vestige.bind(now)
    with vestige.context(actor="bob"):
        assert plain() == {"actor": "ann", "reason": "then"} == plain()
        assert await coroutine(3, b=4) == ({"actor": "ann", "reason": "then"}, (1, 3), {"a": 2, "b": 4})
        assert under_none() == {}
        opens = vestige.bind(lambda: vestige.context(actor="eve").__enter__())
        opens()
        assert now() == {"actor": "bob"}
    assert now() == {}


async def test_detached_from_who_started_it() -> None:
    @vestige.detach
    async def loop() -> dict[str, Any]:
        return now()

    with vestige.context(actor="ann"):
        task = asyncio.create_task(loop())
        assert await task == {}
        assert vestige.detach(now)() == {}
        assert now() == {"actor": "ann"}
