"""pg-audit's table, as a view of the trail: its columns, in its words."""

from __future__ import annotations

import re

from vestige import _install

__all__ = ["generate_auditlog_partitions_sql", "generate_auditlog_table_sql"]

_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\.[A-Za-z_][A-Za-z0-9_]*)?")

# Rows of tables that generate_trigger_sql() tracks are recorded whole, so that old_data is the whole row as well.
_VIEW = """create or replace view {name} as
select l.id, l.action as operation, l.changed_at, l.record_id as object_id, l.table_name,
  case when u.id operator(pg_catalog.~) '^[0-9]{{1,9}}$' then u.id::pg_catalog.int4 end as user_id,
  case l.action when 'UPDATE' then l.new_values operator(pg_catalog.||) l.old_values else l.old_values end as old_data,
  l.new_values as new_data,
  (select pg_catalog.jsonb_object_agg(f.name, pg_catalog.jsonb_build_object('old', l.old_values operator(pg_catalog.->) f.name,
     'new', l.new_values operator(pg_catalog.->) f.name)) from pg_catalog.unnest(l.changed_fields) as f(name)) as diff,
  l.request_id as context_id, l.context as meta
from vestige.audit_log l
  cross join lateral (
    select coalesce(l.context operator(pg_catalog.->>) 'user_id', l.context operator(pg_catalog.->>) 'actor') as id) u;
"""


def generate_auditlog_table_sql(table_name: str = "auditlog") -> str:
    """The trail, and a view of this name over it. It may run again, in a transaction of its own or in one that is open."""
    if not _NAME.fullmatch(table_name):
        raise ValueError(f"not a name of a table: {table_name!r}")
    name = ".".join(f'"{part.lower()}"' for part in table_name.split("."))  # as PostgreSQL reads names without quotes
    return f"{_install.installation()}\n{_VIEW.format(name=name)}"


def generate_auditlog_partitions_sql(table_name: str = "auditlog", months_ahead: int = 3) -> str:
    """The partitions of the time to come; `vestige.maintain()` also takes away what retention is over for."""
    return "select vestige.maintain();"
