"""Django REST framework: who acts is found in the view; a row's history and its past are pages of its view set."""

from __future__ import annotations

import datetime
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("rest_framework")

from django.test import Client
from django_site.site import Site


@pytest.fixture
def client(shop_site: Site) -> Any:
    shop_site.user("tina")
    return Client(headers={"authorization": "Token tina"})


def test_a_change_says_who_although_the_middleware_did_not_know(shop_site: Site, client: Any) -> None:
    shop_site.mark()
    made = client.post("/api/products/", {"name": "Teapot", "price": "9.50"}).json()
    client.patch(f"/api/products/{made['id']}/", {"price": "8.00"}, content_type="application/json")
    assert [(c["actor"], c["business_process"]) for c in shop_site.contexts()] == [
        ("tina", "product-list"),
        ("tina", "product-detail"),
    ]


def test_a_history_shows_what_the_serializer_shows(client: Any) -> None:
    """The others a form or the serializer leaves out for a reason: a password, say."""
    from django_site.shop.models import Product
    from django_site.shop.rest import ProductSerializer, ProductViewSet
    from rest_framework.serializers import CharField

    made = client.post("/api/products/", {"name": "Teapot", "price": "9.50"}).json()
    Product.objects.filter(pk=made["id"]).update(stock=77, price=1)

    def fields() -> list[set[str]]:
        return [
            {one["field"] for one in version["changes"]} for version in client.get(f"/api/products/{made['id']}/history/").json()
        ]

    assert fields() == [{"price"}, {"id", "name", "price"}]

    class Other(ProductSerializer):
        called = CharField(source="name")
        price = CharField(write_only=True)

        class Meta(ProductSerializer.Meta):
            fields = ("called", "price")

    with mock.patch.object(ProductViewSet, "serializer_class", Other):
        assert fields() == [set(), {"name"}]
    with mock.patch.object(ProductViewSet, "history_fields", ("stock",)):
        assert fields() == [{"stock"}, {"stock"}]


def test_history_and_past(shop_site: Site, client: Any) -> None:
    made = client.post("/api/products/", {"name": "Teapot", "price": "9.50"}).json()
    url = f"/api/products/{made['id']}/"
    moment = datetime.datetime.now(datetime.timezone.utc)
    client.patch(url, {"price": "8.00"}, content_type="application/json")
    update, insert = client.get(f"{url}history/").json()
    assert (update["op"], update["actor"], update["changes"]) == ("UPDATE", "tina", [{"field": "price", "old": 9.5, "new": 8.0}])
    assert (insert["op"], insert["reason"]) == ("INSERT", None)
    assert client.get(f"{url}as-of/", {"at": moment.isoformat()}).json() == {**made, "price": "9.50"}
    assert client.get(f"{url}as-of/?at=2001-01-01").status_code == 404
    for wrong in ("yesterday", "2026-13-01", ""):
        assert client.get(f"{url}as-of/", {"at": wrong}).status_code == 400
    assert Client().get(f"{url}history/").status_code in (401, 403)
