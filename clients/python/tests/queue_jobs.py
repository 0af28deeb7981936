"""The jobs that the tests' workers do: `celery -A queue_jobs worker`, and so on. $REDIS is a socket."""

from __future__ import annotations

import os
from typing import Any

import celery
import dramatiq
import redis
import rq
from dramatiq.brokers.redis import RedisBroker

import vestige
import vestige.celery
import vestige.dramatiq
import vestige.psycopg
import vestige.rq

SOCKET = os.environ.get("REDIS", "/nowhere")
REDIS = redis.Redis(unix_socket_path=SOCKET)


def write(label: str, number: int | None = None) -> None:
    """A row, by somebody who says nothing himself."""
    with vestige.psycopg.Connection.connect("dbname=clients user=app", autocommit=True) as connection:
        connection.execute("insert into jobs (label) values (%s)", (label,))


def fail_leaving_a_context_open() -> None:
    vestige.context(actor="left open").__enter__()
    raise ValueError("this job fails")


# ---- Celery

app = celery.Celery("shop", broker=f"redis+socket://{SOCKET}", backend=f"redis+socket://{SOCKET}")
app.conf.broker_connection_retry_on_startup = True
app.conf.worker_hijack_root_logger = False
app.conf.beat_schedule = {"every": {"task": "tick", "schedule": 0.2}}


class Base(celery.Task):  # type: ignore[misc]
    """A base class of the application's own, as they are."""

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self.run(*args, **named)


@app.task(name="early")  # before install()
def early(label: str) -> None:
    write(label)


vestige.celery.install(app)


@app.task(name="written", base=Base)
def written(label: str) -> None:
    write(label)


@app.task(name="tried", bind=True, max_retries=1, default_retry_delay=0)
def tried(self: Any, label: str) -> None:
    if self.request.retries == 0:
        with vestige.context(reason="the first attempt"):
            raise self.retry(countdown=0)
    write(label)


@app.task(name="failing")
def failing() -> None:
    fail_leaving_a_context_open()


@app.task(name="looking")
def looking(*_: Any) -> dict[str, Any]:
    return dict(vestige.current())


@app.task(name="tick")
def tick() -> None:
    write("tick")


@app.task(name="starting")
def starting(label: str) -> None:
    with vestige.context(reason="started by a task"):
        written.delay(label)


# ---- RQ

queue = rq.Queue(connection=REDIS, job_class=vestige.rq.Job)


def looked() -> dict[str, Any]:
    return dict(vestige.current())


# ---- Dramatiq

broker = RedisBroker(client=REDIS, namespace="dramatiq")
dramatiq.set_broker(broker)
vestige.dramatiq.install(broker)


@dramatiq.actor(actor_name="sent", max_retries=1, min_backoff=1, max_backoff=1)
def sent(label: str, fails: bool = False) -> None:
    message = dramatiq.middleware.CurrentMessage.get_current_message()
    if fails and message is not None and message.options.get("retries", 0) == 0:
        fail_leaving_a_context_open()
    write(label)


@dramatiq.actor(actor_name="counted")
def counted(label: str) -> int:
    write(label)
    return 1


broker.add_middleware(dramatiq.middleware.CurrentMessage())
