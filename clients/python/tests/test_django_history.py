"""`Model.vestige`: history, blame, the past, what is gone, undoing; with fields that came, went and were renamed."""

from __future__ import annotations

import datetime
import io
import uuid
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("django")

from django.core.management import call_command
from django.db import connections, migrations, models
from django.test.utils import isolate_apps
from django_site import site
from django_site.site import Site
from test_django_policy import operation_at

import vestige
import vestige.django
from vestige.django.history import ModelHistory

BOTH = pytest.mark.parametrize("alias", ["default", "lite"])


def told(versions: Any) -> list[tuple[Any, ...]]:
    return [(v.op, v.actor, [(one.name, one.old, one.new) for one in v.changes if v.op == "UPDATE"]) for v in versions]


@BOTH
def test_a_row_as_it_was_at_each_change(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Product

    objects = Product.objects.using(alias)
    with vestige.context(actor="ann", reason="new"):
        product = objects.create(name="Teapot", price="999.50")
    with vestige.context(actor="bob"):
        objects.filter(pk=product.pk).update(price="899.00", stock=3)
    moment = datetime.datetime.now(datetime.timezone.utc)
    objects.filter(pk=product.pk).update(name="Pot")
    versions = objects.get(pk=product.pk).vestige.versions()
    nobody = versions[0].actor
    assert told(versions) == [
        ("UPDATE", nobody, [("name", "Teapot", "Pot")]),
        ("UPDATE", "bob", [("price", Decimal("999.50"), Decimal("899.00")), ("stock", 0, 3)]),
        ("INSERT", "ann", []),
    ]
    assert nobody is None
    assert versions[2].reason == "new"
    assert [(v.after.name, v.after.price, v.after.stock) for v in versions] == [
        ("Pot", Decimal("899.00"), 3),
        ("Teapot", Decimal("899.00"), 3),
        ("Teapot", Decimal("999.50"), 0),
    ]
    assert versions[2].before is None
    assert isinstance(versions[1].instance, Product)
    assert [one.label for one in versions[1].changes] == ["price", "stock"]
    assert product.vestige.as_of(moment).name == "Teapot"
    assert product.vestige.as_of(versions[2]).price == Decimal("999.50")
    assert product.vestige.as_of(versions[0].id).name == "Pot"
    assert product.vestige.as_of(moment - datetime.timedelta(days=1)) is None
    blame = {one.column: (one.value, one.who) for one in product.vestige.blame()}
    assert blame["in_stock"] == (3, "bob")
    then = {one.pk: one for one in Product.vestige.using(alias).as_of(moment)}
    assert (then[product.pk].name, then[product.pk].price) == ("Teapot", Decimal("899.00"))
    assert [v.op for v in Product.vestige.using(alias).changes(actor="bob") if v.change.key == {"id": product.pk}] == ["UPDATE"]


@BOTH
def test_what_was_deleted_comes_back_with_its_key(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Product, Tag

    history = Product.vestige.using(alias)
    product = Product.objects.using(alias).create(name="Gone", price=5)
    product.tags.add(Tag.objects.using(alias).create(word=f"gone {alias}"))
    pk = product.pk
    with vestige.context(actor="ann"):
        product.delete()
    gone = next(version for version in history.deleted() if version.before.name == "Gone")
    assert (gone.actor, gone.before.pk, gone.before.price) == ("ann", pk, Decimal("5.00"))
    assert told(history.of(pk))[0][:2] == ("DELETE", "ann")
    with vestige.context(actor="bob", reason="it was in use"):
        assert history.undo(gone).done == "applied"
    assert Product.objects.using(alias).get(pk=pk).name == "Gone"
    assert not [version for version in history.deleted() if version.before.pk == pk]
    assert history.of(pk).versions()[0].reason == "it was in use"
    assert history.undo(gone).done == "nothing"


@BOTH
def test_a_transaction_is_undone_or_what_was_changed_since_is_named(shop_site: Site, alias: str) -> None:
    from django.db import DatabaseError, transaction
    from django_site.shop.models import Product

    with transaction.atomic(using=alias), vestige.context(actor="ann"):
        made = [Product.objects.using(alias).create(name=f"r{n}", price=n) for n in range(2)]
    tx = Product.vestige.using(alias).of(made[0].pk).versions()[0].tx
    Product.objects.using(alias).filter(pk=made[1].pk).update(price=7)
    with pytest.raises(vestige.django.Conflict, match="changed since") as refused:
        Product.vestige.using(alias).revert(tx)
    assert isinstance(refused.value, DatabaseError)
    assert Product.objects.using(alias).filter(name__in=["r0", "r1"]).count() == 2
    update = Product.vestige.using(alias).of(made[1].pk).versions()[0]
    Product.objects.using(alias).filter(pk=made[1].pk).update(price=8)
    with pytest.raises(vestige.django.Conflict, match="price"):
        made[1].vestige.undo(update)
    assert made[1].vestige.undo(update, force=True).done == "applied"
    assert Product.objects.using(alias).get(pk=made[1].pk).price == 1
    assert Product.vestige.using(alias).revert(tx) == 2
    assert not Product.objects.using(alias).filter(name__in=["r0", "r1"]).exists()


@BOTH
def test_who_added_and_who_took_away(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Product, Tag

    product = Product.objects.using(alias).create(name="Tagged", price=5)
    tag = Tag.objects.using(alias).create(word=f"blue {alias}")
    with vestige.context(actor="ann"):
        product.tags.add(tag)
    with vestige.context(actor="bob"):
        product.tags.clear()
    found = product.vestige.relations()
    assert [(one.added, one.change.actor, one.field.name, one.pk, one.related) for one in found] == [
        (False, "bob", "tags", tag.pk, tag),
        (True, "ann", "tags", tag.pk, tag),
    ]


@BOTH
def test_history_is_read_after_fields_came_went_and_were_renamed(shop_site: Site, alias: str) -> None:
    from django.db.migrations.loader import MigrationLoader
    from django_site.shop.models import Order, Product

    product = Product.objects.using(alias).create(name="Teapot", price=1)
    order = Order.objects.using(alias).create(product=product, amount=1)
    steps = [
        migrations.AddField("Order", "note", models.TextField(default="none")),
        migrations.RenameField("Order", "amount", "quantity"),
        migrations.AlterField("Order", "quantity", models.TextField()),
    ]
    operation_at(alias, steps, 0)
    with connections[alias].cursor() as cursor:
        cursor.execute("update shop_order set note = 'wrapped', amount = 2 where id = %s", [order.pk])
    for number in (1, 2):
        operation_at(alias, steps, number)
    state = MigrationLoader(connections[alias]).project_state()
    for one in steps:
        one.state_forwards("shop", state)
    renamed = state.apps.get_model("shop", "Order")
    later, first = ModelHistory(renamed, alias).of(order.pk).versions()
    assert [(one.name, one.old, one.new) for one in later.changes if one.name == "note"] == [("note", "none", "wrapped")]
    assert str(later.after.quantity) == "2"
    assert str(first.after.quantity) == "1"
    assert first.after.note == "none"  # it came later: its default
    for number in (2, 1, 0):
        operation_at(alias, steps, number, back=True)
    later, first = Order.vestige.using(alias).of(order.pk).versions()[-2:]
    assert later.after.extra == {"note": "wrapped"}
    assert first.after.extra == {}
    assert [(one.field, one.label, one.new) for one in later.changes if one.name == "note"] == [(None, "note", "wrapped")]


@BOTH
@isolate_apps("django_site.shop")
def test_values_are_those_that_the_model_reads(shop_site: Site, alias: str) -> None:
    class Everything(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        flag = models.BooleanField(default=True)
        number = models.BigIntegerField(default=2**62 + 1)
        real = models.FloatField(default=0.1)
        price = models.DecimalField(max_digits=12, decimal_places=4, default=Decimal("1.5000"))
        on = models.DateField(default=datetime.date(2026, 11, 29))
        at = models.DateTimeField(default=datetime.datetime(2026, 11, 29, 12, 30, 15, 123456, datetime.timezone.utc))
        clock = models.TimeField(default=datetime.time(12, 30, 15, 120000))
        lasts = models.DurationField(default=datetime.timedelta(days=2, microseconds=5))
        data = models.JSONField(default=dict)
        blob = models.BinaryField(default=b"\x00\xff'")
        address = models.GenericIPAddressField(default="2001:db8::1")
        text = models.TextField(default="ü\\'\"\n")
        nothing = models.TextField(null=True)

        class Meta:
            app_label = "shop"

    with connections[alias].schema_editor() as editor:
        editor.create_model(Everything)
    from vestige.django.history import table_of
    from vestige.django.reconcile import trail_of

    trail_of(connections[alias]).track(table_of(Everything, alias))
    made = Everything(data={"a": [1, 0.5, None, "ü"], "b": {"c": True}})
    made.save(using=alias)
    live = Everything.objects.using(alias).get(pk=made.pk)
    fields = [field.attname for field in Everything._meta.concrete_fields]
    [version] = ModelHistory(Everything, alias).of(made.pk).versions()
    [then] = ModelHistory(Everything, alias).as_of(version.id)
    for found in (version.after, then):
        assert {name: plain(getattr(found, name)) for name in fields} == {name: plain(getattr(live, name)) for name in fields}
        assert {name: type(plain(getattr(found, name))) for name in fields} == {
            name: type(plain(getattr(live, name))) for name in fields
        }
    live.delete()
    ModelHistory(Everything, alias).undo(ModelHistory(Everything, alias).of(made.pk).versions()[0])
    again = Everything.objects.using(alias).get(pk=made.pk)
    assert {name: plain(getattr(again, name)) for name in fields} == {
        name: plain(getattr(live, name)) for name in fields if name != "id"
    } | {"id": made.pk}
    site.drop(alias, Everything)


def plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def test_the_audit_log_is_a_model_on_postgresql(shop_site: Site) -> None:
    from django_site.shop.models import Product

    from vestige.django.models import AuditLog

    with vestige.context(actor="auditor's friend"):
        product = Product.objects.create(name="Logged", price="3.10")
    [row] = AuditLog.objects.filter(changed_by="auditor's friend")
    assert (row.table_name, row.record_id, row.action, row.new_values["name"]) == (
        "shop_product",
        str(product.pk),
        "INSERT",
        "Logged",
    )
    assert str(row) == f"INSERT shop_product {product.pk}"


def test_makemigrations_has_nothing_to_do_for_registered_models(shop_site: Site) -> None:
    out = io.StringIO()
    call_command("makemigrations", dry_run=True, check=True, stdout=out)
    assert "No changes" in out.getvalue()


class Replica:
    """A router that reads where nothing can be written."""

    def db_for_read(self, model: Any, **_: Any) -> str:
        return "counted"

    def db_for_write(self, model: Any, **_: Any) -> str:
        return "default"


def test_what_is_read_of_a_replica_is_undone_where_one_writes(shop_site: Site, settings: Any) -> None:
    from django_site.shop.models import Product

    replica = connections["counted"]
    replica.cursor().execute("set default_transaction_read_only = on")
    pk = Product.objects.create(name="Teapot", price=999).pk
    settings(DATABASE_ROUTERS=["test_django_history.Replica"])
    for found in (Product.vestige.of(pk), Product.objects.get(pk=pk).vestige):
        Product.objects.using("default").filter(pk=pk).update(price=1)
        before = shop_site.proxy.round_trips
        last = found.versions()[0]
        assert shop_site.proxy.round_trips > before, "it was not read of the replica"
        assert found.undo(last).done == "applied"
    [gone] = Product.objects.using("default").filter(pk=pk)
    gone.delete()
    deleted = next(Product.vestige.deleted())
    assert Product.vestige.undo(deleted).done == "applied"
    Product.vestige.revert(next(Product.vestige.changes()).tx)
    assert not Product.objects.using("default").filter(pk=pk).exists()
    replica.close()


def test_the_trail_is_read_where_read_using_says(shop_site: Site, settings: Any) -> None:
    from django.conf import settings as project
    from django_site.shop.models import Product

    product = Product.objects.create(name="Teapot", price=999)
    settings(VESTIGE={**project.VESTIGE, "READ_USING": {"default": "counted"}})
    before = shop_site.proxy.round_trips
    [version] = product.vestige.versions()
    assert shop_site.proxy.round_trips > before
    assert version.using == "default"
    assert Product.vestige.undo(version).done == "applied"
