"""For the tests of an application: what a part of one records (docs/python.md, "Tests").

pytest loads it wherever the package is installed, so nothing else is imported before a test asks.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from vestige._records import Change


class Recorded(list["Change"]):
    """The changes that are made within a block, by whomever, in order; it is filled when the block ends without an error."""

    def __init__(self, given: Any) -> None:
        """given: a connection, or its Trail or AsyncTrail."""
        super().__init__()
        self._given = given

    def __enter__(self) -> Recorded:
        from vestige.trail import Trail

        self._trail: Any = self._given if isinstance(self._given, Trail) else Trail(self._given)
        self._last = next((one.id for one in self._trail.changes(newest_first=True)), -1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if kind is None:
            for one in self._trail.changes(newest_first=True):
                if one.id <= self._last:
                    break
                self.insert(0, one)

    async def __aenter__(self) -> Recorded:
        from vestige.trail import AsyncTrail

        self._trail = self._given if isinstance(self._given, AsyncTrail) else AsyncTrail(self._given)
        self._last = await self._newest()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            async for one in self._trail.changes(newest_first=True):
                if one.id <= self._last:
                    break
                self.insert(0, one)

    async def _newest(self) -> int:
        async for one in self._trail.changes(newest_first=True):
            return int(one.id)
        return -1


@pytest.fixture
def recorded() -> type[Recorded]:
    """`with recorded(connection) as changes:`, or `async with`: afterwards the changes that the block made."""
    return Recorded
