"""Jobs are done under the context of whoever asked for them: with a Redis server, and workers that are processes of their own."""

from __future__ import annotations

import gc
import importlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest
from conftest import Shop

import vestige

REDIS_SERVER = shutil.which("redis-server")
pytestmark = [
    pytest.mark.skipif(REDIS_SERVER is None, reason="there is no redis-server"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ASKED = {"actor": "ann", "reason": "order 7", "request_id": "r-1"}
PATIENCE = 60


@pytest.fixture(scope="module")
def jobs(shop: Shop) -> Iterator[ModuleType]:
    """A Redis server, a table for the jobs to write to, and the module with them."""
    shop.run(
        "create table if not exists jobs (id int generated always as identity primary key, label text)",
        "select vestige.track('jobs')",
        "grant all on jobs to app",
    )
    with tempfile.TemporaryDirectory() as directory:
        socket = f"{directory}/redis"
        command = [str(REDIS_SERVER), "--port", "0", "--unixsocket", socket, "--save", "", "--dir", directory]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: pathlib.Path(socket).exists())
        os.environ["REDIS"] = socket
        made = importlib.import_module("queue_jobs")
        yield made
        gc.collect()  # results that nobody waits for any more: each says so to the server when it goes
        made.app.close()
        made.REDIS.close()
        server.terminate()
        server.wait()


def until(holds: Callable[[], Any]) -> Any:
    """What it gives, as soon as that is something."""
    end = time.monotonic() + PATIENCE
    while not (given := holds()):
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.02)
    return given


