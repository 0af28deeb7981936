"""manage.py vestige: the trail of a database of the project, by its models."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections, transaction

import vestige
from vestige.django.commands import account
from vestige.django.history import ModelHistory, Version, table_of
from vestige.django.reconcile import policies, reconcile, stands, steps, trail_of


class Command(BaseCommand):
    help = "Shows and undoes what was recorded, and looks after the trail."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--database", default="default", help="the database's alias")
        verbs = parser.add_subparsers(dest="verb", required=True)

        verbs.add_parser("status", help="which tables are tracked, and how")
        verb = verbs.add_parser("reconcile", help="makes the database track what the models say, as migrate does")
        verb.add_argument("--dry-run", action="store_true", help="says what would be done, and does not")
        verb = verbs.add_parser("doctor", help="whether the trail is in order")
        verb.add_argument("--fix", action="store_true", help="repairs what is safe to repair")
        for name, text in (("log", "changes of a model or a row, newest first"), ("blame", "who gave each column its value")):
            verb = verbs.add_parser(name, help=text)
            verb.add_argument("model", help="app.Model")
            verb.add_argument("pk", nargs="*" if name == "log" else "+")
        verbs.choices["log"].add_argument("--limit", type=int, default=20)
        verb = verbs.add_parser("revert", help="undoes a transaction")
        verb.add_argument("tx", type=int)
        _undoing(verb)
        verb = verbs.add_parser("undo", help="undoes a change")
        verb.add_argument("change", type=int)
        _undoing(verb)
        verb = verbs.add_parser("erase", help="takes a row's values out of the trail")
        verb.add_argument("model", help="app.Model")
        verb.add_argument("pk", nargs="+")
        verb.add_argument("--reason", required=True)
        verb = verbs.add_parser("untrack", help="ends the recording of a table; its history stays")
        verb.add_argument("model", help="app.Model")

    def handle(self, *args: Any, verb: str, database: str, **options: Any) -> None:
        self.using = database
        if database not in connections:
            raise CommandError(f"there is no database {database}")
        if verb not in ("reconcile",) and not stands(connections[database]):
            raise CommandError(f"database {database} has no trail: manage.py migrate makes it")
        said = {"actor": account(), "business_process": f"manage.py vestige {verb}", "reason": options.get("reason")}
        with vestige.context.of({name: value for name, value in said.items() if value}):
            try:
                with connections[database].wrap_database_errors:  # the trail asks the driver, beside Django
                    getattr(self, verb)(**options)
            except vestige.VestigeError as error:
                raise CommandError(str(error)) from error
            except (DatabaseError, ValueError, ValidationError) as error:  # of a key: it is none of the model's
                raise CommandError(str(error).strip()) from error

    def status(self, **_: Any) -> None:
        for name, policy in sorted(policies(connections[self.using]).items()):
            if '"' not in name:
                self.stdout.write(f"{name} {policy}")
        for step in steps(self.using):
            self.stdout.write(self.style.WARNING(f"to be done: {step}"))

    def reconcile(self, dry_run: bool, **_: Any) -> None:
        done = steps(self.using) if dry_run else reconcile(self.using)
        for step in done:
            self.stdout.write(str(step))
        if not done:
            self.stdout.write("nothing to do")

    def doctor(self, fix: bool, **_: Any) -> None:
        with transaction.atomic(using=self.using):
            found = trail_of(connections[self.using]).doctor(fix=fix)
        for one in found:
            where = f" {one.table}:" if one.table else ""
            self.stdout.write(f"{'fixed' if one.fixed else one.severity}:{where} {one.message} ({one.code})")
        if any(one.severity in ("error", "warning") and not one.fixed for one in found):
            raise CommandError("the trail is not in order", returncode=1)
        if not found:
            self.stdout.write("the trail is in order")

    def log(self, model: str, pk: list[str], limit: int, **_: Any) -> None:
        history = self._history(model)
        versions: Iterator[Version] = iter(history.of(_key(pk)).versions()) if pk else history.changes()
        for _number, version in zip(range(limit), versions, strict=False):
            self.stdout.write(_line(version))

    def blame(self, model: str, pk: list[str], **_: Any) -> None:
        for one in self._history(model).of(_key(pk)).blame():
            when = f"{one.at:%Y-%m-%d %H:%M:%S}" if one.at else "before it was tracked"
            self.stdout.write(f"{one.column}: {one.value!r} {when} {one.who or ''} {one.reason or ''}".rstrip())

    def revert(self, tx: int, force: bool, **_: Any) -> None:
        with transaction.atomic(using=self.using):
            count = trail_of(connections[self.using]).revert(tx, force=force)
        self.stdout.write(f"{count} undone")

    def undo(self, change: int, force: bool, **_: Any) -> None:
        with transaction.atomic(using=self.using):
            done = trail_of(connections[self.using]).undo(change, force=force)
        if done.done == "conflict":
            raise CommandError(f"not undone: {done.conflict}", returncode=1)
        self.stdout.write("undone" if done.done == "applied" else "nothing to undo: it is so already")

    def erase(self, model: str, pk: list[str], **_: Any) -> None:
        table = table_of(self._model(model), self.using)
        with transaction.atomic(using=self.using):
            trail = trail_of(connections[self.using])
            known = next(trail.history(table, *pk), None)
            number = None if known is None else trail.erase(table, *pk)
        self.stdout.write("nothing to erase" if number is None else f"erased, by change {number}")

    def untrack(self, model: str, **_: Any) -> None:
        with transaction.atomic(using=self.using):
            trail_of(connections[self.using]).untrack(table_of(self._model(model), self.using))
        self.stdout.write("no longer recorded; its history stays")

    def _model(self, name: str) -> Any:
        try:
            return apps.get_model(name)._meta.concrete_model
        except (LookupError, ValueError) as error:
            raise CommandError(str(error)) from error

    def _history(self, name: str) -> ModelHistory:
        return ModelHistory(self._model(name), self.using)


def _undoing(parser: ArgumentParser) -> None:
    parser.add_argument("--reason", help="why")
    parser.add_argument("--force", action="store_true", help="also over what was changed since")


def _key(pk: list[str]) -> Any:
    return pk[0] if len(pk) == 1 else tuple(pk)


def _line(version: Version) -> str:
    what = ", ".join(
        f"{one.name}: {one.old!r} -> {one.new!r}"
        if version.op == "UPDATE"
        else f"{one.name}: {(one.new, one.old)[version.op == 'DELETE']!r}"
        for one in version.changes
    )
    why = f" ({version.reason})" if version.reason else ""
    return f"{version.id} {version.at:%Y-%m-%d %H:%M:%S} {version.op} {version.who}{why} tx {version.tx}  {what}"
