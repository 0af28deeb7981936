"""Fields that are redacted or encrypted: in a policy, in a history, in the admin, in an API; and that nothing writes them back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("django")

from conftest import vestige_program
from django.db import connections
from django.test import Client
from django_site.site import Site
from test_django_admin import text

import vestige
from vestige.django import Conflict, policy, reconcile
from vestige.django.policy import Policy
from vestige.trail import REDACTED, Encrypted

BOTH = pytest.mark.parametrize("alias", ["default", "lite"])
SAID = Policy(exclude_fields=("seen_at",), redact=("price",), encrypt={"name": "phi", "stock": "phi"})


@pytest.fixture
def product(shop_site: Site, alias: str, recipient: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from django_site.shop.models import Product

    with connections[alias].cursor() as cursor:
        if alias == "default":
            cursor.execute("create extension if not exists pgcrypto")
            cursor.execute("select vestige.add_recipient('phi', %s)", [recipient])
        else:
            connections[alias].close()
            vestige_program(f"sqlite:{shop_site.lite}", "keys", "add", "phi", recipient.split()[0])
    monkeypatch.setitem(policy._registered, Product, SAID)
    reconcile.reconcile(alias)
    product = Product.objects.using(alias).create(name="Ann's", price="999.50", stock=7)
    Product.objects.using(alias).filter(pk=product.pk).update(name="Bob's", price=1, stock=8)
    yield product
    with connections[alias].cursor() as cursor:
        if alias == "default":
            cursor.execute("select vestige.track('shop_product', exclude => '{seen_at}', unredact => '{price}')")
    monkeypatch.undo()
    reconcile.reconcile(alias)


@BOTH
def test_a_policy_says_it_of_fields(alias: str, product: Any) -> None:
    stands = reconcile.policies(connections[alias])["shop_product"]
    assert stands == {"exclude": ["seen_at"], "redact": ["price"], "encrypt": {"name": "phi", "in_stock": "phi"}}
    assert reconcile.steps(alias) == []
    # Of a field that the model has no more the trail keeps it.
    [said] = [one.said_over({**stands, "redact": ["price", "card"]}) for one in SAID.tables(type(product)) if "redact" in one.said]
    assert said == {**stands, "redact": ["price", "card"]}


@BOTH
def test_versions_have_what_stands_for_it(alias: str, product: Any) -> None:
    changed, made = product.vestige.versions()
    assert [one.old is REDACTED and one.new is REDACTED for one in changed.changes if one.name == "price"] == [True]
    assert isinstance(made.after.stock, Encrypted)
    assert isinstance(changed.before.name, Encrypted)
    with pytest.raises(vestige.VestigeError, match=r"nothing can be written back: \(encrypted\)"):
        made.after.save(using=alias)
    product.refresh_from_db()
    assert product.name == "Bob's"
    pk = product.pk
    product.delete()
    gone = type(product).vestige.using(alias).of(pk).versions()[0]
    with pytest.raises(Conflict, match="does not give what name was"):
        type(product).vestige.using(alias).undo(gone)
    assert not type(product).objects.using(alias).filter(pk=pk).exists()


@pytest.mark.parametrize("alias", ["default"])
def test_pages_say_that_it_is_not_given(shop_site: Site, alias: str, product: Any) -> None:
    client = Client()
    client.force_login(shop_site.user("root", is_superuser=True, is_staff=True))
    changed, made = product.vestige.versions()
    for place in ("", f"{changed.id}/", f"{made.id}/", f"{changed.id}/undo/", f"tx/{changed.tx}/"):
        page = text(client.get(f"/admin/shop/product/{product.pk}/history/{place}"))
        assert "Ann" not in page, place
        assert "(encrypted)" in page or not place, place
    assert "changed since" not in text(client.get(f"/admin/shop/product/{product.pk}/history/{changed.id}/undo/"))
    shop_site.user("tina")
    client = Client(headers={"authorization": "Token tina"})
    [newest, _] = client.get(f"/api/products/{product.pk}/history/").json()
    assert {one["field"]: (one["old"], one["new"]) for one in newest["changes"]} == {
        "name": ("(encrypted)", "(encrypted)"),
        "price": ("(redacted)", "(redacted)"),
    }
    then = client.get(f"/api/products/{product.pk}/as-of/", {"at": made.at.isoformat()}).json()
    assert then == {"id": product.pk, "name": "(encrypted)", "price": "(redacted)"}


def test_what_is_not_recorded_cannot_be_redacted() -> None:
    with pytest.raises(ValueError, match="name is to be redacted or encrypted, and is not recorded"):
        Policy(exclude_fields=("name",), encrypt={"name": "phi"})
    with pytest.raises(ValueError, match="as a dict"):
        Policy(encrypt=["name"])  # type: ignore[arg-type]
    assert vestige.django.Track(name="t", redact=["a"], encrypt={"b": "phi"}).deconstruct()[2] == {
        "name": "t",
        "redact": ["a"],
        "encrypt": {"b": "phi"},
    }
