"""The admin's history before people who want more than is theirs, and over rows that somebody has put into the database."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

pytest.importorskip("django")

from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django_site.site import Site
from test_django_admin import staff, text, url

import vestige

EDITOR = (
    "shop.view_product",
    "shop.change_product",
    "shop.add_product",
    "shop.delete_product",
    "vestige.view_history",
    "vestige.undo",
)


@pytest.fixture
def root(shop_site: Site) -> Client:
    client = Client()
    client.force_login(shop_site.user("root", is_superuser=True, is_staff=True))
    return client


@pytest.fixture
def product(shop_site: Site) -> Any:
    from django_site.shop.models import Product

    return Product.objects.create(name="Teapot", price="999.50", stock=1)


def test_a_row_that_is_gone_is_shown_to_those_who_could_see_it(shop_site: Site, root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    Product.objects.filter(pk=product.pk).update(name="Secret", price=42)
    pk = product.pk
    product.refresh_from_db()
    product.delete()
    gone = Product.vestige.of(pk).versions()[0]
    editor = staff(shop_site, "prying", *EDITOR)
    place = f"/admin/shop/product/{pk}/history/"
    assert "Secret" not in text(editor.get("/admin/shop/product/deleted/"))
    for rest in ("", f"{gone.id}/", f"{gone.id}/undo/", f"tx/{gone.tx}/"):
        assert editor.get(place + rest).status_code == 403
    assert editor.post(f"{place}{gone.id}/undo/").status_code == 403
    assert not Product.objects.filter(pk=pk).exists()
    assert root.get(place).status_code == 403, "who may see a row is asked of the row, of superusers as well"


def test_a_table_of_another_schema_is_not_the_models(shop_site: Site, product: Any) -> None:
    """A namesake's values are not shown, and it is not undone."""
    from django_site.shop.models import Product

    with connection.cursor() as cursor:
        cursor.execute("create schema vault; create table vault.shop_product (id int primary key, name text)")
        cursor.execute("select vestige.track('vault.shop_product')")
        try:
            with transaction.atomic():
                Product.objects.filter(pk=product.pk).update(price=1)
                cursor.execute("insert into vault.shop_product values (%s, 'of the vault')", [product.pk])
            tx = product.vestige.versions()[0].tx
            editor = staff(shop_site, "curious", *EDITOR)
            seen = editor.get(url(product, f"tx/{tx}/"))
            assert "of the vault" not in seen.content.decode()
            assert "Its history is not shown to you." in text(seen)
            assert editor.post(url(product, f"tx/{tx}/")).status_code == 403
        finally:
            cursor.execute("select vestige.untrack('vault.shop_product'); drop schema vault cascade")


def test_a_transaction_shows_rows_that_the_list_of_their_admin_has(shop_site: Site, product: Any) -> None:
    """What get_queryset leaves out is not there for this user."""
    from django_site.shop.models import Product, Tag

    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price=1)
        Tag.objects.create(word="hidden word")
    tx = product.vestige.versions()[0].tx
    permissions = [f"shop.{verb}_tag" for verb in ("view", "change", "add", "delete")]
    editor = staff(shop_site, "nosy", *EDITOR, *permissions)
    assert "hidden word" in text(editor.get(url(product, f"tx/{tx}/")))
    tags = admin.site._registry[Tag]
    with mock.patch.object(tags, "get_queryset", return_value=Tag.objects.none()):
        assert "hidden word" not in text(editor.get(url(product, f"tx/{tx}/")))
        assert editor.post(url(product, f"tx/{tx}/")).status_code == 403


def test_passwords_are_hidden_on_pages_of_other_models(shop_site: Site, root: Client, product: Any) -> None:
    """Whatever a ModelAdmin hides of its own model, of another one without HistoryMixin the usual fields are hidden."""
    from django.contrib.auth.admin import UserAdmin
    from django.contrib.auth.models import User
    from django_site.shop.models import Product

    from vestige.django.testing import tracked_for_test

    with tracked_for_test(User), transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price=1)
        user = User.objects.create_user("ulla", password="secret")
    tx = product.vestige.versions()[0].tx
    with (
        mock.patch.dict(admin.site._registry, {User: UserAdmin(User, admin.site)}),
        mock.patch.object(admin.site._registry[Product], "history_hidden", ("stock",)),
    ):
        page = root.get(url(product, f"tx/{tx}/")).content.decode()
    assert "ulla" in page
    assert user.password not in page


