"""Who, why and from where: a context that holds for a block, in this thread or task and in those that it starts.

A context is a frame; frames that are open form a chain, whose innermost stands in one ContextVar. An inner frame merges over
the outer ones and is fully undone at its end. Nothing is global: two threads or tasks share a frame only if it was open when
one of them started the other. What `annotate` adds goes into the innermost frame and is seen by all who share it.
"""

from __future__ import annotations

import contextvars
import functools
import json
import sys
import threading

from vestige._render import as_json

TYPE_CHECKING = False  # typing itself is not imported: a program pays for what it uses
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Mapping
    from types import TracebackType
    from typing import Any, Final, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])

__all__ = ["annotate", "attach", "bind", "carrier", "context", "current", "detach", "without"]

CARRIER: Final = "vestige"
_evaluating = threading.local()


class _Frame:
    """An open context: its own fields, over those of the frame that it was opened in."""

    __slots__ = ("adrift", "alone", "fields", "opener", "parent", "said", "version")

    def __init__(self, opener: object, parent: _Frame | None, fields: dict[str, Any], alone: bool) -> None:
        self.opener = opener
        self.parent = parent
        self.fields = fields
        self.alone = alone  # nothing of the outer ones is seen
        self.version = 0  # counts what annotate does
        self.said: tuple[int, str] | None = None  # as JSON, and the versions that it was made of
        self.adrift = False  # ended while a frame within it was still open

    def versions(self) -> int:
        total, frame = 0, self
        while True:
            total += frame.version
            if frame.alone or frame.parent is None:
                return total
            frame = frame.parent

    def merged(self) -> dict[str, Any]:
        outer = {} if self.alone or self.parent is None else self.parent.merged()
        for name, value in list(self.fields.items()):
            if callable(value):
                value = self._ask(name, value)
            if value is None:
                outer.pop(name, None)
            else:
                outer[name] = value
        return outer

    def _ask(self, name: str, asked: Callable[[], Any]) -> Any:
        """A value that is asked for when it is first needed, once. While it is asked for, the context is without it: who
        looks up a user reads the database under this very context."""
        asking: set[tuple[int, str]] = _evaluating.__dict__.setdefault("asking", set())
        place = (id(self), name)
        if place in asking:
            return None
        asking.add(place)
        try:
            value = asked()
        finally:
            asking.discard(place)
        if self.fields.get(name) is asked:  # it may have been annotated meanwhile
            self.fields[name] = value
        return value


_innermost: contextvars.ContextVar[_Frame | None] = contextvars.ContextVar("vestige_context", default=None)


class context:
    """Every change that is made inside carries these fields. `with`, `async with`, or a decorator of any function.

    Any name is a field; None takes away what an outer context says. A value that can be called is called when a transaction
    first needs it, once. One object may be entered any number of times, also at the same time.

        with vestige.context(actor="ann", reason="summer sale"):
            connection.execute("update products set price = 899 where id = 1")
    """

    _alone = False

    def __init__(
        self,
        actor: Any = None,
        reason: Any = None,
        *,
        on_behalf_of: Any = None,
        business_process: Any = None,
        request_id: Any = None,
        session_id: Any = None,
        ip_address: Any = None,
        user_agent: Any = None,
        auth_method: Any = None,
        auth_role: Any = None,
        traceparent: Any = None,
        **extra: Any,
    ) -> None:
        known = {
            "actor": actor,
            "reason": reason,
            "on_behalf_of": on_behalf_of,
            "business_process": business_process,
            "request_id": request_id,
            "session_id": session_id,
            "ip_address": ip_address,
            "user_agent": user_agent,
            "auth_method": auth_method,
            "auth_role": auth_role,
            "traceparent": traceparent,
        }
        self._fields = {name: value for name, value in known.items() if value is not None} | extra

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> context:
        """The same from a mapping, for names that are no Python names and None for known fields."""
        made = cls()
        made._fields = dict(fields)
        return made

    def _open(self, parent: _Frame | None) -> _Frame:
        fields = dict(self._fields)
        if "traceparent" not in fields and (parent is None or self._alone):
            span = _traceparent()
            if span is not None and not self._alone:
                fields["traceparent"] = span
        return _Frame(self, parent, fields, self._alone)

    def __enter__(self) -> context:
        _innermost.set(self._open(_innermost.get()))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        _close(self)

    async def __aenter__(self) -> context:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _close(self)

    def __call__(self, function: _F) -> _F:
        return _decorated(self, function)  # type: ignore[return-value]


class without(context):
    """Inside, there is no context, whatever was open outside."""

    _alone = True

    def __init__(self) -> None:
        super().__init__()


def _close(opener: context) -> None:
    """Ends the innermost frame that this object opened here. Ends may come in any order: a generator that is ended late, a
    fixture; and from elsewhere, where there is nothing to undo."""
    top = _innermost.get()
    frame = top
    while frame is not None and frame.opener is not opener:
        frame = frame.parent
    if frame is None:
        return
    if frame is not top:
        frame.adrift = True
        return
    parent = frame.parent
    while parent is not None and parent.adrift:
        parent = parent.parent
    _innermost.set(parent)