@contextmanager
def process(*command: str) -> Iterator[None]:
    with tempfile.TemporaryFile("w+") as log:
        running = subprocess.Popen([sys.executable, "-W", "ignore", "-m", *command], stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        except BaseException:
            log.seek(0)
            print(log.read())
            raise
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                running.wait()


class Written:
    """What jobs wrote since, by the labels of their rows."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.mark = shop, shop.mark()

    def wait(self, *labels: str) -> dict[str, dict[str, Any]]:
        return dict(until(lambda: self.there(labels)))

    def there(self, labels: tuple[str, ...]) -> list[tuple[str, dict[str, Any]]]:
        found = self.shop.changes(self.mark)
        return found if {label for label, _ in found} >= set(labels) else []


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_celery(jobs: ModuleType, shop: Shop, pool: str) -> None:
    import celery

    written = Written(shop)
    with process("celery", "-A", "queue_jobs", "worker", "--pool", pool, "--concurrency", "1", "--loglevel", "warning"):
        with vestige.context(**ASKED, user_agent="long"):
            jobs.written.delay("delayed")
            jobs.early.delay("early")
            jobs.tried.delay("retried")
            jobs.starting.delay("by a task")
            celery.chain(jobs.written.si("first"), jobs.written.si("second")).delay()
            end = celery.chord([jobs.written.si("one"), jobs.written.si("two")], jobs.looking.s()).delay()
            failed = jobs.failing.delay()
        jobs.written.delay("by nobody")
        with pytest.raises(ValueError, match="this job fails"):
            failed.get(PATIENCE)
        found = written.wait("delayed", "early", "retried", "by a task", "first", "second", "one", "two", "by nobody")
        for label in ("delayed", "first", "second", "one", "two", "early", "retried"):
            name = {"early": "early", "retried": "tried"}.get(label, "written")
            job_id = found[label].pop("job_id")
            assert len(job_id) == 36
            assert found[label] == ASKED | {"business_process": name}, label
        assert found["by a task"].pop("job_id")
        assert found["by a task"] == ASKED | {"business_process": "written", "reason": "started by a task"}
        assert found["by nobody"].keys() == {"business_process", "job_id"}
        chord = end.get(PATIENCE)
        assert (chord["actor"], chord["business_process"]) == ("ann", "looking")
        # The one process of the worker did all of it, and one that failed with a context open.
        assert jobs.looking.delay().get(PATIENCE).keys() == {"business_process", "job_id"}


def test_celery_beat(jobs: ModuleType, shop: Shop, tmp_path: pathlib.Path) -> None:
    written = Written(shop)
    schedule = str(tmp_path / "schedule")
    with process(*f"celery -A queue_jobs worker -B -s {schedule} --pool threads --concurrency 1 --loglevel warning".split()):
        assert written.wait("tick")["tick"]["actor"] == "celery-beat"


def test_celery_eager_and_called(jobs: ModuleType, shop: Shop) -> None:
    with vestige.context(**ASKED):
        looked = jobs.looking.apply().get()
        assert looked.pop("job_id")
        assert looked == ASKED | {"business_process": "looking"}
        assert jobs.looking() == ASKED  # a function like any other
        written = Written(shop)
        assert jobs.tried.apply(("eagerly retried",)).successful()
        assert written.wait("eagerly retried")["eagerly retried"]["actor"] == "ann"
        assert jobs.failing.apply().failed()
        assert dict(vestige.current()) == ASKED
    assert dict(vestige.current()) == {}


def test_after_the_commit(jobs: ModuleType) -> None:
    """What is called later, as Django's on_commit does, is bound to the context of now."""
    with vestige.context(**ASKED):
        later = vestige.bind(jobs.looking.apply)
    with vestige.context(actor="somebody else"):
        assert later().get()["actor"] == "ann"
        assert dict(vestige.current()) == {"actor": "somebody else"}


def test_rq(jobs: ModuleType, shop: Shop) -> None:
    written = Written(shop)
    with vestige.context(**ASKED):
        jobs.queue.enqueue(jobs.write, "enqueued")
        jobs.queue.enqueue(jobs.fail_leaving_a_context_open)
        before = jobs.queue.enqueue(jobs.write, "before")
        jobs.queue.enqueue(jobs.write, "dependent", depends_on=before)
    looked = jobs.queue.enqueue(jobs.looked)
    with process("rq.cli", "worker", "--burst", "--job-class", "vestige.rq.Job", "-u", f"unix://{jobs.SOCKET}"):
        found = written.wait("enqueued", "dependent")
        for label in ("enqueued", "before", "dependent"):
            assert found[label].pop("job_id")
            assert found[label] == ASKED | {"business_process": "queue_jobs.write"}
        until(lambda: looked.get_status(refresh=True) == "finished")
        assert looked.return_value().keys() == {"business_process", "job_id"}


def test_rq_in_one_process(jobs: ModuleType) -> None:
    """A worker that does not fork: what a job leaves open is not there for the next."""
    import rq

    import vestige.rq

    with vestige.context(**ASKED):
        jobs.queue.enqueue(jobs.fail_leaving_a_context_open)
        asked = jobs.queue.enqueue(jobs.looked)
    looked = jobs.queue.enqueue(jobs.looked)
    rq.SimpleWorker([jobs.queue], connection=jobs.REDIS, job_class=vestige.rq.Job).work(burst=True)
    assert asked.return_value()["actor"] == "ann"
    assert looked.return_value().keys() == {"business_process", "job_id"}
    assert dict(vestige.current()) == {}


def test_dramatiq(jobs: ModuleType, shop: Shop) -> None:
    import dramatiq

    written = Written(shop)
    with process("dramatiq", "queue_jobs", "--processes", "1", "--threads", "1"):
        with vestige.context(**ASKED):
            jobs.sent.send("sent")
            jobs.sent.send("again", True)
            dramatiq.pipeline(
                [jobs.counted.message("first"), jobs.sent.message_with_options(args=("piped",), pipe_ignore=True)]
            ).run()
        jobs.sent.send("by nobody")
        found = written.wait("sent", "again", "first", "piped", "by nobody")
        for label in ("sent", "again", "first", "piped"):
            assert found[label].pop("job_id")
            assert found[label] == ASKED | {"business_process": "counted" if label == "first" else "sent"}, label
        assert found["by nobody"].keys() == {"business_process", "job_id"}
