"""Only the shop is in the file of SQLite; the aliases of the server are one database."""

from __future__ import annotations

from typing import Any


class Router:
    def allow_migrate(self, db: str, app_label: str, **_: Any) -> bool:
        return db == "default" or (db == "lite" and app_label == "shop")
