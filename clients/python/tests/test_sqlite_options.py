"""Options of what is done on SQLite, and the context that goes along with them, are not each other's."""

from __future__ import annotations

import pytest
from test_sqlite_trail import Twin, pytestmark, twin, written

import vestige

__all__ = ["pytestmark", "twin"]


async def test_a_context_is_no_option_of_what_is_done(twin: Twin) -> None:
    """A field that is called like an option, as a job's message may have it, changes nothing of what is done."""
    await written(twin)
    first, _, _, moved = await twin.all("changes", "prices")
    with vestige.context(actor="eve", reason="r", dry_run=True, skip_conflicts=True, force=True, keys=True, contexts=True):
        assert (await twin.do("undo", moved.id)).done == "applied"
        with pytest.raises(vestige.Conflict):
            await twin.do("revert", first.tx)
        assert (await twin.do("erase", "prices", 1, 1)) is not None
    assert len(await twin.all("changes", "prices", op="UPDATE")) == 3, "it was done, and no dry run"
    changes = await twin.all("changes", "prices", op="INSERT")
    assert [change.key["part"] for change in changes] == [1, 2], "keys are erased as well"
    assert {change.actor for change in changes} == {"ann"}, "contexts are erased as well"
