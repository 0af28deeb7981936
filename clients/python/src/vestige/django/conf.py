"""The setting VESTIGE, whose keys and what they are unless said otherwise stand here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings

DEFAULTS: Final[Mapping[str, Any]] = {
    "DATABASES": None,  # aliases; None: all that are PostgreSQL or SQLite
    "ACTOR": "vestige.django.actors.username",  # what a user is called in the trail: a dotted path, or a function of the user
    "TRUSTED_PROXIES": 0,  # how many of the last addresses in X-Forwarded-For are proxies of one's own
    "USER_AGENT": True,
    "SESSION_ID": True,  # as a hash that says nothing of the session's key
    "REQUEST_ID_HEADER": "X-Request-ID",
    "EXTENSION": None,  # on SQLite, the loadable extension's path; None: that of the package vestige-sqlite
    "READ_USING": None,  # for an alias, the one by which its trail is read: {"default": "audit"}
    "TESTS": "off",  # "on": models are tracked in the databases of tests, too
}


def setting(name: str) -> Any:
    given = getattr(settings, "VESTIGE", {})
    unknown = set(given) - set(DEFAULTS)
    if unknown:
        raise ValueError(f"VESTIGE has no key {sorted(unknown)[0]}; it has {', '.join(DEFAULTS)}")
    return given.get(name, DEFAULTS[name])
