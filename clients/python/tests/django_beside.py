"""With django-pgtrigger: `django_beside.py DIRECTORY DATABASE`. Both hook into migrations; neither minds the other."""

from __future__ import annotations

import pathlib
import sys

MODELS = """import pgtrigger
from django.db import models
from vestige.django import Track


class Invoice(models.Model):
    number = models.IntegerField()
    state = models.CharField(max_length=10, default="open")

    class Meta:
        indexes = [Track(name="invoice_history"), models.Index(fields=["number"], name="invoice_number")]
        triggers = [pgtrigger.Protect(name="kept", operation=pgtrigger.Delete)]
"""


def main(directory: str, database: str) -> None:
    top = pathlib.Path(directory) / "bills"
    (top / "migrations").mkdir(parents=True)
    (top / "__init__.py").touch()
    (top / "migrations/__init__.py").touch()
    (top / "models.py").write_text(MODELS)
    sys.path.insert(0, directory)

    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": database}},
        INSTALLED_APPS=["pgtrigger", "vestige.django", "bills"],
        MIDDLEWARE=["vestige.django.middleware.ContextMiddleware"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.core.management import call_command
    from django.db import DatabaseError, connection

    import vestige
    from vestige.django.reconcile import policies

    call_command("makemigrations", "bills", verbosity=0)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    call_command("migrate", verbosity=0)
    from bills.models import Invoice  # type: ignore[import-not-found]

    with vestige.context(actor="ann"):
        invoice = Invoice.objects.create(number=1)
        Invoice.objects.update(state="paid")
        try:
            invoice.delete()
        except DatabaseError:
            print("protected")
    print([(version.op, version.actor) for version in invoice.vestige])
    call_command("migrate", "bills", "zero", verbosity=0)
    assert policies(connection) == {}
    call_command("migrate", verbosity=0)
    print(sorted(name for name in policies(connection) if '"' not in name))


if __name__ == "__main__":
    main(*sys.argv[1:])
