"""SQLAlchemy: engines whose transactions say who acts.

import vestige.sqlalchemy as va
va.install(engine)                        # of create_engine or create_async_engine, before its first connection
with vestige.context(actor="ann", reason="summer sale"), Session(engine) as session: ...
"""

from vestige.sqlalchemy._install import Conflict, MissingContext, install

__all__ = ["Conflict", "MissingContext", "install"]
