"""When an adapter says the context: the rules that all adapters of PostgreSQL share.

In a transaction the context in force is said with its BEGIN, also when it is empty, since a session that is handed on may say
somebody else's. It is said again when it is another before a statement, and after ROLLBACK TO, which may have undone it.
"""

from __future__ import annotations

from vestige._context import said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Autocommit = Literal["transaction", "off"]
    Empty = Literal["say", "keep"]


def wanted(before: str | None, empty: Empty) -> str | None:
    """What has to be said now; None: nothing.

    before   what was said in this transaction; None: nothing yet
    empty    "keep": a transaction that has no context keeps what the session itself says, as a cron job may mean it
    """
    text = said()
    if text == before or (not text and before is None and empty == "keep"):
        return None
    return text