class under:
    """Inside, this frame is the innermost, if it is one; afterwards what was before, whatever was left open inside."""

    def __init__(self, frame: _Frame | None) -> None:
        self._frame = frame

    def __enter__(self) -> None:
        self._before = _innermost.get()
        _innermost.set(self._frame)

    def __exit__(self, *_: object) -> None:
        _innermost.set(self._before)


def restored() -> under:
    """For a request: inside, what was there before; and so it is afterwards, whatever the request left open."""
    return under(_innermost.get())


class _Within:
    """Goes into a frame and out again, each time that a generator goes on."""

    def __init__(self, opener: context) -> None:
        self._opener = opener
        self._frame: _Frame | None = None
        self._before: _Frame | None = None

    def __enter__(self) -> None:
        self._before = _innermost.get()
        if self._frame is None:
            self._frame = self._opener._open(self._before)
        _innermost.set(self._frame)

    def __exit__(self, *_: object) -> None:
        # What the generator opened and has not yet ended stays in its frame, and out of its caller.
        self._frame = _innermost.get()
        _innermost.set(self._before)


def _decorated(opener: context, function: Callable[..., Any]) -> Callable[..., Any]:
    import inspect

    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def async_generator(*args: Any, **named: Any) -> AsyncGenerator[Any, Any]:
            within, inner = _Within(opener), function(*args, **named)
            step: Callable[..., Any] = inner.__anext__
            given: tuple[Any, ...] = ()
            try:
                while True:
                    try:
                        with within:
                            value = await step(*given)
                    except StopAsyncIteration:
                        return
                    try:
                        sent = yield value
                        step, given = inner.asend, (sent,)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step, given = inner.athrow, (error,)
            finally:
                with within:
                    await inner.aclose()

        return async_generator

    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generator(*args: Any, **named: Any) -> Generator[Any, Any, Any]:
            within, inner = _Within(opener), function(*args, **named)
            step: Callable[..., Any] = inner.send
            given: tuple[Any, ...] = (None,)
            try:
                while True:
                    try:
                        with within:
                            value = step(*given)
                    except StopIteration as end:
                        return end.value
                    try:
                        sent = yield value
                        step, given = inner.send, (sent,)
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        step, given = inner.throw, (error,)
            finally:
                with within:
                    inner.close()

        return generator

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def coroutine(*args: Any, **named: Any) -> Any:
            with opener:
                return await function(*args, **named)

        return coroutine

    @functools.wraps(function)
    def plain_function(*args: Any, **named: Any) -> Any:
        with opener:
            return function(*args, **named)

    return plain_function


def annotate(**fields: Any) -> None:
    """Adds fields to the innermost open context; the next statement of each transaction under it says them. It does nothing
    where none is open: a library may call it without knowing."""
    frame = _innermost.get()
    if frame is None:
        return
    frame.fields.update(fields)
    frame.version += 1


def current() -> Mapping[str, Any]:
    """What a change that is made now would carry."""
    frame = _innermost.get()
    return {} if frame is None else frame.merged()


def said() -> str:
    """The context as JSON in ASCII, as an adapter says it; empty where there is none."""
    frame = _innermost.get()
    if frame is None:
        return ""
    kept = frame.said
    if kept is not None and kept[0] == frame.versions():
        return kept[1]
    versions = frame.versions()
    fields = frame.merged()
    text = as_json(fields)
    if not _evaluating.__dict__.get("asking"):
        frame.said = (versions, text)
    return text


def carrier() -> dict[str, str]:
    """The context as headers for a job that is done elsewhere; empty where there is none."""
    text = said()
    return {CARRIER: text} if text else {}


def bind(function: Callable[..., Any], *args: Any, **named: Any) -> Callable[..., Any]:
    """The function, with these arguments, under the context that is in force now, whenever and wherever it is called: what is to
    be done after a commit, say. Further arguments are added at the call."""
    import inspect

    frame = _innermost.get()

    @functools.wraps(function)
    def bound(*more: Any, **others: Any) -> Any:
        with under(frame):
            return function(*args, *more, **(named | others))

    @functools.wraps(function)
    async def bound_coroutine(*more: Any, **others: Any) -> Any:
        with under(frame):
            return await function(*args, *more, **(named | others))

    return bound_coroutine if inspect.iscoroutinefunction(function) else bound


def detach(function: _F) -> _F:
    """The function, under no context, whoever starts it: a loop or a timer that goes on after the request that began it."""
    return without()(function)


def attach(headers: Mapping[str, Any]) -> context:
    """The context that carrier() put into the headers of a job, to be entered where the job is done. Headers that have none,
    or something else under its name, are an empty context."""
    text = headers.get(CARRIER)
    if isinstance(text, (bytes, bytearray)):
        text = text.decode("utf-8", "replace")
    try:
        fields = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):  # nested deeper than Python goes
        fields = {}
    return context.of(fields if isinstance(fields, dict) else {})


def _traceparent() -> str | None:
    """The span of OpenTelemetry that is open here, if the program uses it at all."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None:
        return None
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
