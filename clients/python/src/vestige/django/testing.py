"""For tests of an application: tables are not tracked in them, unless a test wants it.

    @tracked_for_test(Product)
    class PriceTest(RecordedMixin, TestCase):
        def test_sale(self):
            with vestige.context(actor="ann"):
                start_sale()
            self.assertRecorded(self.product, changed={"price"}, actor="ann")

The trail itself stands in a test's database, so that this costs some milliseconds. VESTIGE["TESTS"] = "on" tracks everything.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import ContextDecorator, ExitStack, contextmanager
from types import TracebackType
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction

from vestige.django.history import ModelHistory
from vestige.django.policy import Policy, by_migration, registered
from vestige.django.reconcile import ensure, policies, trail_of

__all__ = ["RecordedMixin", "tracked_for_test"]


class tracked_for_test(ContextDecorator):
    """Models are tracked, each by its own policy, for the length of a test: of a function, of each test of a class, or `with`."""

    def __init__(self, *models: Any, using: str = DEFAULT_DB_ALIAS) -> None:
        self._models = [model._meta.concrete_model for model in models]
        self._using = using
        self._open: list[ExitStack] = []

    def __enter__(self) -> None:
        stack = ExitStack()
        stack.enter_context(_tracked(self._models, self._using))
        self._open.append(stack)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._open.pop().close()

    def __call__(self, tested: Any) -> Any:
        if not isinstance(tested, type):
            return super().__call__(tested)
        kind: Any = tested
        before = kind.setUp

        @functools.wraps(before)
        def set_up(test: Any) -> None:
            stack = ExitStack()
            test.addCleanup(stack.close)
            stack.enter_context(_tracked(self._models, self._using))
            before(test)

        kind.setUp = set_up
        return tested


@contextmanager
def _tracked(models: list[Any], using: str) -> Iterator[None]:
    connection = connections[using]
    known = {**by_migration(), **registered()}
    with transaction.atomic(using=using):
        if connection.vendor == "postgresql":
            connection.check_constraints()  # those that are left for the end stand in the way of triggers
        ensure(connection)
        there, trail = policies(connection), trail_of(connection)
        tables = [table for model in models for table in known.get(model, Policy()).tables(model) if table.name not in there]
        names = {
            table.name: connection.ops.quote_name(table.name) if connection.vendor == "postgresql" else table.name
            for table in tables
        }
        for table in tables:
            trail.track(names[table.name], baseline=table.baseline, **table.said)
    try:
        yield
    finally:
        if not connection.in_atomic_block:  # else the end of the test takes it back
            for table in tables:
                trail_of(connection).untrack(names[table.name])


class RecordedMixin:
    """Assertions for a django.test.TestCase."""

    def assertRecorded(self, instance: Any, *, changed: set[str] | None = None, op: str | None = None, **context: Any) -> None:
        """The last change of a row: which fields it changed, what it was, and fields of its context."""
        versions = ModelHistory(type(instance)).using(instance._state.db or DEFAULT_DB_ALIAS).of(instance.pk).versions()
        assert versions, f"nothing is recorded of {instance!r}"
        last = versions[0]
        if op is not None:
            assert last.op == op, f"the last change of {instance!r} was {last.op}, not {op}"
        if changed is not None:
            found = {one.name for one in last.changes}
            assert found == changed, f"the last change of {instance!r} changed {sorted(found)}, not {sorted(changed)}"
        said = {name: last.context.get(name) for name in context}
        assert said == context, f"the last change of {instance!r} says {said}, not {context}"

    @contextmanager
    def assertNumRecorded(self, number: int, *, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
        """So many changes are recorded within the block, whatever they are of."""
        before = _count(using)
        yield
        found = _count(using) - before
        assert found == number, f"{found} changes were recorded, not {number}"


def _count(using: str) -> int:
    table = "vestige_change" if connections[using].vendor == "sqlite" else "vestige.change"
    with connections[using].cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        return int(cursor.fetchone()[0])
