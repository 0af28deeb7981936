"""changes_committed and on_change: what was committed, once, after the commit, and to nobody who did not ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("django")

from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django_site.site import Site

import vestige
from vestige.django.signals import changes_committed, on_change

BOTH = pytest.mark.parametrize("alias", ["default", "lite"])


@pytest.fixture
def heard(shop_site: Site) -> Iterator[list[Any]]:
    found: list[Any] = []

    def listen(sender: str, changes: list[Any], **_: Any) -> None:
        assert not connections[sender].in_atomic_block
        found.append([(change.op, change.table.rpartition(".")[2], change.actor) for change in changes])

    changes_committed.connect(listen)
    yield found
    changes_committed.disconnect(listen)


@BOTH
def test_what_was_committed_is_told_once(heard: list[Any], alias: str) -> None:
    from django_site.shop.models import Order, Product

    with transaction.atomic(using=alias), vestige.context(actor="ann"):
        product = Product.objects.using(alias).create(name="Teapot", price=1)
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=alias):
            Order.objects.using(alias).create(product=product, amount=1 // 0)
        with transaction.atomic(using=alias):
            Product.objects.using(alias).filter(pk=product.pk).update(stock=1)
        assert heard == []
    assert heard.pop() == [("INSERT", "shop_product", "ann"), ("UPDATE", "shop_product", "ann")]
    Product.objects.using(alias).filter(pk=product.pk).update(stock=2)
    assert heard.pop() == [("UPDATE", "shop_product", None)]
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=alias):
        Product.objects.using(alias).filter(pk=product.pk).update(stock=1 // 0)
    Product.objects.using(alias).filter(pk=-1).update(stock=2)
    Product.objects.using(alias).filter(pk=product.pk).update(stock=2)
    assert heard == []


@BOTH
def test_a_write_that_was_taken_back_to_a_savepoint_does_not_count(heard: list[Any], alias: str) -> None:
    from django_site.shop.models import Product

    class Back(Exception):
        pass

    def taken_back() -> None:
        with transaction.atomic(using=alias):
            Product.objects.using(alias).create(name="gone", price=1)
            raise Back

    with transaction.atomic(using=alias), vestige.context(actor="ann"):
        with pytest.raises(Back):
            taken_back()
        Product.objects.using(alias).create(name="stays", price=1)
    assert heard == [[("INSERT", "shop_product", "ann")]]


@BOTH
def test_a_function_hears_of_the_rows_that_it_means(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Product

    found: list[Any] = []

    @on_change(Product, when=lambda version: version.op == "UPDATE" and abs(version.after.stock - version.before.stock) > 10)
    def warn(version: Any, using: str, **_: Any) -> None:
        found.append((using, version.actor, version.before.stock, version.after.stock))

    try:
        with vestige.context(actor="ann"), transaction.atomic(using=alias):
            product = Product.objects.using(alias).create(name="Teapot", price=1, stock=5)
            for stock in (7, 100, 101, 5):
                Product.objects.using(alias).filter(pk=product.pk).update(stock=stock)
        assert found == [(alias, "ann", 7, 100), (alias, "ann", 101, 5)]
    finally:
        changes_committed.receivers.clear()
        changes_committed.sender_receivers_cache.clear()


def test_nobody_pays_who_did_not_ask(shop_site: Site) -> None:
    from django_site.shop.models import Product

    with CaptureQueriesContext(connection) as asked:
        Product.objects.create(name="Teapot", price=1)
    assert len(asked) == 1
