"""Django says who acts: the middleware, every alias, what the ORM writes; and no round trip is added."""

from __future__ import annotations

import asyncio
import logging
import os
import pathlib
import subprocess
import sys
import threading
from typing import Any

import pytest

pytest.importorskip("django")

from asgiref.sync import sync_to_async
from django.db import DatabaseError, IntegrityError, connections, transaction
from django.test import AsyncClient, Client, RequestFactory
from django_site import site
from django_site.site import Site

import vestige
import vestige.django

ON_SERVER = ["default", *(["binding"] if site.PSYCOPG == 3 else [])]
EVERYWHERE = [*ON_SERVER, "lite"]


@pytest.fixture
def product(shop_site: Site) -> Any:
    from django_site.shop.models import Product

    made = Product.objects.create(name="Teapot", price=999)
    shop_site.mark()
    return made


def test_a_request_says_who_from_where_and_by_which_view(shop_site: Site, product: Any) -> None:
    client = Client(headers={"user-agent": "Firefox", "x-request-id": "r-1"})
    client.force_login(shop_site.user("ann"))
    assert client.get(f"/products/{product.pk}/price/899/?reason=sale").status_code == 200
    [context] = shop_site.contexts()
    assert len(context.pop("session_id")) == 32
    assert context == {
        "actor": "ann",
        "business_process": "set-price",
        "ip_address": "127.0.0.1",
        "method": "GET",
        "path": f"/products/{product.pk}/price/899/",
        "reason": "sale",
        "request_id": "r-1",
        "user_agent": "Firefox",
    }
    assert client.session.session_key not in str(context)


def test_what_a_view_leaves_open_ends_with_its_request(shop_site: Site) -> None:
    """A thread serves one request after the other."""
    from django.http import HttpResponse

    from vestige.django.middleware import ContextMiddleware

    seen = []

    def leaves(request: Any) -> HttpResponse:
        seen.append(dict(vestige.current()))
        vestige.context(reason=request.path, tenant=request.path).__enter__()
        return HttpResponse()

    async def leaves_too(request: Any) -> HttpResponse:
        return leaves(request)

    async def served() -> None:
        for path in ("/c", "/d"):
            await ContextMiddleware(leaves_too)(RequestFactory().get(path))
            assert vestige.current() == {}

    for path in ("/a", "/b"):
        ContextMiddleware(leaves)(RequestFactory().get(path))
        assert vestige.current() == {}
    asyncio.run(served())
    assert [said["path"] for said in seen] == ["/a", "/b", "/c", "/d"]
    assert not any("reason" in said or "tenant" in said for said in seen)


def test_what_anybody_can_write_into_a_header_is_no_address_and_no_tale(shop_site: Site, product: Any) -> None:
    client = Client(headers={"x-forwarded-for": "1.2.3.4, 5.6.7.8", "x-request-id": "no word; 'drop"})
    client.get(f"/products/{product.pk}/price/898/")
    [context] = shop_site.contexts()
    assert context["ip_address"] == "127.0.0.1"
    assert len(context["request_id"]) == 36
    assert "actor" not in context


@pytest.mark.parametrize(("trusted", "address"), [(0, "9.9.9.9"), (1, "2001:db8::1"), (2, "1.2.3.4"), (7, "9.9.9.9")])
def test_forwarded_addresses_count_behind_proxies_of_ones_own(settings: Any, trusted: int, address: str) -> None:
    from vestige.django.middleware import ContextMiddleware

    settings(VESTIGE={"TRUSTED_PROXIES": trusted})
    request = RequestFactory().get("/", REMOTE_ADDR="9.9.9.9", HTTP_X_FORWARDED_FOR="1.2.3.4, 2001:DB8::1")
    assert ContextMiddleware(lambda _: None).ip_address(request) == address
    request = RequestFactory().get("/", REMOTE_ADDR="unix:", HTTP_X_FORWARDED_FOR="'; drop")
    assert ContextMiddleware(lambda _: None).ip_address(request) is None


def test_a_user_that_is_set_in_the_view_counts_from_then_on(shop_site: Site, product: Any) -> None:
    shop_site.user("bob")
    shop_site.mark()
    Client().get(f"/late/bob/{product.pk}/")
    assert [(c.get("actor"), c.get("reason")) for c in shop_site.contexts()] == [(None, None), ("bob", "late"), ("bob", None)]


