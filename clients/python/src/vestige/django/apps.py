from __future__ import annotations

from django.apps import AppConfig


class VestigeConfig(AppConfig):
    name = "vestige.django"
    label = "vestige"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from vestige.django import hooks

        hooks.install()
