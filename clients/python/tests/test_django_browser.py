"""The admin's history in a browser, through the pages' own links and forms: what somebody does there is done in the database."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("django")

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django_site.site import Site

import vestige

SCRIPT = os.environ.get("LOOKS_AT_PAGES", "")  # test/report_pages/admin.js, where test/scripts/django_pages.sh installs it
HOSTILE = "<img src=x onerror=alert(1)>"
pytestmark = pytest.mark.skipif(not SCRIPT, reason="test/scripts/django_pages.sh knows where a browser is")


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def address(shop_site: Site) -> Iterator[str]:
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("script", "width"), [("on", 1200), ("on", 390), ("off", 390)])
def test_a_row_is_changed_undone_deleted_and_brought_back(shop_site: Site, address: str, script: str, width: int) -> None:
    from django.contrib.auth.models import User
    from django_site.shop.models import Product

    if not User.objects.filter(username="browser").exists():
        User.objects.create_superuser("browser", password="secret")
    with vestige.context(actor=HOSTILE, reason=HOSTILE, session_id=HOSTILE):
        product = Product.objects.create(name=HOSTILE, price="999.50", stock=1)
    for price in range(7):  # more than a page
        Product.objects.filter(pk=product.pk).update(price=price + 1)
    command = ["node", SCRIPT, os.environ["CHROMIUM"], address, "browser", "secret", str(product.pk), script, str(width)]
    looked = subprocess.run(command, capture_output=True, text=True)
    assert looked.returncode == 0, looked.stderr + looked.stdout
    done = [(one.op, one.actor, one.reason) for one in product.vestige.versions()[:6]]
    assert done == [
        ("INSERT", "browser", "it is here"),
        ("DELETE", "browser", None),
        ("UPDATE", "browser", "over it"),
        ("UPDATE", "browser", None),
        ("UPDATE", "browser", "a typo"),
        ("UPDATE", None, None),
    ]
    product.refresh_from_db()
    assert (product.name, product.stock) == (HOSTILE, 1)
