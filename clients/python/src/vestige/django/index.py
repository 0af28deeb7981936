"""Track in Meta.indexes: a policy that stands in the migrations.

Django's autodetector compares indexes, writes AddIndex and RemoveIndex, and takes them back; and where it makes a table of SQLite
anew, it makes its indexes anew. So nothing of Django's has to be patched. It is no index, and the database has none of it.
"""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.backends.ddl_references import Statement, Table

from vestige.django.policy import Policy

__all__ = ["Track"]


class Track(models.Index):
    """The model is tracked, by this policy (register() has its arguments).

    class Meta:
        indexes = [vestige.django.Track(name="product_audit", exclude_fields=["seen_at"])]
    """

    def __init__(self, *, name: str, **policy: Any) -> None:
        if not name or len(name) > self.max_name_length:
            raise ValueError(f"a Track needs a name of up to {self.max_name_length} characters")
        # models.Index insists on columns.
        self.fields: list[str] = []
        self.fields_orders: list[tuple[str, str]] = []
        self.expressions: tuple[Any, ...] = ()
        self.opclasses: tuple[Any, ...] = ()
        self.include: tuple[Any, ...] = ()
        self.condition = None
        self.db_tablespace = None
        self.name = name
        self.policy = Policy(**policy)

    def __repr__(self) -> str:
        return f"<Track: name={self.name!r}>"

    def deconstruct(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return "vestige.django.Track", (), {"name": self.name, **self.policy.arguments()}

    def create_sql(self, model: Any, schema_editor: Any, using: str = "", **kwargs: Any) -> Any:
        from vestige.django import reconcile

        tables = list(self.policy.tables(model))
        if not schema_editor.collect_sql:
            reconcile.ensure(schema_editor.connection)
            for table in tables[1:]:
                schema_editor.deferred_sql.append(_statement(schema_editor, table.name, _tracking(schema_editor, table)))
        return _statement(schema_editor, tables[0].name, _tracking(schema_editor, tables[0]))

    def remove_sql(self, model: Any, schema_editor: Any, **kwargs: Any) -> Any:
        from vestige.django import reconcile

        if not schema_editor.collect_sql:
            reconcile.ensure(schema_editor.connection)
        return _statement(schema_editor, model._meta.db_table, _UNTRACK[schema_editor.connection.vendor])


_UNTRACK = {
    "postgresql": "select vestige.untrack(t.relation::regclass) from vestige.tracked t"
    " where t.relation = %(table)s::regclass and t.untracked_at is null",
    "sqlite": "select vestige_untrack(t.name) from vestige_table t where t.name = %(table)s and t.untracked_at is null",
}


def _statement(schema_editor: Any, table: str, template: str) -> Any:
    """A statement that goes with the table when Django gives it another name."""
    quoted = schema_editor.connection.vendor == "postgresql"

    def literal(name: str) -> str:
        return "'" + (schema_editor.quote_name(name) if quoted else name).replace("'", "''") + "'"

    return Statement(template, table=Table(table, literal))


def _tracking(schema_editor: Any, table: Any) -> str:
    """The statement that tells the trail of a table; its name is left open."""
    if schema_editor.connection.vendor == "sqlite":
        text = json.dumps({**table.said, "baseline": table.baseline})
        return f"select vestige_track(%(table)s, {_quoted(text)})"
    said = "".join(f', "{name}" => {_value(value)}' for name, value in table.said.items())
    return f"select vestige.track(%(table)s::regclass{said}, baseline => {'true' if table.baseline else 'false'})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"array[{', '.join(_quoted(one) for one in value)}]::text[]"
    return _quoted(json.dumps(value)) + "::jsonb" if isinstance(value, dict) else _quoted(value)
