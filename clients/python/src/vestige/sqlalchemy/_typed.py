"""Values of the trail as the columns of a model have them: the members of an Enum, what a TypeDecorator makes of them, the
booleans and times of SQLite."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import exc, orm, types

from vestige import values
from vestige.trail import Blame, Change


class Columns:
    """The columns of a table, by their names, each with the name that the model has for it."""

    def __init__(self, target: Any, table: sa.Table, dialect: sa.engine.Dialect) -> None:
        self._types = {column.name: column.type for column in table.columns}
        self._names = _attributes(target, table)
        self._dialect = dialect

    def change(self, change: Change) -> Change:
        return dataclasses.replace(
            change,
            key=self.row(change.key) or {},
            new_key=self.row(change.new_key),
            old=self.row(change.old),
            new=self.row(change.new),
            changed=None if change.changed is None else tuple(self.name(one) for one in change.changed),
        )

    def blame(self, blame: Blame) -> Blame:
        return dataclasses.replace(blame, column=self.name(blame.column), value=self.value(blame.column, blame.value))

    def row(self, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return None if row is None else {self.name(name): self.value(name, value) for name, value in row.items()}

    def name(self, column: str) -> str:
        return self._names.get(column, column)

    def value(self, column: str, value: Any) -> Any:
        """As the model has it; as the trail has it, where the column is no more or was of another type."""
        kind = self._types.get(column)
        if kind is None or value is None or isinstance(value, values.Withheld):
            return value
        try:
            return (
                _of_sqlite(kind, value, self._dialect)
                if self._dialect.name == "sqlite"
                else _of_postgres(kind, value, self._dialect)
            )
        except (TypeError, ValueError, LookupError, ArithmeticError, exc.SQLAlchemyError):
            return value


def _attributes(target: Any, table: sa.Table) -> dict[str, str]:
    if isinstance(target, sa.Table):
        return {}
    mapper: orm.Mapper[Any] = sa.inspect(target if isinstance(target, type) else type(target))
    return {column.name: mapper.get_property_by_column(column).key for column in table.columns if column in mapper.columns.values()}


def _of_sqlite(kind: Any, value: Any, dialect: sa.engine.Dialect) -> Any:
    """The trail keeps what SQLite itself has, so that the column's own type reads it."""
    processor = kind.dialect_impl(dialect).result_processor(dialect, None)
    return value if processor is None else processor(value)


def _of_postgres(kind: Any, value: Any, dialect: sa.engine.Dialect) -> Any:
    """The trail gives what a driver would; what the column's type makes of that is left."""
    if isinstance(value, values.Interval) and not value.months:
        return datetime.timedelta(days=value.days, microseconds=value.microseconds)
    if isinstance(kind, types.TypeDecorator) and not isinstance(kind, types.Interval):
        return kind.process_result_value(_of_postgres(kind.load_dialect_impl(dialect), value, dialect), dialect)
    if isinstance(kind, types.Enum):
        processor = cast(Any, kind).result_processor(dialect, None)
        return value if processor is None else processor(value)
    if isinstance(kind, types.ARRAY) and isinstance(value, list):
        return [None if one is None else _of_postgres(kind.item_type, one, dialect) for one in value]
    if isinstance(kind, types.Numeric) and isinstance(value, (decimal.Decimal, float)):
        return decimal.Decimal(repr(value) if isinstance(value, float) else value) if kind.asdecimal else float(value)
    if getattr(kind, "as_uuid", True) is False:
        return str(value)
    return value
