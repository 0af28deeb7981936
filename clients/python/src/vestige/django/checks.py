"""Django's system checks: `manage.py check`, and with `--deploy --database default` what the trail itself finds (doctor)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.db import connections
from django.utils.module_loading import import_string

from vestige.django import hooks
from vestige.django.policy import by_migration, registered
from vestige.django.reconcile import stands, steps, trail_of, wants_trail

_SEVERITIES = {"error": checks.Error, "warning": checks.Warning, "note": checks.Info}


def install() -> None:
    checks.register(policies, checks.Tags.models)
    checks.register(middleware, checks.Tags.security)
    checks.register(databases, checks.Tags.database, deploy=True)


def policies(app_configs: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """What register() and Track name is there."""
    return [
        checks.Error(
            f"the policy of its history names {name}, and it has no such field",
            hint="its fields: " + ", ".join(field.name for field in model._meta.get_fields() if not field.auto_created),
            obj=model,
            id="vestige.E001",
        )
        for model, policy in {**by_migration(), **registered()}.items()
        if app_configs is None or model._meta.app_config in app_configs
        for name in policy.unknown(model)
    ]


def middleware(app_configs: Any = None, **_: Any) -> list[checks.CheckMessage]:
    """Somebody says who acts."""
    from vestige.django.middleware import ContextMiddleware

    for path in settings.MIDDLEWARE:
        given = import_string(path)
        if isinstance(given, type) and issubclass(given, ContextMiddleware):
            return []
    return [
        checks.Warning(
            "no middleware says who makes a change",
            hint="add vestige.django.middleware.ContextMiddleware to MIDDLEWARE",
            id="vestige.W001",
        )
    ]


def databases(app_configs: Any = None, databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """The database tracks what the models say, and its trail is in order."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        if alias not in hooks.aliases() or not wants_trail(alias):
            continue
        if not stands(connections[alias]):
            found.append(checks.Error(f"database {alias} has no trail", hint="manage.py migrate makes it", id="vestige.E002"))
            continue
        found += [
            checks.Error(f"database {alias} does not record as the models say: {step}", hint="manage.py migrate", id="vestige.E003")
            for step in steps(alias)
        ]
        for finding in trail_of(connections[alias]).doctor():
            where = f" {finding.table}:" if finding.table else ""
            message = f"database {alias}:{where} {finding.message} ({finding.code})"
            found.append(_SEVERITIES[finding.severity](message, hint=finding.remedy, id="vestige.W002"))
    return found
