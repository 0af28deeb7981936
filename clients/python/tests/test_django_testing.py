"""vestige.django.testing, as a project's tests use it; and what `migrate` does in a test's database."""

from __future__ import annotations

import unittest
from typing import Any

import pytest

pytest.importorskip("django")

from django.db import connections, transaction
from django_site.site import Site

import vestige
from vestige.django import reconcile


@pytest.fixture
def untracked(shop_site: Site) -> Any:
    """As in a test's database: the trail is there, nothing is tracked."""
    for alias in ("default", "lite"):
        with transaction.atomic(using=alias):
            for table in ("shop_product", "shop_product_tags"):
                reconcile.trail_of(connections[alias]).untrack(table)
    yield
    for alias in ("default", "lite"):
        reconcile.reconcile(alias)


@pytest.mark.parametrize("alias", ["default", "lite"])
@pytest.mark.parametrize("kind", ["TestCase", "TransactionTestCase"])
def test_tests_track_what_they_want(untracked: Any, alias: str, kind: str) -> None:
    import django.test
    from django_site.shop.models import Order, Product

    from vestige.django.testing import RecordedMixin, tracked_for_test

    base: Any = getattr(django.test, kind)

    class Cases(RecordedMixin, base):
        databases = frozenset(("default", "lite"))
        available_apps: Any = None

        def _fixture_teardown(self) -> None:  # the tests of this project keep their tables
            if kind == "TestCase":
                super()._fixture_teardown()

        def setUp(self) -> None:
            self.product = Product.objects.using(alias).create(name="Teapot", price=1)
            Order.objects.using(alias).create(product=self.product, amount=1)

        def test_without(self) -> None:
            with self.assertNumRecorded(0, using=alias):
                self.product.save()

        @tracked_for_test(Product, using=alias)
        def test_with(self) -> None:
            with self.assertNumRecorded(1, using=alias), vestige.context(actor="ann"):
                Product.objects.using(alias).filter(pk=self.product.pk).update(price=2)
            self.assertRecorded(self.product, changed={"price"}, actor="ann", op="UPDATE")
            for wrong in ({"changed": {"name"}}, {"actor": "bob"}, {"op": "DELETE"}):
                with pytest.raises(AssertionError, match="the last change of"):
                    self.assertRecorded(self.product, **wrong)
            with pytest.raises(AssertionError, match="0 changes were recorded, not 1"), self.assertNumRecorded(1, using=alias):
                pass

    @tracked_for_test(Product, using=alias)
    class Tracked(Cases):
        def test_without(self) -> None:
            self.assertRecorded(self.product, op="INSERT")

    for cases in (Cases, Tracked):
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(cases)
        result = unittest.TextTestRunner(verbosity=0).run(suite)
        assert result.wasSuccessful(), result.failures + result.errors
        assert result.testsRun == 2
        assert "shop_product" not in reconcile.policies(connections[alias])


def test_migrate_tracks_nothing_in_a_tests_database(untracked: Any, settings: Any) -> None:
    from django.conf import settings as project
    from django.core.management import call_command
    from django.test.utils import setup_test_environment, teardown_test_environment

    settings(VESTIGE={**project.VESTIGE, "TESTS": "off"})
    setup_test_environment()
    try:
        call_command("migrate", verbosity=0)
        assert "shop_product" not in reconcile.policies(connections["default"])
    finally:
        teardown_test_environment()
    call_command("migrate", verbosity=0)
    assert "shop_product" in reconcile.policies(connections["default"])
