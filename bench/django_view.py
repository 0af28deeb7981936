#!/usr/bin/env python3
"""What a history costs a request of Django: one view, under an audit package at a time.

    pip install "clients/python[django,psycopg]" django-pghistory django-simple-history django-auditlog auditrum    # what is not there is left out
    build/bin/postgres_server -- bench/django_view.py [REQUESTS] [ROUNDS]

The view finds its user by the session, reads a product, saves it with another price, and adds an order, in a transaction. A process of its
own and a database of its own for each package; their rounds take turns, and the median counts. Requests are Django's, by its test client,
without a web server. CPU is that of this process and of its backend, and is the steadier figure where others use the machine. Round trips are counted by the tests' proxy (clients/python/tests/roundtrips.py), in a run of their own. Each
run looks whether every change was recorded with its user.
"""

from __future__ import annotations

import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PACKAGES = {  # what each takes: the module that has to be there, apps, middleware, before the models, above a class, within one
    "none": ("django", [], [], "", "", ""),
    "vestige": ("vestige", ["vestige.django"], ["vestige.django.middleware.ContextMiddleware"], "from vestige.django import track", "@track()", ""),
    "pghistory": (
        "pghistory",
        ["pgtrigger", "pghistory"],
        ["pghistory.middleware.HistoryMiddleware"],
        "import pghistory",
        "@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())",
        "",
    ),
    "auditrum": (
        "auditrum",
        ["auditrum.integrations.django"],
        ["auditrum.integrations.django.middleware.RequestIDMiddleware", "auditrum.integrations.django.middleware.AuditrumMiddleware"],
        "from auditrum.integrations.django.tracking import track",
        "@track()",
        "",
    ),
    "simple_history": (
        "simple_history",
        ["simple_history"],
        ["simple_history.middleware.HistoryRequestMiddleware"],
        "from simple_history.models import HistoricalRecords",
        "",
        "history = HistoricalRecords()",
    ),
    "auditlog": (
        "auditlog",
        ["auditlog"],
        ["auditlog.middleware.AuditlogMiddleware"],
        "from auditlog.registry import auditlog",
        "@auditlog.register()",
        "",
    ),
}
RECORDED = {  # how many changes are there, and of how many it is known who made them
    "vestige": "select count(*), count(*) filter (where changed_by = 'ann') from vestige.audit_log",
    "pghistory": """select count(*), count(*) filter (where c.metadata ->> 'user' is not null)
        from (select pgh_context_id from shop_productevent union all select pgh_context_id from shop_orderevent) e
        left join pghistory_context c on c.id = e.pgh_context_id""",
    "auditrum": "select count(*), count(*) filter (where user_id is not null) from auditlog where table_name in ('shop_product', 'shop_order')",
    "simple_history": """select count(*), count(history_user_id)
        from (select history_user_id from shop_historicalproduct union all select history_user_id from shop_historicalorder) h""",
    "auditlog": "select count(*), count(actor_id) from auditlog_logentry",
}
MODELS = """from django.db import models
{imports}


{above}
class Product(models.Model):
    name = models.CharField(max_length=100)
    price = models.DecimalField(max_digits=10, decimal_places=2)
    stock = models.IntegerField(default=0)
    description = models.TextField(default="white porcelain")
    {within}


{above}
class Order(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    amount = models.IntegerField()
    {within}
"""
VIEWS = """from decimal import Decimal

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpResponse
from django.urls import path
from shop.models import Order, Product


@login_required
def order(request, pk, cents):
    with transaction.atomic():
        product = Product.objects.get(pk=pk)
        product.price = Decimal(cents) / 100
        product.save()
        Order.objects.create(product=product, amount=1)
    return HttpResponse("done")


urlpatterns = [path("order/<int:pk>/<int:cents>/", order)]
"""


