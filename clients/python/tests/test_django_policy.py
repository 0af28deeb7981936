"""What is tracked: audit.py, the decorator, Meta.indexes; what `migrate` makes of it, on both databases; checks and the command."""

from __future__ import annotations

import io
import os
import sys
from typing import Any

import pytest

pytest.importorskip("django")

from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connections, migrations, models, transaction
from django.test.utils import isolate_apps
from django_site.site import VESTIGE, Site

import vestige.django
from vestige.django import policy, reconcile
from vestige.django.policy import Policy

BOTH = pytest.mark.parametrize("alias", ["default", "lite"])


def said_of(model: Any, **given: Any) -> dict[str, dict[str, Any]]:
    return {table.name: table.said for table in Policy(**{k: v for k, v in given.items()}).tables(model)}


@isolate_apps("django_site.shop")
def test_fields_become_columns_of_every_table_that_the_model_has(shop_site: Site) -> None:
    class Person(models.Model):
        name = models.TextField(db_column="Full Name")
        born = models.DateField()

        class Meta:
            app_label = "shop"

    class Employee(Person):
        boss = models.ForeignKey("self", on_delete=models.CASCADE, null=True)
        friends = models.ManyToManyField(Person, related_name="+")
        pay = models.IntegerField()

        class Meta:
            app_label = "shop"

    class Boss(Employee):
        class Meta:
            app_label = "shop"
            proxy = True

    assert said_of(Employee) == {"shop_employee": {}, "shop_person": {}, "shop_employee_friends": {}}
    assert said_of(Employee, exclude_fields=["name", "boss", "friends"], require=["actor"]) == {
        "shop_employee": {"require": ["actor"], "exclude": ["boss_id"]},
        "shop_person": {"require": ["actor"], "exclude": ["Full Name"]},
    }
    assert said_of(Employee, track_only=["pay"], m2m=False, log_conditions="NEW.pay > 0") == {
        "shop_employee": {"include": ["person_ptr_id", "pay"], "when": "NEW.pay > 0"},
        "shop_person": {"include": ["id"]},
    }
    policy.register(Boss, tags=["staff"])
    try:
        assert policy.registered()[Employee].tags == ("staff",)
        assert policy.registered()[Employee].unknown(Employee) == []
        policy.register(Employee, exclude_fields=["salary"])
        [found] = checks_of(Employee)
        assert (found.id, "salary" in found.msg, "pay" in found.hint) == ("vestige.E001", True, True)
    finally:
        policy.unregister(Employee)


def checks_of(model: Any) -> list[Any]:
    from vestige.django.checks import policies

    return [one for one in policies() if one.obj is model]


def test_what_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Policy(track_only=("a",), exclude_fields=("b",))
    with pytest.raises(ValueError, match="exclude_fields is a list of names"):
        Policy(exclude_fields="name")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="needs a name"):
        vestige.django.Track(name="")


