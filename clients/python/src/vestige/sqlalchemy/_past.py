"""A model's rows as they were, as something to select from: joins, conditions and order work on it as on the model itself."""

from __future__ import annotations

import datetime
import functools
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event, orm
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.functions import FunctionElement

from vestige import values
from vestige._records import moment
from vestige.errors import ExtensionUnavailable, VestigeError
from vestige.sqlalchemy._policy import table_of
from vestige.sqlalchemy._trail import Trail

VALUE: Final = "vestige_value"  # the function of SQLite that takes a value out of a row
_TOKEN: Final = "as it was"


class _Past(FunctionElement[Any]):
    """The rows of a table at a moment."""

    name = "vestige_past"
    inherit_cache = False

    def __init__(self, table: sa.Table, at: datetime.datetime | int) -> None:
        super().__init__(sa.literal(moment(at), sa.Text()))
        self.table = table
        self.by_change = isinstance(at, int)


@compiles(_Past)
def _of_postgres(element: _Past, compiler: Any, **named: Any) -> str:
    function, kind = ("as_of_change", "bigint") if element.by_change else ("as_of", "timestamptz")
    row = compiler.preparer.format_table(element.table)
    return f"vestige.{function}(null::{row}, ({compiler.process(element.clauses, **named)})::text::{kind})"


@compiles(_Past, "sqlite")
def _of_sqlite(element: _Past, compiler: Any, **named: Any) -> str:
    name = compiler.render_literal_value(element.table.name, sa.Text())
    columns = ", ".join(
        f"{VALUE}(p.row, {compiler.render_literal_value(column.name, sa.Text())}) as {compiler.preparer.quote(column.name)}"
        for column in element.table.columns
    )
    return f"(select {columns} from vestige_at({name}, {compiler.process(element.clauses, **named)}) as p)"


def as_of(target: Any, at: datetime.datetime | int) -> Any:
    """The rows of a model as they were at a time, or after the change of this id: select(as_of(Product, at)).where(…) gives
    instances that belong to no session; of a Table, a subquery.

    Conditions on it take as_of's own columns: past = as_of(Product, at); select(past).where(past.price > 100).
    """
    if isinstance(at, datetime.datetime) and at.tzinfo is None:
        raise ValueError("a time without a zone is nobody's time: say timezone.utc, or what it is")
    table = table_of(target)
    if not isinstance(target, sa.Table) and len(sa.inspect(target).tables) > 1:
        raise NotImplementedError(f"{target!r} is kept in several tables: ask for each Table")
    past: Any = _Past(table, at).table_valued(*(sa.column(column.name, column.type) for column in table.columns))
    if isinstance(target, sa.Table):
        return past
    _listen()
    return orm.aliased(target, past, adapt_on_names=True)


@functools.cache
def _listen() -> None:
    event.listen(orm.Session, "do_orm_execute", _apart)


def _apart(state: Any) -> Any:
    """What was is no state of the session: neither taken for what is now, nor written, nor loaded anew."""
    if not state.is_select or state.is_relationship_load or state.is_column_load:
        return None
    if not any(isinstance(element, _Past) for element in visitors.iterate(state.statement)):
        return None
    result = state.invoke_statement(execution_options=_token(state))
    frozen = result.freeze()
    for row in frozen.data:
        for one in row if isinstance(row, (tuple, list, sa.engine.Row)) else (row,):
            found: Any = sa.inspect(one, raiseerr=False)
            if isinstance(found, orm.state.InstanceState) and found.identity_token == _TOKEN and one in state.session:
                state.session.expunge(one)
    return frozen()


def _token(state: Any) -> dict[str, Any]:
    if sa.__version__ >= "2":
        return {"identity_token": _TOKEN}
    from sqlalchemy.orm.context import QueryContext

    options: Any = state.execution_options.get("_sa_orm_load_options", QueryContext.default_load_options)
    return {"_sa_orm_load_options": options + {"_refresh_identity_token": _TOKEN}}


@functools.lru_cache(maxsize=8)
def _row(text: str) -> dict[str, Any]:
    return values.decoded_sqlite(text) or {}


def before_past(
    connection: sa.engine.Connection, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    """On SQLite: what as_of() needs is loaded when it is first asked for."""
    if f"{VALUE}(" not in statement:
        return
    if not Trail(connection).loaded:
        raise ExtensionUnavailable("as_of() needs the loadable extension (docs/sqlite-extension.md)")
    if VALUE not in connection.info:
        connection.connection.create_function(VALUE, 2, _value)
        connection.info[VALUE] = True


def _value(row: str, column: str) -> Any:
    """What vestige_value() of SQLite is: as it was stored."""
    found = _row(row).get(column)
    if isinstance(found, values.Withheld):  # a driver hands no error on but that there was one
        raise VestigeError(f"as_of: what {column} was is not given: {found}")
    return found
