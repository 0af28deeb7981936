"""A context as a row of SQLite (docs/sqlite.md, "Context")."""

from __future__ import annotations

import json

from vestige._fields import FIELDS
from vestige._signing import signed


def row_of(text: str) -> list[str | None]:
    """The context as the columns of vestige_session: the known fields, and an object of the others. It is signed anew each time."""
    fields = json.loads(signed(text))
    extra = {name: value for name, value in fields.items() if name not in FIELDS}
    known = [fields.get(name) for name in FIELDS]
    row = [value if value is None or isinstance(value, str) else json.dumps(value) for value in known]
    return [*row, json.dumps(extra) if extra else None]