@BOTH
def test_migrate_has_done_what_was_registered_and_does_it_once(shop_site: Site, alias: str) -> None:
    found = reconcile.policies(connections[alias])
    assert {name: said for name, said in found.items() if '"' not in name} == {
        "shop_product": {"exclude": ["seen_at"]},
        "shop_product_tags": {},
        "shop_tag": {},
        "shop_order": {},
        "shop_strict": {"require": ["actor"]},
        "shop_letter": {"exclude": ["read_at"]},
    }
    assert reconcile.steps(alias) == []
    out = io.StringIO()
    call_command("migrate", database=alias, verbosity=1, stdout=out)
    assert "Audit trail" not in out.getvalue()
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@BOTH
def test_a_registration_that_changes_changes_the_database(shop_site: Site, alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_site.shop.models import Order, Tag

    monkeypatch.setitem(policy._registered, Tag, Policy(tags=("words",)))
    monkeypatch.delitem(policy._registered, Order)
    assert [str(step) for step in reconcile.steps(alias)] == ['change shop_tag {"tags": ["words"]}', "untrack shop_order"]
    reconcile.reconcile(alias)
    assert reconcile.steps(alias) == []
    shop_site.mark(alias)
    tag = Tag.objects.using(alias).create(word="w")
    Order.objects.using(alias).all().delete()
    tag.delete()
    assert {change["table"].split(".")[-1] for change in shop_site.changes(alias)} == {"shop_tag"}

    monkeypatch.undo()
    done = reconcile.reconcile(alias)
    assert [(step.verb, step.table) for step in done] == [("change", "shop_tag"), ("track", "shop_order")]
    assert "shop_order" in reconcile.policies(connections[alias])


def test_tables_that_others_track_are_left_alone(shop_site: Site) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute("select vestige.track('django_session')")
        assert reconcile.reconcile("default") == []
        assert "django_session" in reconcile.policies(connections["default"])
        cursor.execute("select vestige.untrack('django_session')")


@pytest.mark.parametrize(
    ("path", "why"), [("", "pip install vestige-sqlite"), (os.path.dirname(VESTIGE), "sees nothing of a transaction")]
)
def test_sqlite_without_the_extension_says_which_settings_help(
    shop_site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch, path: str, why: str
) -> None:
    monkeypatch.setenv("PATH", path)
    monkeypatch.setitem(sys.modules, "vestige_sqlite", None)
    settings(VESTIGE={})
    connection = connections["lite"]
    connection.close()  # the one before has it loaded
    with pytest.raises(vestige.ExtensionUnavailable, match=f'the database lite wants .*{why}.*"EXTENSION".*"DATABASES"'):
        reconcile.ensure(connection)
    connection.close()


def test_a_database_without_registered_models_gets_no_trail(shop_site: Site, settings: Any) -> None:
    assert not reconcile.wants_trail("counted")
    settings(VESTIGE={"DATABASES": ["lite"]})
    assert reconcile.reconcile("default") == []


def operation(alias: str, *operations: Any, back: bool = False) -> None:
    """Runs operations of a migration of the shop, or takes them back."""
    from django.db.migrations.loader import MigrationLoader

    state = MigrationLoader(connections[alias]).project_state()
    states = [state]
    for one in operations:
        states.append(states[-1].clone())
        one.state_forwards("shop", states[-1])
    steps = list(zip(operations, states, states[1:], strict=False))
    with connections[alias].schema_editor() as editor:
        for one, before, after in reversed(steps) if back else steps:
            if back:
                one.database_backwards("shop", editor, after, before)
            else:
                one.database_forwards("shop", editor, before, after)


@BOTH
def test_a_policy_in_meta_indexes_goes_forwards_and_back(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Letter

    change = [
        migrations.RemoveIndex("Letter", "letter_history"),
        migrations.AddIndex("Letter", vestige.django.Track(name="letter_history", require=["actor"], exclude_fields=["read_at"])),
    ]
    with vestige.context(actor="ann"):
        letter = Letter.objects.using(alias).create(text="a")
        operation(alias, *change)
        assert reconcile.policies(connections[alias])["shop_letter"] == {"require": ["actor"], "exclude": ["read_at"]}
        Letter.objects.using(alias).filter(pk=letter.pk).update(text="b")
        operation(alias, *change, back=True)
        assert reconcile.policies(connections[alias])["shop_letter"] == {"exclude": ["read_at"]}
        operation(alias, migrations.AlterField("Letter", "text", models.CharField(max_length=99, default="")))
        Letter.objects.using(alias).filter(pk=letter.pk).update(text="c")
        operation(alias, migrations.AlterField("Letter", "text", models.CharField(max_length=99, default="")), back=True)
        operation(alias, migrations.RemoveIndex("Letter", "letter_history"))
        assert "shop_letter" not in reconcile.policies(connections[alias])
        operation(alias, migrations.RemoveIndex("Letter", "letter_history"), back=True)
        Letter.objects.using(alias).filter(pk=letter.pk).update(text="d")
    log = [
        (change["op"], (change["new_values"] or {}).get("text")) for change in shop_site.changes(alias) if letter_of(change, letter)
    ]
    assert log == [("INSERT", "a"), ("UPDATE", "b"), ("UPDATE", "c"), ("UPDATE", "d")]


def letter_of(change: dict[str, Any], letter: Any) -> bool:
    return change["table"].endswith("shop_letter") and change["key"] == {"id": letter.pk}


@BOTH
@isolate_apps("django_site.shop")
def test_a_table_that_was_dropped_is_no_longer_tracked(shop_site: Site, alias: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Brief(models.Model):
        text = models.TextField()

        class Meta:
            app_label = "shop"

    monkeypatch.setitem(policy._registered, Brief, Policy())
    with connections[alias].schema_editor() as editor:
        editor.create_model(Brief)
    assert [str(step) for step in reconcile.reconcile(alias)] == ["track shop_brief"]
    Brief.objects.using(alias).create(text="a")
    with connections[alias].schema_editor() as editor:
        editor.delete_model(Brief)
    done = [str(step) for step in reconcile.reconcile(alias)]
    assert done == [f"untrack {'public.' if alias == 'default' else ''}shop_brief"]
    assert [one.code for one in reconcile.trail_of(connections[alias]).doctor() if one.severity in ("error", "warning")] == []
    with connections[alias].schema_editor() as editor:
        editor.create_model(Brief)
    assert [str(step) for step in reconcile.reconcile(alias)] == ["track shop_brief"]
    with connections[alias].schema_editor() as editor:
        editor.delete_model(Brief)
    monkeypatch.undo()
    assert len(reconcile.reconcile(alias)) == 1


def test_sqlmigrate_shows_it(shop_site: Site) -> None:
    out = io.StringIO()
    call_command("sqlmigrate", "shop", "0001", stdout=out)
    told = """select vestige.track('"shop_letter"'::regclass, "exclude" => array['read_at']::text[], baseline => false);"""
    assert told in out.getvalue()


@BOTH
@isolate_apps("django_site.shop")
def test_names_and_texts_of_a_policy_are_quoted(shop_site: Site, alias: str) -> None:
    class Odd(models.Model):
        text = models.TextField(db_column="it's 100%")

        class Meta:
            app_label = "shop"
            db_table = "odd's table"

    track = vestige.django.Track(name="t", exclude_fields=["text"], classification="o'clock 100%", tags=["a'b"])
    with connections[alias].schema_editor() as editor:
        editor.create_model(Odd)
        editor.add_index(Odd, track)
    assert reconcile.policies(connections[alias])["odd's table"] == {
        "exclude": ["it's 100%"],
        "classification": "o'clock 100%",
        "tags": ["a'b"],
    }
    with connections[alias].schema_editor() as editor:
        editor.remove_index(Odd, track)
    assert "odd's table" not in reconcile.policies(connections[alias])
    with connections[alias].schema_editor() as editor:
        editor.delete_model(Odd)


@BOTH
def test_recording_goes_on_through_every_migration(shop_site: Site, alias: str) -> None:
    """Also where SQLite makes the table anew, or would not drop a column that is recorded."""
    from django_site.shop.models import Order, Product

    product = Product.objects.using(alias).create(name="Teapot", price=1)
    order = Order.objects.using(alias).create(product=product, amount=1)
    shop_site.mark(alias)
    steps = [
        migrations.AddField("Order", "note", models.TextField(default="none")),
        migrations.RenameField("Order", "note", "remark"),
        migrations.AlterField("Order", "amount", models.BigIntegerField(null=True)),
        migrations.RenameField("Order", "amount", "quantity"),
        migrations.RemoveField("Order", "remark"),
    ]
    values = [("note", "'x'"), ("remark", "'y'"), ("amount", "2"), ("quantity", "3"), ("quantity", "4")]
    for number, (column, value) in enumerate(values):
        operation_at(alias, steps, number)
        with connections[alias].cursor() as cursor:
            cursor.execute(f"update shop_order set {column} = {value} where id = %s", [order.pk])
    for number in reversed(range(len(steps))):
        operation_at(alias, steps, number, back=True)
    Order.objects.using(alias).filter(pk=order.pk).update(amount=5)
    changes = [next(iter(change["new_values"].values())) for change in shop_site.changes(alias) if change["op"] == "UPDATE"]
    assert changes == ["x", "y", 2, 3, 4, 5]
    assert [one for one in reconcile.trail_of(connections[alias]).doctor() if one.severity == "error"] == []
    order.delete()


def operation_at(alias: str, steps: list[Any], number: int, back: bool = False) -> None:
    from django.db.migrations.loader import MigrationLoader

    before = MigrationLoader(connections[alias]).project_state()
    for one in steps[:number]:
        one.state_forwards("shop", before)
    after = before.clone()
    steps[number].state_forwards("shop", after)
    with connections[alias].schema_editor() as editor:
        if back:
            steps[number].database_backwards("shop", editor, after, before)
        else:
            steps[number].database_forwards("shop", editor, before, after)


def test_the_checks_are_quiet_and_find_what_is_amiss(shop_site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django_site.shop.models import Tag

    def found(deploy: bool = True) -> list[Any]:
        every = checks.run_checks(include_deployment_checks=deploy, databases=["default", "lite"])
        return [one for one in every if (one.id or "").startswith("vestige") and one.level >= checks.WARNING]

    assert found() == []
    settings(MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"])
    assert [one.id for one in found(deploy=False)] == ["vestige.W001"]
    settings(MIDDLEWARE=["vestige.django.middleware.ContextMiddleware"])
    monkeypatch.setitem(policy._registered, Tag, Policy(tags=("words",)))
    assert [one.id for one in found()] == ["vestige.E003", "vestige.E003"]
    monkeypatch.undo()
    with transaction.atomic(), connections["default"].cursor() as cursor:
        cursor.execute("alter table shop_tag disable trigger user")
        assert {one.id for one in found()} == {"vestige.W002"}
        transaction.set_rollback(True)


def command(*words: str) -> str:
    out = io.StringIO()
    call_command("vestige", *words, stdout=out)
    return out.getvalue()


@BOTH
def test_the_command_shows_and_undoes(shop_site: Site, alias: str) -> None:
    from django_site.shop.models import Product

    at = ["--database", alias]
    with vestige.context(actor="ann", reason="sale"):
        product = Product.objects.using(alias).create(name="Teapot", price="999.50")
        Product.objects.using(alias).filter(pk=product.pk).update(price="899")
    key = str(product.pk)
    log = command(*at, "log", "shop.Product", key).splitlines()
    assert "UPDATE ann (sale)" in log[0]
    assert "price: Decimal('999.50') -> Decimal('899.00')" in log[0]
    assert "INSERT ann (sale)" in log[1]
    assert "ann" in command(*at, "log", "shop.Product", "--limit", "1")
    assert "price: " in command(*at, "blame", "shop.Product", key)
    change = log[0].split()[0]
    assert command(*at, "undo", change, "--reason", "typo") == "undone\n"
    product.refresh_from_db()
    assert str(product.price) == "999.50"
    assert "(typo)" in command(*at, "log", "shop.Product", key).splitlines()[0]
    assert "nothing to undo" in command(*at, "undo", change)
    Product.objects.using(alias).filter(pk=product.pk).update(price="7")
    with pytest.raises(CommandError, match="price"):
        command(*at, "undo", change)
    assert command(*at, "undo", change, "--force") == "undone\n"
    tx = command(*at, "log", "shop.Product", key).splitlines()[0].split(" tx ")[1].split()[0]
    assert command(*at, "revert", tx) == "1 undone\n"
    product.delete()
    assert "erased, by change" in command(*at, "erase", "shop.Product", key, "--reason", "request 4711")
    assert "Teapot" not in command(*at, "log", "shop.Product", key)
    for row in (key, "999999"):
        assert command(*at, "erase", "shop.Product", row, "--reason", "request 4712") == "nothing to erase\n"
    assert "shop_product {'exclude': ['seen_at']}" in command(*at, "status")
    assert command(*at, "reconcile", "--dry-run") == "nothing to do\n"
    assert command(*at, "reconcile") == "nothing to do\n"
    for wrong, why in (
        ("log shop.Nothing", "Nothing"),
        ("revert 999999", "999999"),
        ("blame shop.Product 999999", "no such row"),
        ("blame shop.Product abc", "abc"),
    ):
        with pytest.raises(CommandError, match=why):
            command(*at, *wrong.split())


@BOTH
def test_the_command_looks_after_the_trail(shop_site: Site, alias: str) -> None:
    at = ["--database", alias]
    command(*at, "doctor")
    with connections[alias].cursor() as cursor:
        if alias == "default":
            cursor.execute("alter table shop_tag disable trigger user")
        else:
            cursor.execute("select name from sqlite_master where tbl_name = 'shop_tag' and name like 'vestige%update'")
            cursor.execute(f'drop trigger "{cursor.fetchone()[0]}"')
    with pytest.raises(CommandError, match="not in order"):
        command(*at, "doctor")
    assert "fixed" in command(*at, "doctor", "--fix")
    command(*at, "untrack", "shop.Tag")
    assert "to be done: track shop_tag" in command(*at, "status")
    assert "track shop_tag" in command(*at, "reconcile")
    with pytest.raises(CommandError, match="there is no database nowhere"):
        command("--database", "nowhere", "status")
