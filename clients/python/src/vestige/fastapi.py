"""FastAPI and Starlette: the middleware, and who acts from a dependency.

app.add_middleware(vestige.fastapi.ContextMiddleware)
app = FastAPI(dependencies=[Depends(vestige.fastapi.actor(current_user))])

@app.post("/prices")
def change(user: Annotated[User, Depends(vestige.fastapi.actor(current_user))]): ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Depends

from vestige._context import annotate
from vestige._web import named
from vestige.asgi import ContextMiddleware

__all__ = ["ContextMiddleware", "actor"]


def actor(user: Callable[..., Any], name: Callable[[Any], Any] = named) -> Callable[..., Any]:
    """A dependency that gives what `user`, another one, gives, and says that it acts: in all that the request writes from there
    on, in whatever thread. `name` is what the trail shall call it."""

    async def said(found: Any = Depends(user)) -> Any:  # noqa: B008
        annotate(actor=name(found))
        return found

    return said
