"""pg-audit's context: who, why and whatever else, said by vestige.context.

    with audit_context.use(user_id=7), audit_context.use_change_reason("Bulk update for compliance"):
        ...                                   # through a connection of vestige.psycopg and its like

Reasons within reasons are joined: `monthly close -> correction`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import vestige
from vestige import _context

if TYPE_CHECKING:
    from vestige._context import _Frame

__all__ = ["AuditContext", "audit_context", "with_change_reason", "with_context"]

# What is called otherwise here; any other name is kept as well.
_NAMES: Final = {"change_reason": "reason", "client_ip": "ip_address", "session_key": "session_id"}


def _fields(said: dict[str, Any]) -> dict[str, Any]:
    fields = {_NAMES.get(name, name): value for name, value in said.items()}
    # Who it is, by name where there is one; user_id is kept besides, for the view.
    for name in ("username", "user_id"):
        if fields.get(name) is not None:
            fields.setdefault("actor", fields[name])
    return fields


class with_change_reason(vestige.context):
    """A block, or a decorator of any function, that changes something for a reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)
        self._reason = reason

    def _open(self, parent: _Frame | None) -> _Frame:
        frame = super()._open(parent)
        outer = parent
        while outer is not None and not isinstance(outer.opener, with_change_reason):
            outer = None if outer.alone else outer.parent
        if outer is not None:
            frame.fields["reason"] = f"{outer.fields['reason']} -> {self._reason}"
        return frame


def with_context(**fields: Any) -> vestige.context:
    """A block, or a decorator of any function, under these fields."""
    return vestige.context.of(_fields(fields))


class AuditContext:
    """What `audit_context` is; it has no state of its own."""

    def use(self, reset: bool = True, **fields: Any) -> vestige.context:
        return with_context(**fields)

    def use_change_reason(self, reason: str, reset: bool = True) -> vestige.context:
        return with_change_reason(reason)

    def set(self, key: str, value: Any) -> None:
        """For the rest of the innermost block."""
        vestige.annotate(**_fields({key: value}))

    def get(self, key: str) -> Any:
        return _context.current().get(_NAMES.get(key, key))

    def get_change_reason(self) -> str:
        return str(self.get("change_reason") or "")


audit_context: Final = AuditContext()
