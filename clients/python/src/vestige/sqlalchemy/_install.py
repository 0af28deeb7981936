"""The connections of an engine become those of Vestige's adapter for its driver. Nothing is sent that the adapter does not send."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import event, exc
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from vestige import errors
from vestige._sqlite_connections import renamed
from vestige.sqlalchemy._alerts import watch
from vestige.sqlalchemy._past import before_past
from vestige.sqlalchemy._trail import EXTENSION

if TYPE_CHECKING:
    from vestige._saying import Autocommit, Empty

_E = TypeVar("_E")
_INSTALLED = "vestige_installed"


class MissingContext(errors.MissingContext, exc.DBAPIError):
    pass


class Conflict(errors.Conflict, exc.DBAPIError):
    pass


def install(engine: _E, *, autocommit: Autocommit = "transaction", empty: Empty = "say", extension: str | None = None) -> _E:
    """Makes every connection of an engine, sync or async, say the context in force; gives the engine back.

    autocommit   "transaction": a single statement that may write is sent under the context in AUTOCOMMIT, too; "off": it is not
    empty        "keep": a transaction without a context keeps what its session says, as a cron job may mean it
    extension    on SQLite, the path of the loadable extension; without it that of the package vestige-sqlite
    """
    sync: Any = getattr(engine, "sync_engine", engine)
    dialect = sync.dialect
    if getattr(dialect, _INSTALLED, False):
        return engine
    _CONNECTS[_driver(dialect)](dialect, {"vestige_autocommit": autocommit, "vestige_empty": empty})
    setattr(dialect, _INSTALLED, True)
    setattr(dialect, EXTENSION, extension)
    event.listen(sync, "connect", _made(dialect))
    event.listen(sync, "checkout", _handed(dialect))
    event.listen(sync, "handle_error", _by_name)
    watch(sync)
    if dialect.name == "sqlite":
        event.listen(sync, "before_cursor_execute", before_past)
    return engine


def _driver(dialect: Any) -> str:
    name = f"{dialect.name}+{dialect.driver}"
    if name == "postgresql+psycopg" and dialect.is_async:
        name = "postgresql+psycopg_async"
    if name not in _CONNECTS:
        raise NotImplementedError(f"Vestige has no adapter for {name}; there is one for {', '.join(sorted(_CONNECTS))}")
    return name


def _class(module: str, name: str, options: dict[str, str], given: type | None = None) -> Any:
    """The adapter's class of connections, over the program's own where it has one, and with other options than the usual."""
    kind: Any = getattr(importlib.import_module(f"vestige.{module}"), name)
    differing = {option: value for option, value in options.items() if getattr(kind, option, value) != value}
    if given is not None and issubclass(given, kind):
        kind, given = given, None
    bases = (kind,) if given is None or issubclass(kind, given) else (kind, given)
    return kind if not differing and bases == (kind,) else type(kind.__name__, bases, {"__module__": kind.__module__, **differing})


def _named(parameter: str, module: str) -> Callable[[Any, dict[str, str]], None]:
    """For drivers whose connect() has a parameter for the class."""

    def change(dialect: Any, options: dict[str, str]) -> None:
        connect = dialect.connect

        def saying(*args: Any, **named: Any) -> Any:
            named[parameter] = _class(module, "Connection", options, named.get(parameter))
            return connect(*args, **named)

        dialect.connect = saying

    return change


def _psycopg(dialect: Any, options: dict[str, str]) -> None:
    dialect.connect = _class("psycopg", "Connection", options).connect


def _psycopg_async(dialect: Any, options: dict[str, str]) -> None:
    connect, kind = dialect.connect, _class("psycopg", "AsyncConnection", options)

    def saying(*args: Any, **named: Any) -> Any:
        named.setdefault("async_creator_fn", kind.connect)
        return connect(*args, **named)

    dialect.connect = saying


def _aiosqlite(dialect: Any, options: dict[str, str]) -> None:
    _named("factory", "sqlite")(dialect, options)
    dialect.dbapi.aiosqlite = importlib.import_module("vestige.aiosqlite")  # of this engine alone


_CONNECTS: dict[str, Callable[[Any, dict[str, str]], None]] = {
    "postgresql+psycopg2": _named("connection_factory", "psycopg2"),
    "postgresql+psycopg": _psycopg,
    "postgresql+psycopg_async": _psycopg_async,
    "postgresql+asyncpg": _named("connection_class", "asyncpg"),
    "sqlite+pysqlite": _named("factory", "sqlite"),
    "sqlite+aiosqlite": _aiosqlite,
}


def _says(dialect: Any, connection: Any) -> bool:
    return hasattr(dialect.get_driver_connection(connection), "vestige_autocommit")


def _made(dialect: Any) -> Callable[..., None]:
    def made(connection: Any, record: Any) -> None:
        if not _says(dialect, connection):
            kind = type(dialect.get_driver_connection(connection))
            raise TypeError(
                f"a {kind.__module__}.{kind.__qualname__} does not say who acts: a creator of the engine's own has to make "
                "connections of Vestige's adapter for its driver"
            )

    return made


def _handed(dialect: Any) -> Callable[..., None]:
    """A connection that was made before the engine was installed is not handed out any more."""

    def handed(connection: Any, record: Any, proxy: Any) -> None:
        if _says(dialect, connection):
            return
        if isinstance(getattr(proxy, "_pool", None), (StaticPool, SingletonThreadPool)):  # it may be a database in memory
            raise exc.InvalidRequestError("install(engine) has to come before the engine's first connection")
        raise exc.DisconnectionError("made before install(engine)")

    return handed


def _by_name(context: Any) -> BaseException | None:
    """What Vestige refuses is raised by its own name, as an error of SQLAlchemy's."""
    error, raised = context.original_exception, context.sqlalchemy_exception
    if not isinstance(raised, exc.DBAPIError) or isinstance(raised, errors.VestigeError):
        return None
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    named = renamed(error) if state is None else None  # of SQLite
    if state == errors.MISSING_CONTEXT or isinstance(named, errors.MissingContext) or errors.requires(str(error)):
        kind: type[exc.DBAPIError] = MissingContext
    elif state == errors.CONFLICT or isinstance(named, errors.Conflict):
        kind = Conflict
    else:
        return None
    return kind(raised.statement, raised.params, error, hide_parameters=raised.hide_parameters, ismulti=raised.ismulti)
