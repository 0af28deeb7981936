"""The fields of a context that have a meaning of their own; any others are kept as well.

They are those of vestige/record/change.h, in the same order: tests/test_fields.py compares.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FIELDS: Final = (
    "actor",
    "on_behalf_of",
    "reason",
    "business_process",
    "request_id",
    "session_id",
    "ip_address",
    "user_agent",
    "auth_method",
    "auth_role",
    "traceparent",
)
