"""The admin's history: what it shows, to whom, and what it undoes; by forms alone, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest

pytest.importorskip("django")

from django.db import transaction
from django.test import Client
from django_site.site import Site

import vestige
from vestige.django.history import ModelHistory

SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def root(shop_site: Site) -> Client:
    client = Client(enforce_csrf_checks=False)
    client.force_login(shop_site.user("root", is_superuser=True, is_staff=True))
    return client


@pytest.fixture
def product(shop_site: Site) -> Any:
    from django_site.shop.models import Product

    with vestige.context(actor="ann", reason="new"):
        return Product.objects.create(name="Teapot", price="999.50", stock=1)


def url(product: Any, rest: str = "") -> str:
    return f"/admin/shop/product/{product.pk}/history/{rest}"


def text(response: Any) -> str:
    """What a reader sees of a page's content."""
    page = response.content.decode()
    body = re.split('<footer|<div id="footer"', page[page.index('<div id="content"') :])[0]  # the latter is Django 4.2's
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


def staff(shop_site: Site, name: str, *permissions: str) -> Client:
    from django.contrib.auth.models import Permission

    user = shop_site.user(name, is_staff=True)
    for one in permissions:
        app, code = one.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=code))
    client = Client()
    client.force_login(user)
    return client


def test_the_timeline_says_who_what_and_why_and_escapes_it(root: Client, product: Any) -> None:
    from django_site.shop.models import Product, Tag

    with vestige.context(actor=SCRIPT, reason=SCRIPT, **{SCRIPT: SCRIPT}):
        Product.objects.filter(pk=product.pk).update(name=SCRIPT)
        product.tags.add(Tag.objects.create(word="a & b"))
    response = root.get(url(product))
    page = response.content.decode()
    assert SCRIPT not in page
    seen = text(response)
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; changed" in seen
    assert "added to tags: a &amp; b" in seen
    assert "ann created new" in seen
    assert "Who gave each field its value" in seen
    assert "<del>Teapot</del>" in page
    for rest in (f"{product.vestige.versions()[0].id}/", f"{product.vestige.versions()[0].id}/undo/"):
        assert SCRIPT not in root.get(url(product, rest)).content.decode()
    # Of scripts there are Django's own for all pages, and every link and form goes without them.
    assert set(re.findall(r'<script[^>]*src="([^"]+)"', page)) <= {"/static/admin/js/theme.js", "/static/admin/js/nav_sidebar.js"}
    assert "onclick" not in page