def test_a_field_that_the_form_does_not_let_change_is_not_put_back(shop_site: Site, root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price=1)
    change = product.vestige.versions()[0]
    editor = staff(shop_site, "pricer", *EDITOR)
    products = admin.site._registry[Product]
    for name, value in (("readonly_fields", ("price",)), ("exclude", ("price",)), ("fields", ("name",))):
        with mock.patch.object(products, name, value):
            assert "Undo" not in text(editor.get(url(product))).split("created")[0]
            for rest in (f"{change.id}/undo/", f"tx/{change.tx}/"):
                assert editor.post(url(product, rest)).status_code == 403
    product.refresh_from_db()
    assert product.price == 1
    with mock.patch.object(products, "readonly_fields", ("price",)):
        assert root.post(url(product, f"{change.id}/undo/")).status_code == 302, "superusers may"


def test_a_row_does_not_come_back_with_what_the_form_of_a_new_one_lacks(shop_site: Site, root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    products = admin.site._registry[Product]
    pk = product.pk
    product.delete()
    gone = next(iter(Product.vestige.of(pk)))
    places = [f"/admin/shop/product/{pk}/history/{gone.id}/undo/", f"/admin/shop/product/{pk}/history/tx/{gone.tx}/"]
    editor = staff(shop_site, "restoring", *EDITOR)
    for name, value in (("readonly_fields", ("price",)), ("exclude", ("price",)), ("fields", ("name",))):
        with mock.patch.object(products, name, value):
            for place in places:
                assert editor.post(place).status_code == 403, name
            assert "undo/" not in text(editor.get("/admin/shop/product/deleted/")), name
    assert not Product.objects.filter(pk=pk).exists()
    with mock.patch.object(products, "readonly_fields", ("id",)):  # which the row alone can have
        assert editor.post(places[0]).status_code == 302
    assert str(Product.objects.get(pk=pk).price) == product.price
    Product.objects.filter(pk=pk).delete()
    again = next(iter(Product.vestige.of(pk)))
    with mock.patch.object(products, "readonly_fields", ("price",)):
        assert root.post(f"/admin/shop/product/{pk}/history/{again.id}/undo/").status_code == 302


def test_addresses_that_make_no_sense_are_not_found(root: Client, product: Any) -> None:
    for key in ("9" * 30, "%00", "1%00"):
        assert root.get(f"/admin/shop/product/{key}/history/").status_code == 404
    assert root.get(url(product), {"before": "9" * 5000}).status_code == 200


def test_a_value_is_shown_as_it_is_and_leads_nowhere(root: Client, product: Any) -> None:
    """What stands in the database was not checked by a form: a link is no link, and what is no choice is not nothing."""
    from django.db import models
    from django_site.shop.models import Product

    from vestige.django.admin_pages import Page

    page = Page(admin.site._registry[Product], Product.vestige, product.pk, product)
    link = 'https://evil.example/"onclick=alert(1)'
    for kind in (models.URLField, models.FileField):
        assert page.shown(kind(name="x"), "x", link) == link
    assert page.shown(models.CharField(name="x", choices=[("a", "An a")]), "x", "b") == "b"
    assert page.shown(models.CharField(name="x", choices=[("a", "An a")]), "x", "a") == "An a"
    assert page.shown(models.BooleanField(name="x"), "x", "maybe") == "maybe"


def test_a_row_whose_name_cannot_be_told_has_a_history(root: Client, product: Any) -> None:
    """The name of what is gone may ask for a row that is gone as well."""
    from django_site.shop.models import Product

    pk = product.pk
    product.delete()

    def broken(self: Any) -> str:
        raise Product.DoesNotExist

    with mock.patch.object(Product, "__str__", broken):
        assert f"product {pk}" in text(root.get(f"/admin/shop/product/{pk}/history/"))
        assert f"product {pk}" in text(root.get("/admin/shop/product/deleted/"))


def test_a_context_that_is_no_object_is_shown_all_the_same(root: Client, product: Any) -> None:
    """Any role may set vestige.context to anything."""
    for said in ("[1, 2]", '"<b>eve</b>"', '{"actor": {"a": "<b>"}, "reason": ["<b>"], "x": null}', "17", "no json"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("select set_config('vestige.context', %s, true)", [said])
            with vestige.without():
                cursor.execute("update shop_product set price = price + 1 where id = %s", [product.pk])
    page = root.get(url(product))
    assert page.status_code == 200
    assert "<b>" not in page.content.decode()
