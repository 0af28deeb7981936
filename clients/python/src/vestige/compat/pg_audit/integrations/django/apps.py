from __future__ import annotations

from vestige.django import apps


class PgAuditConfig(apps.VestigeConfig):
    """The app vestige.django, under a further name: its models, commands and all that `migrate` does."""
