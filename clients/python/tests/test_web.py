"""The middlewares of the web frameworks: what a request says; and under real servers with many threads, nobody else's name."""

from __future__ import annotations

import collections
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import SOURCE, Shop

import vestige
from vestige import asgi, wsgi
from vestige._web import named

httpx = pytest.importorskip("httpx")
REQUESTS = json.loads((SOURCE / "clients/contract/requests.json").read_text(encoding="utf-8"))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def mark(shop: Shop) -> int:
    shop.run("delete from things", "delete from strict")
    return shop.mark()


def current(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [])
    return [repr(dict(vestige.current())).encode()]


def said(headers: dict[str, str], peer: str = "10.0.0.7", **options: Any) -> dict[str, Any]:
    """What an application under WSGI sees of this request."""
    transport = httpx.WSGITransport(wsgi.ContextMiddleware(current, **options), remote_addr=peer)
    with httpx.Client(transport=transport, base_url="http://shop") as client:
        seen: dict[str, Any] = eval(client.get("/", headers=headers).text)
        return seen


def test_the_address_is_the_peers() -> None:
    forged = {"X-Forwarded-For": "1.2.3.4, 5.6.7.8"}
    assert said(forged)["ip_address"] == "10.0.0.7"
    assert said(forged, trusted_proxies=1)["ip_address"] == "5.6.7.8"
    assert said(forged, trusted_proxies=2)["ip_address"] == "1.2.3.4"
    assert said(forged, trusted_proxies=3)["ip_address"] == "10.0.0.7"  # it did not come through all of them
    assert said({}, trusted_proxies=1)["ip_address"] == "10.0.0.7"
    assert said({}, peer="fe80::1")["ip_address"] == "fe80::1"
    assert "ip_address" not in said({"X-Forwarded-For": "'; drop table"}, trusted_proxies=1)
    assert "ip_address" not in said({}, peer="")
    assert said({}, peer="fe80::1%eth0")["ip_address"] == "fe80::1%eth0"
    assert said({"X-Forwarded-For": "fe80::1%<script>"}, trusted_proxies=1)["ip_address"] == "fe80::1"


@pytest.mark.parametrize(("given", "spelled"), REQUESTS["addresses"])
def test_an_address_has_one_spelling(given: str, spelled: str | None) -> None:
    assert said({}, peer=given).get("ip_address") == spelled
    assert said({"X-Forwarded-For": given}, trusted_proxies=1).get("ip_address") == spelled


@pytest.mark.parametrize(("given", "taken"), [*REQUESTS["request_ids"], ("a" * 128, True), ("a" * 129, False)])
def test_a_request_id_is_a_word(given: str, taken: bool) -> None:
    answer = wsgi.ContextMiddleware(current)({"HTTP_X_REQUEST_ID": given, "REMOTE_ADDR": "10.0.0.7"}, lambda status, headers: None)
    assert (eval(b"".join(answer))["request_id"] == given) is taken


def test_what_a_client_says_of_itself() -> None:
    seen = said({"X-Request-ID": "r-1", "User-Agent": "a" * 600, "traceparent": TRACE})
    assert (seen["request_id"], seen["user_agent"], seen["traceparent"]) == ("r-1", "a" * 512, TRACE)
    for tale in ("a b", "x" * 129, ""):
        assert len(said({"X-Request-ID": tale, "traceparent": tale})["request_id"]) == 36
    assert said({"X-Trace": "t"}, request_id="X-Trace")["request_id"] == "t"
    assert (
        said({}, actor=lambda environ: "ann", shop="north", host=lambda environ: environ["HTTP_HOST"]).items()
        >= {
            "actor": "ann",
            "shop": "north",
            "host": "shop",
        }.items()
    )


def test_what_a_user_is_called() -> None:
    class User:
        def __init__(self, **named: Any) -> None:
            self.__dict__.update(named)

    assert named("ann") == "ann"
    assert named(7) == "7"
    assert named({"sub": "u-1", "scope": "all"}) == "u-1"
    assert named(User(email="ann@example.org", id=7)) == "ann@example.org"
    assert named(User(is_authenticated=False, username="x")) is None
    assert [named(nobody) for nobody in (None, "", {}, User())] == [None] * 4


