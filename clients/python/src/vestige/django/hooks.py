"""The hook on Django's connections: every alias, every thread, and nothing of Django's is patched.

psycopg 3's connections become ours when Django has opened them (also out of a pool), psycopg2's and sqlite3's are opened as ours
by the option that these drivers have for it. So the context goes where the drivers' adapters say it.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from django.db import connections
from django.db.backends.signals import connection_created

from vestige.django.conf import setting
from vestige.django.errors import Translating
from vestige.django.signals import observe
from vestige.django.sqlite_ddl import follow

VENDORS = ("postgresql", "sqlite")


def aliases() -> list[str]:
    """The databases that may have a trail."""
    wanted = setting("DATABASES")
    return [alias for alias in connections if (wanted is None or alias in wanted) and connections[alias].vendor in VENDORS]


def install() -> None:
    connection_created.connect(_created, dispatch_uid="vestige.django")
    for alias in aliases():
        prepare(connections[alias])


def prepare(wrapper: Any) -> None:
    """The driver's own option for the class of its connections, where it has one."""
    settings = wrapper.settings_dict
    if wrapper.vendor == "sqlite":
        import vestige.sqlite

        _factory(settings, "factory", vestige.sqlite.Connection, sqlite3.Connection)
    elif not _is_psycopg3():
        import psycopg2.extensions

        import vestige.psycopg2

        _factory(settings, "connection_factory", vestige.psycopg2.Connection, psycopg2.extensions.connection)


def _factory(settings: dict[str, Any], name: str, ours: type, plain: type) -> None:
    theirs = settings["OPTIONS"].get(name, plain)
    if not issubclass(theirs, ours):
        made = ours if theirs is plain else type(theirs.__name__, (ours, theirs), {"__module__": theirs.__module__})
        settings["OPTIONS"] = {**settings["OPTIONS"], name: made}


def _is_psycopg3() -> bool:
    from django.db.backends.postgresql.psycopg_any import is_psycopg3

    return bool(is_psycopg3)


def _created(connection: Any, **_: Any) -> None:
    wanted = setting("DATABASES")
    if connection.vendor not in VENDORS or (wanted is not None and connection.alias not in wanted):
        return
    if connection.vendor == "postgresql" and _is_psycopg3():
        from vestige.psycopg import adopt

        adopt(connection.connection)
    for wrapper in (observe, *([follow] if connection.vendor == "sqlite" else [])):
        if wrapper not in connection.execute_wrappers:
            connection.execute_wrappers.append(wrapper)
    connection.wrap_database_errors = Translating(connection)
