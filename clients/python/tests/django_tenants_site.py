"""With django-tenants: `django_tenants_site.py DIRECTORY DATABASE`. Each tenant has tables in a schema of its own, in one trail."""

from __future__ import annotations

import contextlib
import datetime
import pathlib
import sys

FILES = {
    "customers/models.py": """from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Customer(TenantMixin):
    name = models.CharField(max_length=50)


class Domain(DomainMixin):
    pass
""",
    "bills/models.py": """from django.db import models


class Invoice(models.Model):
    number = models.IntegerField()
    state = models.CharField(max_length=10, default="open")
""",
    "bills/audit.py": """from vestige.django import register

from bills.models import Invoice

register(Invoice, exclude_fields=["number"])
""",
    "urls.py": """from bills.models import Invoice
from django.http import HttpResponse
from django.urls import path


def pay(request, pk):
    return HttpResponse(str(Invoice.objects.filter(pk=pk).update(state="paid")))


urlpatterns = [path("pay/<int:pk>/", pay, name="pay")]
""",
}


def main(directory: str, database: str) -> None:
    top = pathlib.Path(directory)
    for name, text in FILES.items():
        file = top / name
        file.parent.mkdir(exist_ok=True)
        if file.parent != top:
            (file.parent / "__init__.py").touch()
            (file.parent / "migrations").mkdir(exist_ok=True)
            (file.parent / "migrations/__init__.py").touch()
        file.write_text(text)
    sys.path.insert(0, directory)

    import django
    from django.conf import settings

    shared = ["django_tenants", "django.contrib.contenttypes", "customers", "vestige.django"]
    settings.configure(
        SECRET_KEY="of a test",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF="urls",
        DATABASES={"default": {"ENGINE": "django_tenants.postgresql_backend", "NAME": database}},
        DATABASE_ROUTERS=["django_tenants.routers.TenantSyncRouter"],
        SHARED_APPS=shared,
        TENANT_APPS=["bills"],
        INSTALLED_APPS=[*shared, "bills"],
        TENANT_MODEL="customers.Customer",
        TENANT_DOMAIN_MODEL="customers.Domain",
        MIDDLEWARE=["django_tenants.middleware.main.TenantMainMiddleware", "vestige.django.middleware.ContextMiddleware"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    with contextlib.redirect_stdout(sys.stderr):  # django-tenants tells of each migration
        migrated()
    used()


def migrated() -> None:
    """Two tenants, each with an invoice; and migrated again, where nothing is left to do."""
    from django.core.management import call_command

    import vestige

    call_command("makemigrations", "customers", "bills", verbosity=0)
    call_command("migrate_schemas", shared=True, verbosity=0)
    from bills.models import Invoice  # type: ignore[import-not-found]
    from customers.models import Customer, Domain  # type: ignore[import-not-found]
    from django_tenants.utils import schema_context

    for name in ("acme", "globex"):
        made = Customer.objects.create(schema_name=name, name=name)
        Domain.objects.create(tenant=made, domain=f"{name}.example.com", is_primary=True)
        with schema_context(name), vestige.context(actor=name):
            Invoice.objects.create(number=1)
    # Nothing is tracked anew, and nobody's is untracked by another's.
    call_command("migrate_schemas", verbosity=0)


def used() -> None:
    from bills.models import Invoice
    from customers.models import Customer
    from django.core.management import call_command
    from django.test import Client
    from django_tenants.utils import schema_context

    from vestige.django import reconcile

    client = Client(HTTP_HOST="globex.example.com", REMOTE_ADDR="10.1.2.3")
    print(client.get("/pay/1/").content.decode())
    for name in ("acme", "globex", "acme"):
        # The first question of a tenant is one to the trail: its own, not that of whoever came before.
        with schema_context(name):
            print(name, [(one.op, one.actor, one.context.get("ip_address")) for one in Invoice.vestige.changes()])
            print(name, [one.state for one in Invoice.vestige.as_of(datetime.datetime.now(datetime.timezone.utc))])
    for name in ("acme", "globex", "public"):
        with schema_context(name):
            assert reconcile.steps("default") == [], reconcile.steps("default")
    with schema_context("public"), contextlib.redirect_stdout(sys.stderr):
        Customer.objects.get(schema_name="globex").delete(force_drop=True)
        call_command("migrate_schemas", verbosity=0)
        assert reconcile.steps("default") == [], reconcile.steps("default")


if __name__ == "__main__":
    main(*sys.argv[1:])