def test_what_is_written_while_a_response_is_streamed_is_the_requests(shop_site: Site, product: Any) -> None:
    client = Client()
    client.force_login(shop_site.user("ann"))
    shop_site.mark()
    response = client.get(f"/stream/{product.pk}/")
    assert vestige.current() == {}
    assert b"".join(response.streaming_content) == b"11\n12\n"
    assert [c["actor"] for c in shop_site.contexts()] == ["ann", "ann"]
    assert vestige.current() == {}


def test_an_async_view_has_its_user_and_no_middleware_is_adapted(
    shop_site: Site, product: Any, caplog: pytest.LogCaptureFixture
) -> None:
    from vestige.django.middleware import ContextMiddleware

    client = AsyncClient()
    client.force_login(shop_site.user("ann"))
    shop_site.mark()

    async def ask() -> None:
        with caplog.at_level(logging.DEBUG, logger="django.request"):
            assert (await client.get(f"/async/products/{product.pk}/price/7/")).status_code == 200

    asyncio.run(ask())
    assert [c["actor"] for c in shop_site.contexts()] == ["ann"]
    assert ContextMiddleware.__qualname__ not in caplog.text


def test_requests_at_once_never_have_anothers_name(shop_site: Site, product: Any) -> None:
    names = ["ann", "bob", None]
    for name in names:
        shop_site.user(name or "nobody")
    shop_site.mark()

    def ask(number: int) -> None:
        client, name = Client(), names[number % 3]
        if name is not None:
            client.force_login(shop_site.user(name))
        for turn in range(6):
            client.get(f"/products/{product.pk}/price/{number}.{turn}/?reason={name}")
        connections.close_all()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = shop_site.contexts()
    assert len(said) == 54
    assert all(str(c.get("actor")) == c["reason"] for c in said)


def test_tasks_at_once_never_have_anothers_name(shop_site: Site, product: Any) -> None:
    from django_site.shop.models import Product

    async def one(number: int) -> None:
        async with vestige.context(actor=f"task {number}" if number % 2 else None, n=number):
            await asyncio.sleep(0)
            await Product.objects.acreate(name=str(number), price=number)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(60)))
        await sync_to_async(connections.close_all)()

    asyncio.run(all_of_them())
    assert all(c.get("actor") == (f"task {c['n']}" if int(c["n"]) % 2 else None) for c in shop_site.contexts())
    assert len(shop_site.contexts()) == 60


