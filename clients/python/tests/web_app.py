"""A Flask and a FastAPI application that write to `things` through SQLAlchemy, for servers of their own (tests/test_web.py)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Annotated, Any

import flask as flask_
import sqlalchemy as sa
from fastapi import Depends, FastAPI, Header
from fastapi.responses import StreamingResponse

import vestige
import vestige.fastapi
import vestige.flask
import vestige.sqlalchemy

engine = vestige.sqlalchemy.install(
    sa.create_engine(f"postgresql+psycopg2://app@/clients?host={os.environ['PGHOST']}&port={os.environ['PGPORT']}", pool_size=10)
)


def write(n: int) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("select 1"))
        time.sleep(n % 7 / 1000)
        connection.execute(sa.text("insert into things values (:n, :label)"), {"n": n, "label": str(n)})


flask = flask_.Flask("shop")
vestige.flask.Vestige(flask, actor=lambda: flask_.request.headers.get("X-User"), trusted_proxies=1)


@flask.post("/things/<int:n>")
def put(n: int) -> str:
    write(n)
    return "done"


@flask.post("/streamed/<int:n>")
def stream(n: int) -> Any:
    def parts() -> Iterator[str]:
        yield "one"
        write(n)
        yield "two"

    return flask_.Response(parts())


fastapi = FastAPI()
fastapi.add_middleware(vestige.fastapi.ContextMiddleware, request_id="X-Trace")


def user(x_user: Annotated[str | None, Header()] = None) -> str | None:  # in a thread of the pool
    time.sleep(0.001)
    return x_user


User = Annotated[str | None, Depends(vestige.fastapi.actor(user))]


@fastapi.middleware("http")
async def between(request: Any, call_next: Any) -> Any:  # of the kind that runs the endpoint in a task of its own
    return await call_next(request)


@fastapi.post("/things/{n}")
def create(n: int, who: User) -> str:
    write(n)
    return "done"


@fastapi.post("/later/{n}")
async def later(n: int, who: User) -> Any:
    async def parts() -> Any:
        yield "one"
        write(n)

    return StreamingResponse(parts())