def test_long_texts_are_compared_word_by_word(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    Product.objects.filter(pk=product.pk).update(name="A teapot for four people, of white porcelain, with a lid")
    Product.objects.filter(pk=product.pk).update(name="A teapot for six people, of white porcelain, with a lid")
    page = root.get(url(product)).content.decode()
    assert "A teapot for <del>four</del><ins>six</ins> people, of white porcelain" in page


def test_a_timeline_is_narrowed_to_a_field_and_goes_on(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    for stock in range(7):
        Product.objects.filter(pk=product.pk).update(stock=stock + 10)
    Product.objects.filter(pk=product.pk).update(price=1)
    first = root.get(url(product), {"field": "stock"})
    assert first.content.decode().count('<li class="vestige-entry') == 5
    assert "1.00" not in text(first).split("Who gave")[0]
    older = re.search(r'href="(\?field=stock&amp;before=\d+)"', first.content.decode())
    assert older is not None
    second = root.get(url(product, older[1].replace("&amp;", "&")))
    assert second.content.decode().count('<li class="vestige-entry') == 3  # two, and the first of all
    assert "Older" not in text(second)
    assert "Nothing is recorded of this field" in text(root.get(url(product), {"field": "nothing", "before": "x"}))


def test_a_version_is_shown_whole(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    Product.objects.filter(pk=product.pk).update(price=1)
    Product.objects.filter(pk=product.pk).update(name="Pot")
    middle = product.vestige.versions()[1]
    seen = text(root.get(url(product, f"{middle.id}/")))
    assert "name Teapot" in seen
    assert "price 999.50 1.00" in seen
    assert "seen at (not recorded)" in seen
    assert root.get(url(product, "999999/")).status_code == 404
    assert root.get("/admin/shop/product/999999/history/").status_code == 404
    assert root.get("/admin/shop/product/no-number/history/").status_code == 404


def test_undoing_is_shown_before_it_is_done_and_has_a_reason(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    Product.objects.filter(pk=product.pk).update(price=1)
    [change, created] = product.vestige.versions()
    seen = text(root.get(url(product, f"{change.id}/undo/")))
    assert "price 1.00 1.00 999.50" in seen
    assert len(product.vestige.versions()) == 2, "a look has changed something"
    done = root.post(url(product, f"{change.id}/undo/"), {"reason": "a typo"}, follow=True)
    assert "The change is undone" in text(done) or "The change is undone" in done.content.decode()
    product.refresh_from_db()
    assert str(product.price) == "999.50"
    last = product.vestige.versions()[0]
    assert (last.actor, last.reason, last.context["business_process"]) == ("root", "a typo", "admin:shop_product_undo")
    assert root.post(url(product, f"{created.id}/undo/"), follow=True).redirect_chain == [("/admin/shop/product/", 302)]
    assert not Product.objects.filter(pk=product.pk).exists()


def test_a_conflict_names_what_was_changed_since_and_can_be_overruled(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    Product.objects.filter(pk=product.pk).update(price=1, stock=5)
    change = product.vestige.versions()[0]
    Product.objects.filter(pk=product.pk).update(price=2)
    page = root.get(url(product, f"{change.id}/undo/"))
    assert "It cannot be undone as it stands." in text(page)
    assert "price 1.00 2.00 changed since 999.50" in text(page)
    assert "stock 5 5 1" in text(page)
    refused = root.post(url(product, f"{change.id}/undo/"), {"reason": "kept"})
    assert refused.status_code == 409
    assert "kept" in refused.content.decode()
    product.refresh_from_db()
    assert product.price == 2
    root.post(url(product, f"{change.id}/undo/"), {"force": "yes"})
    product.refresh_from_db()
    assert (str(product.price), product.stock) == ("999.50", 1)


def test_a_transaction_is_shown_and_undone_whole(root: Client, product: Any) -> None:
    from django_site.shop.models import Order, Product

    with transaction.atomic(), vestige.context(actor="ann"):
        Product.objects.filter(pk=product.pk).update(stock=0)
        order = Order.objects.create(product=product, amount=3)
    tx = product.vestige.versions()[0].tx
    seen = text(root.get(url(product, f"tx/{tx}/")))
    assert "2 changes, made together." in seen
    assert f"Order {order.pk}" in seen
    root.post(url(product, f"tx/{tx}/"), {"reason": "no such order"}, follow=True)
    product.refresh_from_db()
    assert product.stock == 1
    assert not Order.objects.filter(pk=order.pk).exists()
    assert root.get(url(product, "tx/999999/")).status_code == 404


def test_what_is_gone_is_listed_and_comes_back(root: Client, product: Any) -> None:
    from django_site.shop.models import Product

    pk = product.pk
    with vestige.context(actor="bob", reason="sold out"):
        product.delete()
    listed = root.get("/admin/shop/product/deleted/")
    assert "Teapot bob" in text(listed)
    assert "sold out" in text(listed)
    assert "Deleted" in text(root.get("/admin/shop/product/"))
    gone = Product.vestige.of(pk).versions()[0]
    seen = text(root.get(f"/admin/shop/product/{pk}/history/"))
    assert "This product is gone." in seen
    assert "Undo the deletion…" in seen
    assert "would be there again" in text(root.get(f"/admin/shop/product/{pk}/history/{gone.id}/undo/"))
    root.post(f"/admin/shop/product/{pk}/history/{gone.id}/undo/", {"reason": "it is here"})
    assert Product.objects.get(pk=pk).name == "Teapot"
    again = root.post(f"/admin/shop/product/{pk}/history/{gone.id}/undo/", follow=True)
    assert "It was so already" in again.content.decode()


def test_who_may_see_and_who_may_undo(shop_site: Site, product: Any) -> None:
    from django_site.shop.models import Order, Product

    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price=1)
        Order.objects.create(product=product, amount=1)
    change, created = product.vestige.versions()
    places = [url(product), url(product, f"{change.id}/"), url(product, f"tx/{change.tx}/"), "/admin/shop/product/deleted/"]
    undo = url(product, f"{change.id}/undo/")

    stranger = staff(shop_site, "stranger", "shop.view_product")
    assert {stranger.get(place).status_code for place in places} == {403}
    assert "Deleted" not in text(stranger.get("/admin/shop/product/"))
    outsider = staff(shop_site, "outsider", "vestige.view_history", "vestige.undo")
    assert {outsider.get(place).status_code for place in places} == {403}

    reader = staff(shop_site, "reader", "shop.view_product", "vestige.view_history")
    assert {reader.get(place).status_code for place in places} == {200}
    assert "Undo" not in text(reader.get(url(product)))
    assert "Its history is not shown to you." in text(reader.get(url(product, f"tx/{change.tx}/")))
    editor = staff(shop_site, "editor", "shop.view_product", "shop.change_product", "vestige.view_history", "vestige.undo")
    for client, place in (
        (reader, undo),
        (editor, url(product, f"{created.id}/undo/")),
        (editor, url(product, f"tx/{change.tx}/")),
    ):
        assert client.post(place).status_code == 403
    assert "Undo" in text(editor.get(url(product)))
    assert editor.post(undo).status_code == 302
    Product.objects.filter(pk=product.pk).update(name="Secret")
    assert editor.get(url(product)).status_code == 403
    assert Client().get(url(product)).status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(shop_site.user("root", is_superuser=True, is_staff=True))
    assert strict.post(undo).status_code == 403


def test_passwords_are_not_shown(shop_site: Site, root: Client) -> None:
    from django.contrib.auth.models import User

    from vestige.django.testing import tracked_for_test

    with tracked_for_test(User):
        user = User.objects.create_user("tom", password="secret")
        hashed = user.password
        page = root.get(f"/admin/auth/user/{user.pk}/history/").content.decode()
        user.set_password("other")
        user.save()
        User.objects.filter(pk=user.pk).update(password="third")
        change = ModelHistory(User).of(user.pk).versions()[1]
        page += root.get(f"/admin/auth/user/{user.pk}/history/{change.id}/undo/").content.decode()
        page += root.get(f"/admin/auth/user/{user.pk}/history/tx/{change.tx}/").content.decode()
        page += root.post(f"/admin/auth/user/{user.pk}/history/tx/{change.tx}/").content.decode()
    assert page.count("It was changed since.") == 3
    assert hashed not in page
    assert "third" not in page
    assert "tom" in page
    assert "(hidden)" in page
    assert user.password not in page
