from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class VestigeConfig(AppConfig):
    name = "vestige.django"
    label = "vestige"
    verbose_name = "Audit trail"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from vestige.django import checks, hooks, policy, reconcile

        hooks.install()
        autodiscover_modules("audit")
        for model in policy.by_migration():
            policy.describe(model)
        checks.install()
        post_migrate.connect(reconcile.after_migrate, sender=self, dispatch_uid="vestige.django")