def one(package: str, directory: str, requests: int, host: str, port: str) -> None:
    """In a process of its own: `requests` requests, and how many a second; or how many round trips, through a proxy."""
    import django
    from django.conf import settings

    _, apps, middleware, imports, above, within = PACKAGES[package]
    top = pathlib.Path(directory)
    fresh = not (top / "shop").exists()
    if fresh:
        (top / "shop/migrations").mkdir(parents=True)
        for name in ("shop/__init__.py", "shop/migrations/__init__.py"):
            (top / name).touch()
        (top / "shop/models.py").write_text(MODELS.format(imports=imports, above=above, within=within))
        (top / "shop/views.py").write_text(VIEWS)
    sys.path.insert(0, directory)
    auth = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
    settings.configure(
        SECRET_KEY="of a bench",
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": f"bench_{package}", "HOST": host, "PORT": port,
                               "OPTIONS": {"sslmode": "disable"}, "CONN_MAX_AGE": None}},
        INSTALLED_APPS=[*auth, *apps, "shop"],
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                    "django.contrib.auth.middleware.AuthenticationMiddleware", *middleware],
        ROOT_URLCONF="shop.views",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
    )  # fmt: skip
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from shop.models import Product

    if fresh:
        call_command("makemigrations", "shop", verbosity=0)
        if package == "auditrum":
            call_command("auditrum_makemigrations", verbosity=0)
        call_command("migrate", verbosity=0)
        User.objects.create_user("ann")
        Product.objects.create(name="Teapot", price=1)
    client = Client()
    client.force_login(User.objects.get(username="ann"))
    product = Product.objects.get()
    for cents in range(20):
        assert client.get(f"/order/{product.pk}/{cents}/").status_code == 200
    before = recorded(connection, package)
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    began, cpu, served = time.perf_counter(), time.process_time(), used(backend)
    for turn in range(requests):
        client.get(f"/order/{product.pk}/{turn * 7 % 9973 + 100}/")
    print(
        requests / (time.perf_counter() - began),
        1000 * (time.process_time() - cpu) / requests,
        1000 * (used(backend) - served) / requests,
        flush=True,
    )
    after = recorded(connection, package)
    # A product that is saved as it was is no change to some.
    assert package == "none" or (after[0] - before[0] >= requests * 2 - 1 and after[1] - before[1] >= requests * 2 - 1), (before, after)


def used(process: int) -> float:
    """CPU seconds of a process."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def recorded(connection: object, package: str) -> tuple[int, int]:
    if package not in RECORDED:
        return 0, 0
    with connection.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(RECORDED[package])
        return cursor.fetchone()


def run(package: str, directory: str, requests: int, host: str, port: str) -> tuple[float, ...]:
    """Requests a second, and milliseconds of CPU for each: here, and in the server."""
    command = [sys.executable, __file__, "--one", package, directory, str(requests), host, port]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{package}: {done.stderr[-2000:]}")
    return tuple(map(float, done.stdout.splitlines()[-1].split()))


def round_trips(package: str, directory: str) -> float:
    """Of a request, by the difference that 50 more make."""
    sys.path.insert(0, str(SOURCE / "clients/python/tests"))
    from roundtrips import Proxy

    run(package, directory, 1, os.environ["PGHOST"], os.environ["PGPORT"])  # makes its tables
    proxy = Proxy(os.environ["PGHOST"], int(os.environ["PGPORT"]))
    spent = []
    for requests in (10, 60):
        before = proxy.round_trips
        run(package, directory, requests, "127.0.0.1", str(proxy.port))
        spent.append(proxy.round_trips - before)
    proxy.close()
    return (spent[1] - spent[0]) / 50


def main(requests: int, rounds: int) -> None:
    import psycopg

    found = [name for name, (module, *_) in PACKAGES.items() if importlib.util.find_spec(module)]
    with tempfile.TemporaryDirectory() as top, psycopg.connect("dbname=postgres", autocommit=True) as server:
        for package in found:
            server.execute(f"drop database if exists bench_{package} (force)")
            server.execute(f"create database bench_{package}")
        trips = {package: round_trips(package, f"{top}/{package}") for package in found}
        rates: dict[str, list[tuple[float, ...]]] = {package: [] for package in found}
        host, port = os.environ["PGHOST"], os.environ["PGPORT"]
        for turn in range(rounds):
            for package in found[turn % len(found) :] + found[: turn % len(found)]:
                rates[package].append(run(package, f"{top}/{package}", requests, host, port))
        for package in found:
            server.execute(f"drop database bench_{package} (force)")
    print(f"{'':16}round trips  requests/s  CPU of Django, ms  of the server, ms")
    for package in found:
        rate, cpu, served = (statistics.median(figures) for figures in zip(*rates[package], strict=True))
        print(f"{package:16}{trips[package]:11.1f}{rate:12.0f}{cpu:19.2f}{served:19.2f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one(sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5], sys.argv[6])
    else:
        main(int((sys.argv[1:] or ["500"])[0]), int((sys.argv[2:] or ["5"])[0]))