def test_nobody_is_asked_before_something_is_written() -> None:
    asked = []

    def reads(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return [b"read"]

    def actor(environ: Any) -> str:
        asked.append(environ)
        return "ann"

    transport = httpx.WSGITransport(wsgi.ContextMiddleware(reads, actor))
    with httpx.Client(transport=transport, base_url="http://shop") as client:
        client.get("/")
    assert asked == []


async def test_what_a_request_leaves_open_ends_with_it() -> None:
    """A task, or a thread, that serves one request after the other has nothing of the one before."""
    seen = []

    async def leaves(scope: Any, receive: Any, send: Any) -> None:
        vestige.context(reason=scope["path"], user_agent="mine").__enter__()
        vestige.annotate(ticket=scope["path"])
        seen.append(dict(vestige.current()))

    app = asgi.ContextMiddleware(leaves, actor=lambda scope: scope["path"])
    with vestige.context(shop="north"):
        for path in ("ann", "bob"):
            await app({"type": "http", "path": path, "headers": []}, None, None)  # type: ignore[arg-type]
            assert vestige.current() == {"shop": "north"}
    assert [(said["actor"], said["reason"], said["shop"]) for said in seen] == [("ann", "ann", "north"), ("bob", "bob", "north")]


async def test_starlette(shop: Shop) -> None:
    authentication = pytest.importorskip("starlette.authentication")
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.authentication import AuthenticationMiddleware
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route

    class Backend(authentication.AuthenticationBackend):
        async def authenticate(self, connection: Any) -> Any:
            name = connection.headers.get("x-user")
            return name and (authentication.AuthCredentials(["in"]), authentication.SimpleUser(name))

    def show(request: Any) -> Any:  # in a thread of the pool
        return JSONResponse(dict(vestige.current()))

    middleware = [Middleware(asgi.ContextMiddleware), Middleware(AuthenticationMiddleware, backend=Backend())]
    app = Starlette(routes=[Mount("/shop", routes=[Route("/{n}", show)])], middleware=middleware)
    transport = httpx.ASGITransport(app, client=("10.0.0.8", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        seen = (await client.get("/shop/1", headers={"X-User": "ann", "User-Agent": "test"})).json()
        nobody = (await client.get("/shop/1")).json()
    assert seen.items() >= {"actor": "ann", "ip_address": "10.0.0.8", "user_agent": "test"}.items()
    assert "actor" not in nobody
    assert vestige.current() == {}


def test_litestar() -> None:
    litestar = pytest.importorskip("litestar")
    from litestar.testing import TestClient

    import vestige.litestar

    @litestar.get("/thread", sync_to_thread=True)
    def thread() -> dict[str, Any]:
        return dict(vestige.current())

    @litestar.get("/task")
    async def task() -> dict[str, Any]:
        return dict(vestige.current())

    plugin = vestige.litestar.Vestige(actor=lambda scope: dict(scope["headers"]).get(b"x-user", b"").decode())
    with TestClient(litestar.Litestar([thread, task], plugins=[plugin])) as client:
        for path in ("/thread", "/task"):
            seen = client.get(path, headers={"X-User": "ann", "X-Request-ID": "r-1"}).json()
            assert (seen["actor"], seen["request_id"]) == ("ann", "r-1")
            assert seen["business_process"] == f"GET {path}"


def test_flask_login() -> None:
    pytest.importorskip("flask_login")
    import flask
    import flask_login

    import vestige.flask

    app = flask.Flask("shop")
    app.secret_key = "k"
    vestige.flask.Vestige().init_app(app)
    login = flask_login.LoginManager(app)
    login.request_loader(lambda request: _user(request.headers.get("X-User")))

    def _user(name: str | None) -> Any:
        user = flask_login.UserMixin()
        user.id = name
        return user if name else None

    app.get("/who")(lambda: dict(vestige.current()))
    client = app.test_client()
    assert client.get("/who", headers={"X-User": "ann"}).json["actor"] == "ann"
    assert "actor" not in client.get("/who").json


@contextmanager
def served(shop: Shop, *words: str) -> Iterator[str]:
    """The address of a server in a process of its own, which gets its socket from here."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    process = subprocess.Popen(
        [sys.executable, "-m", *(word.format(fd=listener.fileno()) for word in words)],
        pass_fds=[listener.fileno()],
        cwd=os.path.dirname(__file__),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    except BaseException:
        process.kill()
        print(process.communicate()[0].decode())
        raise
    finally:
        process.terminate()
        process.communicate()
        listener.close()


USERS = ("ann", "bob", None)
THREADS, EACH = 50, 4


def ask(address: str, paths: list[str], thread: int, failed: list[Any]) -> None:
    with httpx.Client(base_url=address, timeout=60) as client:
        for place in range(EACH):
            n = thread * EACH + place
            user = USERS[n % 3]
            path = paths[n % len(paths)].format(n)
            answer = client.post(path, headers={"X-User": user} if user else {})
            if answer.status_code != 200:
                failed.append((path, answer.text))


SERVERS = {
    "gunicorn": (
        ["gunicorn", "-k", "gthread", "--threads", "50", "-w", "1", "--bind", "fd://{fd}", "web_app:flask"],
        ["/things/{}", "/streamed/{}"],
    ),
    "uvicorn": (["uvicorn", "--fd", "{fd}", "--log-level", "warning", "web_app:fastapi"], ["/things/{}", "/later/{}"]),
}


@pytest.mark.parametrize("server", SERVERS)
def test_nobody_elses_name(shop: Shop, mark: int, server: str) -> None:
    pytest.importorskip(server)
    words, paths = SERVERS[server]
    failed: list[Any] = []
    with served(shop, *words) as address:
        threads = [threading.Thread(target=ask, args=(address, paths, n, failed)) for n in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failed, failed[:3]
    found: collections.Counter[str] = collections.Counter()
    changes = shop.changes(mark)
    for label, context in changes:
        user = USERS[int(label) % 3]
        process = "POST " + paths[int(label) % 2].format("<int:n>" if server == "gunicorn" else "{n}")
        right = context.get("actor") == user and context["ip_address"] == "127.0.0.1" and context["business_process"] == process
        found["right" if right else f"{label}: {context}"] += 1
    assert found == {"right": THREADS * EACH}
    assert len({context["request_id"] for _, context in changes}) == THREADS * EACH
