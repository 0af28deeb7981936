"""What a user is called in the trail: functions for VESTIGE["ACTOR"]. None: nobody is signed in."""

from __future__ import annotations

from typing import Any


def username(user: Any) -> str | None:
    """The user's name, which people read; what is renamed later keeps the name that it had then."""
    return str(user.get_username()) if user.is_authenticated else None


def primary_key(user: Any) -> str | None:
    """The user's primary key, which stays."""
    return str(user.pk) if user.is_authenticated else None
