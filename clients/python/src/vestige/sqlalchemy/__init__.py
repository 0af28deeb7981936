"""SQLAlchemy: engines whose transactions say who acts, and models that know their history.

    import vestige.sqlalchemy as va
    va.install(engine)                        # of create_engine or create_async_engine, before its first connection
    va.track(Base)                            # which tables, and how
    with vestige.context(actor="ann", reason="summer sale"), Session(engine) as session: ...
    va.history(product)                       # newest first, with values as the model has them

Sessions and connections may be async: what is asked of one is then awaited.
"""

from vestige.sqlalchemy._alerts import forget, on_change
from vestige.sqlalchemy._install import Conflict, MissingContext, install
from vestige.sqlalchemy._past import as_of
from vestige.sqlalchemy._policy import Track, init, reconcile, track, untrack, untracked
from vestige.sqlalchemy._verbs import Count, blame, changes, erase, history, report, revert, undo

__all__ = [
    "Conflict",
    "Count",
    "MissingContext",
    "Track",
    "as_of",
    "blame",
    "changes",
    "erase",
    "forget",
    "history",
    "init",
    "install",
    "on_change",
    "reconcile",
    "report",
    "revert",
    "track",
    "undo",
    "untrack",
    "untracked",
]
