"""What the middlewares of the web frameworks have in common: the fields of a request's context.

What a client says of itself is taken for no more than that: its request id and its agent, shortened. Its address is the peer's,
unless the program says how many proxies of its own stand before it.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

__all__ = ["Options", "named"]

_REQUEST_ID: Final = re.compile(r"[!-~]{1,128}")
_TRACE: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_ZONE: Final = re.compile(r"%[0-9A-Za-z._-]{1,15}\Z")  # of an address of IPv6, which Python lets be any text
_LONGEST_USER_AGENT: Final = 512
_NAMES: Final = ("username", "email", "sub", "id", "display_name")


class Options:
    """What a middleware is told.

    actor             who acts, asked of the request when something is first written; without it, what the framework calls user
    trusted_proxies   how many proxies of one's own stand before the program, each of which adds to X-Forwarded-For
    request_id        the header that a proxy gives the request's id in
    fields            any other fields, each as it is or asked of the request like the actor
    """

    def __init__(
        self,
        actor: Callable[[Any], Any] | None = None,
        *,
        trusted_proxies: int = 0,
        request_id: str = "X-Request-ID",
        **fields: Any,
    ) -> None:
        self._actor = actor
        self._trusted = trusted_proxies
        self._request_id = request_id
        self._fields = fields

    def fields(
        self,
        request: Any,
        header: Callable[[str], str | None],
        peer: str | None,
        user: Callable[[Any], Any],
        process: Callable[[Any], str | None],
    ) -> dict[str, Any]:
        """The fields of a request's context; what can be called is called when something is first written, once.

        header   gives a header by its name, several of one name joined by commas
        user     what the framework knows of who acts
        process  the route, as far as it is known when it is asked for
        """
        asks = self._actor or user
        said: dict[str, Any] = {
            "actor": lambda: named(asks(request)),
            "business_process": lambda: process(request),
            "request_id": _request_id(header(self._request_id)),
            "ip_address": _address(peer, header("X-Forwarded-For"), self._trusted),
            "user_agent": (header("User-Agent") or "")[:_LONGEST_USER_AGENT] or None,
        }
        trace = header("traceparent")
        if trace is not None and _TRACE.fullmatch(trace):
            said["traceparent"] = trace
        for name, given in self._fields.items():
            said[name] = _asked(given, request) if callable(given) else given
        return said


def _asked(asks: Callable[[Any], Any], request: Any) -> Callable[[], Any]:
    return lambda: asks(request)


def named(user: Any) -> str | None:
    """What a user is called: a text, a number or a UUID as it is; of anything else, also of a token's claims, its username, email
    address, subject, id or display name. None: nobody."""
    if user is None or isinstance(user, (str, int, uuid.UUID)):
        return str(user) if user else None
    if getattr(user, "is_authenticated", True) is False:
        return None
    found = (user.get(name) if isinstance(user, Mapping) else getattr(user, name, None) for name in _NAMES)
    return next((str(one) for one in found if one not in (None, "")), None)


def _request_id(given: str | None) -> str:
    """What a proxy called the request, if that is a word and no tale; else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())


def _address(peer: str | None, forwarded: str | None, trusted: int) -> str | None:
    """The address that the outermost proxy of one's own was asked from: what stands before it, anybody can write."""
    given = peer or ""
    if trusted > 0:
        chain = [part.strip() for part in (forwarded or "").split(",") if part.strip()]
        if len(chain) >= trusted:
            given = chain[-trusted]
    return _spelled(given)


def _spelled(given: str) -> str | None:
    """An address in its one spelling (clients/contract/requests.json). None: it is no address."""
    try:
        address = ipaddress.ip_address(given if _ZONE.search(given) else given.partition("%")[0])
    except ValueError:
        return None
    # A socket of IPv6 calls who came over IPv4 ::ffff:10.0.0.7; elsewhere in the trail the same peer is 10.0.0.7.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
