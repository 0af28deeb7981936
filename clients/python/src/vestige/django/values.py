"""What the trail gives, as the fields of a model have it: by the converters that Django itself uses when it reads a row."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from django.db import connections, models

from vestige.values import Interval, Withheld

__all__ = ["instance_of", "key_of", "values_of"]


def key_of(model: Any, pk: Any, using: str) -> list[Any]:
    """The key as the trail takes it: a value for each column of it."""
    fields = getattr(model._meta, "pk_fields", None) or [model._meta.pk]
    given = pk if len(fields) > 1 else [pk]
    return [field.get_db_prep_value(one, connections[using]) for field, one in zip(fields, given, strict=True)]


def values_of(model: Any, row: Mapping[str, Any] | None, using: str, *, read: bool = False) -> dict[str, Any]:
    """A row of the trail by the attributes of the model; columns that it does not have keep their names.

    read  the row is one that the driver has read, as vestige.as_of gives them
    """
    if row is None:
        return {}
    fields = {field.column: field for field in model._meta.concrete_fields}
    return {
        (fields[name].attname if name in fields else name): _value(fields.get(name), value, using, read)
        for name, value in row.items()
    }


def _value(field: Any, value: Any, using: str, read: bool) -> Any:
    if field is None or value is None or isinstance(value, Withheld):
        return value
    connection = connections[using]
    if connection.vendor == "postgresql" and not read:
        value = _as_driver(field, value)
    column = field.get_col(field.model._meta.db_table)
    for converter in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
        try:
            value = converter(value, column, connection)
        except (TypeError, ValueError):  # it was of another type then
            return value
    return value


def _as_driver(field: Any, value: Any) -> Any:
    """What psycopg would have given to Django."""
    if isinstance(field, models.JSONField):
        return json.dumps(value, default=_number)
    if isinstance(value, Interval) and value.months == 0:
        return datetime.timedelta(days=value.days, microseconds=value.microseconds)
    return value


def _number(value: Any) -> Any:
    return float(value)


def instance_of(model: Any, values: Mapping[str, Any], using: str) -> Any:
    """An instance with these values, that is not saved; `extra` has what the model has no field for."""
    names = {field.attname for field in model._meta.concrete_fields}
    made = model(**{name: value for name, value in values.items() if name in names})
    made._state.db = using
    if not hasattr(model, "extra"):
        made.extra = {name: value for name, value in values.items() if name not in names}
    return made
