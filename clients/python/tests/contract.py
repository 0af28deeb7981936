"""Runs the steps of a case of clients/contract/cases.json."""

from __future__ import annotations

import asyncio
import contextvars
import json
from typing import Any

import pytest
from drivers import Driver

import vestige


class Run:
    def __init__(self, driver: Driver, host: str, port: int) -> None:
        self.driver = driver
        self.host, self.port = host, port
        self.connections: dict[str, Any] = {}

    async def connect(self) -> None:
        for name in ("a", "b"):
            self.connections[name] = await self.driver.connect(self.host, self.port)

    async def close(self) -> None:
        for connection in self.connections.values():
            await self.driver.close(connection)

    async def steps(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            await self.step(step)

    async def step(self, step: dict[str, Any]) -> None:
        driver, on = self.driver, self.connections[step.get("on", "a")]
        if "context" in step:
            with vestige.context.of(step["context"]):
                await self.steps(step["steps"])
        elif "without" in step:
            with vestige.without():
                await self.steps(step["without"])
        elif "annotate" in step:
            vestige.annotate(**step["annotate"])
        elif "carry" in step:
            await self.elsewhere(vestige.carrier(), step["carry"])
        elif "transaction" in step:
            async with driver.transaction(on, step.get("end") == "rollback"):  # type: ignore[attr-defined]
                await self.steps(step["transaction"])
        elif "savepoint" in step:
            async with driver.savepoint(on, step.get("end") == "rollback"):  # type: ignore[misc]
                await self.steps(step["savepoint"])
        elif "fails" in step:
            await self.fails(step["fails"], step["steps"])
        elif "poison" in step:
            await driver.poison(on, json.dumps(step["poison"]))
        elif "many" in step:
            await driver.many(on, step["many"], step["parameters"])  # type: ignore[attr-defined]
        elif "copy" in step:
            await driver.copy(on, step["copy"], step["columns"], step["rows"])  # type: ignore[attr-defined]
        else:
            rows = await driver.execute(on, step["execute"], step.get("parameters", []))
            assert rows == step.get("rows", rows), step

    async def fails(self, sqlstate: str, steps: list[dict[str, Any]]) -> None:
        with pytest.raises(Exception) as caught:  # noqa: PT011  (the driver's own; its kind is looked at below)
            await self.steps(steps)
        error = caught.value
        # Without the client nothing says a context, and so other things are missing.
        assert self.driver.plain or self.driver.sqlstate(error) == sqlstate, error
        if not self.driver.plain and sqlstate == "VS001":
            assert isinstance(error, vestige.MissingContext), type(error)
            assert error.field == "reason", error
            assert error.table in ("strict", "public.strict"), error

    async def elsewhere(self, headers: dict[str, str], steps: list[dict[str, Any]]) -> None:
        """As in another process: nothing but the headers is known."""

        async def job() -> None:
            with vestige.attach(json.loads(json.dumps(headers))):
                await self.steps(steps)

        loop = asyncio.get_running_loop()
        await contextvars.Context().run(loop.create_task, job())