@pytest.mark.parametrize("alias", EVERYWHERE)
def test_whatever_the_orm_writes_is_said(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Order, Product, Tag

    objects = Product.objects.using(alias)
    objects.all().delete()
    Tag.objects.using(alias).all().delete()
    shop_site.mark(alias)
    with vestige.context(actor="ann"):
        first = objects.create(name="Teapot", price="999.50")
        assert isinstance(first.pk, int)
        objects.bulk_create([Product(name=f"p{n}", price=n) for n in range(3)])
        rows = list(objects.order_by("pk"))
        for row in rows:
            row.price += 1
        objects.bulk_update(rows, ["price"])
        objects.bulk_create(
            [Product(pk=rows[0].pk, name="Pot", price=5)], update_conflicts=True, unique_fields=["id"], update_fields=["name"]
        )
        tag = Tag.objects.using(alias).create(word="blue")
        first.tags.add(tag)
        first.tags.set([])
        Order.objects.using(alias).create(product=first, amount=1)
        with transaction.atomic(using=alias):
            objects.filter(pk=first.pk).update(stock=4)
            with vestige.context(reason="inner"), pytest.raises(IntegrityError), transaction.atomic(using=alias):
                Tag.objects.using(alias).create(word="blue")
            objects.filter(pk=first.pk).update(stock=5)
            with connections[alias].cursor() as cursor:
                cursor.executemany("update shop_product set name = %s where id = %s", [("a", first.pk), ("b", rows[1].pk)])
                cursor.execute("update shop_product set name = 'c' where id = %s", [rows[2].pk])
        first.delete()
    objects.filter(pk=rows[1].pk).update(stock=6)
    said = shop_site.contexts(alias)
    #      create, bulk, update, upsert, tag, add, remove, order, stock twice, many, raw, both deleted; and nobody
    assert len(said) == 1 + 3 + 4 + 1 + 1 + 1 + 1 + 1 + 2 + 2 + 1 + 2 + 1
    assert said[:-1] == [{"actor": "ann"}] * (len(said) - 1)
    assert said[-1] == {}


@pytest.mark.parametrize("alias", EVERYWHERE)
def test_a_change_without_what_is_required_is_refused(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Strict

    for within in (transaction.atomic(using=alias), vestige.without()):
        with pytest.raises(vestige.django.MissingContext) as refused, within:
            Strict.objects.using(alias).create(note="nobody's")
        assert refused.value.field == "actor"
        assert isinstance(refused.value, vestige.MissingContext)
        assert isinstance(refused.value, DatabaseError)
    with vestige.context(actor="ann"):
        Strict.objects.using(alias).create(note="ann's")
        with pytest.raises(IntegrityError):
            Strict.objects.using(alias).create(note=None)


def test_no_round_trip_is_added(shop_site: Site) -> None:
    from django_site.shop.models import Product

    row = Product.objects.create(name="Teapot", price=1)

    def work(alias: str) -> None:
        objects = Product.objects.using(alias)
        with transaction.atomic(using=alias):
            objects.filter(pk=row.pk).update(stock=1)
            with transaction.atomic(using=alias):
                objects.bulk_create([Product(name=f"p{n}", price=n) for n in range(3)])
            objects.filter(pk=row.pk).update(stock=2)
        assert objects.get(pk=row.pk).stock == 2

    def alone(alias: str) -> None:
        Product.objects.using(alias).filter(pk=row.pk).update(stock=3)
        Product.objects.using(alias).create(name="Cup", price=2)

    assert shop_site.proxy is not None
    spent = {}
    for alias in ("plain", "counted"):
        with connections[alias].cursor() as cursor:
            cursor.execute("select 1")
        for step in (work, alone):
            before = shop_site.proxy.round_trips
            with vestige.context(actor="ann", reason="count"):
                step(alias)
            spent[alias, step] = shop_site.proxy.round_trips - before
    assert spent["counted", work] == spent["plain", work]
    # Before psycopg 3.2, a statement in no transaction gets one.
    more = 0 if site.PSYCOPG == 2 or site.PIPELINES else 4
    assert spent["counted", alone] == spent["plain", alone] + more


def test_a_page_that_only_reads_asks_for_no_user(shop_site: Site, product: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(shop_site.user("ann"))
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/products/{product.pk}/")
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as asked:
        client.get(f"/products/{product.pk}/price/1/")
    assert len(asked) == 3  # session and user, once; and the update


def test_nested_contexts_end_where_they_end(shop_site: Site, product: Any) -> None:
    from django_site.shop.models import Product

    def write(stock: int) -> None:
        Product.objects.filter(pk=product.pk).update(stock=stock)

    def fail() -> None:
        with transaction.atomic(), vestige.context(reason="2"):
            write(22)
            raise ZeroDivisionError

    with transaction.atomic(), vestige.context(actor="a", reason="1"):
        write(21)
        with pytest.raises(ZeroDivisionError):
            fail()
        write(23)
        with transaction.atomic(), vestige.context(reason="3", ticket="T"):
            write(24)
        write(25)
    said = shop_site.contexts()
    assert [c["reason"] for c in said] == ["1", "1", "3", "1"]
    assert ["ticket" in c for c in said] == [False, False, True, False]


def test_a_pools_connections_say_it(shop_site: Site, product: Any) -> None:
    import django

    if django.VERSION < (5, 1) or site.PSYCOPG != 3:
        pytest.skip("pools came with Django 5.1 and psycopg 3")
    from django.db.backends.postgresql.base import DatabaseWrapper

    settings = connections["default"].settings_dict
    wrapper = DatabaseWrapper({**settings, "OPTIONS": {"pool": {"min_size": 1, "max_size": 2}}}, "default")
    try:
        for actor in ("ann", "bob", None):
            with vestige.context(actor=actor), wrapper.cursor() as cursor:
                cursor.execute("update shop_product set in_stock = in_stock + 1 where id = %s", [product.pk])
            wrapper.close()
    finally:
        wrapper.close_pool()
    assert [c.get("actor") for c in shop_site.contexts()] == ["ann", "bob", None]


def test_a_wrong_key_of_the_setting_is_named(settings: Any) -> None:
    from vestige.django.conf import setting

    settings(VESTIGE={"ACTRO": "x"})
    with pytest.raises(ValueError, match="VESTIGE has no key ACTRO"):
        setting("ACTOR")


@pytest.mark.skipif(site.PSYCOPG == 2, reason="is the other run")
def test_all_of_this_with_psycopg2(shop_site: Site) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", str(pathlib.Path(__file__)), "-p", "no:randomly"],
        cwd=pathlib.Path(__file__).parent.parent,
        env=os.environ | {"DJANGO_PSYCOPG": "2"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-4000:]
