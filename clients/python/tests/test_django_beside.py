"""Beside what else a project of Django has: tenants by schema, others' triggers, keys of several columns, ATOMIC_REQUESTS."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Any

import django
import psycopg
import pytest

pytest.importorskip("django")

from django.db import connection, connections, models
from django.test import Client
from django.test.utils import isolate_apps
from django_site import site
from django_site.site import Site

import vestige
from vestige.django import reconcile
from vestige.django.history import ModelHistory, table_of

BOTH = pytest.mark.parametrize("alias", ["default", "lite"])


def test_each_tenants_schema_has_its_own_history_in_one_trail(shop_site: Site) -> None:
    from django_site.shop.models import Tag

    try:
        with connection.cursor() as cursor:
            for tenant in ("acme", "globex"):
                cursor.execute(f"create schema {tenant}; create table {tenant}.shop_tag (like public.shop_tag including all)")
                cursor.execute(f"set search_path to {tenant}, public")
                assert [str(step) for step in reconcile.reconcile("default")] == ["track shop_tag"]
                with vestige.context(actor=tenant):
                    Tag.objects.create(pk=1, word=f"of {tenant}")
            for tenant in ("acme", "globex"):
                cursor.execute(f"set search_path to {tenant}, public")
                assert reconcile.steps("default") == []
                [version] = Tag.objects.get(pk=1).vestige
                assert (version.actor, version.after.word) == (tenant, f"of {tenant}")
            cursor.execute("set search_path to public")
            assert reconcile.steps("default") == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("reset search_path")
            cursor.execute("drop schema if exists acme, globex cascade")
        assert [str(step) for step in reconcile.reconcile("default")] == ["untrack acme.shop_tag", "untrack globex.shop_tag"]


def test_beside_other_peoples_triggers(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("pgtrigger")
    with psycopg.connect("dbname=postgres", autocommit=True) as server:
        server.execute("drop database if exists django_beside (force)")
        server.execute("create database django_beside")
    script = pathlib.Path(__file__).with_name("django_beside.py")
    run = subprocess.run([sys.executable, str(script), str(tmp_path), "django_beside"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.splitlines() == ["protected", "[('UPDATE', 'ann'), ('INSERT', 'ann')]", "['bills_invoice']"]


@pytest.mark.skipif(django.VERSION < (5, 2), reason="composite keys came with Django 5.2")
@BOTH
@isolate_apps("django_site.shop")
def test_a_key_of_several_columns(shop_site: Site, alias: str) -> None:
    class Line(models.Model):
        pk = models.CompositePrimaryKey("doc", "line")
        doc = models.IntegerField()
        line = models.TextField()
        what = models.TextField()

        class Meta:
            app_label = "shop"

    with connections[alias].schema_editor() as editor:
        editor.create_model(Line)
    reconcile.trail_of(connections[alias]).track(table_of(Line, alias))
    history = ModelHistory(Line, alias)
    with vestige.context(actor="ann"):
        Line.objects.using(alias).create(doc=7, line="a,b", what="teapot")
        Line.objects.using(alias).filter(doc=7).update(what="cup")
        Line.objects.using(alias).filter(doc=7).delete()
    versions = history.of((7, "a,b")).versions()
    assert [(v.op, v.actor, v.instance.what) for v in versions] == [
        ("DELETE", "ann", "cup"),
        ("UPDATE", "ann", "cup"),
        ("INSERT", "ann", "teapot"),
    ]
    assert next(history.deleted()).before.pk == (7, "a,b")
    history.undo(versions[0])
    assert Line.objects.using(alias).get(pk=(7, "a,b")).what == "cup"
    assert history.of((7, "a,b")).as_of(versions[2]).what == "teapot"
    site.drop(alias, Line)


def test_a_request_in_a_transaction_looks_its_user_up_within_it(shop_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_site.shop.models import Product

    product = Product.objects.create(name="Teapot", price=1)
    client = Client()
    client.force_login(shop_site.user("ann"))
    shop_site.mark()
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    assert client.get(f"/products/{product.pk}/price/2/?reason=r").status_code == 200
    [context] = shop_site.contexts()
    assert (context["actor"], context["reason"], context["business_process"]) == ("ann", "r", "set-price")


def test_what_cannot_be_in_a_transaction_is_left_alone(shop_site: Site) -> None:
    with vestige.context(actor="ann"), connection.cursor() as cursor:
        cursor.execute("vacuum shop_tag")
        cursor.execute("create index concurrently passing on shop_tag (word)")
        cursor.execute("drop index concurrently passing")


@isolate_apps("django_site.shop")
def test_a_model_that_has_something_of_the_name_keeps_it(shop_site: Site) -> None:
    from vestige.django import policy

    class Ruin(models.Model):
        vestige = models.TextField()

        class Meta:
            app_label = "shop"

    before = Ruin.vestige
    policy.register(Ruin)
    policy.unregister(Ruin)
    assert Ruin.vestige is before


def test_a_command_says_who_runs_it(shop_site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core import management

    from vestige.django.commands import account, execute_from_command_line

    said: list[Any] = []
    monkeypatch.setattr(management, "execute_from_command_line", lambda argv: said.append((argv, dict(vestige.current()))))
    execute_from_command_line(["manage.py", "import_prices", "--all"])
    assert said == [
        (["manage.py", "import_prices", "--all"], {"actor": account(), "business_process": "manage.py import_prices"}),
    ]
    assert vestige.current() == {}
