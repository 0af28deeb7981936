"""pg-audit's trigger of a table: a policy of Vestige's."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["generate_trigger_sql"]


def _literal(text: str) -> str:
    """A text in SQL, whatever standard_conforming_strings is."""
    quoted = "'" + text.replace("'", "''") + "'"
    return "E" + quoted.replace("\\", "\\\\") if "\\" in text else quoted


def _list(names: Sequence[str]) -> str:
    return f"array[{', '.join(_literal(name) for name in names)}]::text[]"


def generate_trigger_sql(
    table_name: str,
    audit_table: str = "auditlog",
    track_only: Sequence[str] | None = None,
    exclude_fields: Sequence[str] | None = None,
    log_conditions: str | None = None,
) -> str:
    """The statement that has a table recorded from now on; again, with another policy, changes it.

    table_name      as it is written in SQL
    log_conditions  SQL over NEW and OLD, which runs with the rights of the trail's owner: of the program, never of anybody's input
    """
    if track_only is not None and exclude_fields is not None:
        raise ValueError(f"{table_name}: track_only or exclude_fields, not both")
    policy = [_literal(table_name)]
    if track_only is not None:
        policy.append(f"include => {_list(track_only)}")
    if exclude_fields is not None:
        policy.append(f"exclude => {_list(exclude_fields)}")
    if log_conditions is not None:
        policy.append(f'"when" => {_literal(log_conditions)}')
    return f"select vestige.track({', '.join(policy)}, capture => 'full');"
