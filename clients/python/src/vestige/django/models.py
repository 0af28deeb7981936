"""The trail as a model, on PostgreSQL: the view vestige.audit_log (docs/sql.md, "The audit log"), to be filtered at will."""

from __future__ import annotations

import decimal
import json
import re
from typing import Any

from django.db import models

__all__ = ["AuditLog", "audit_model"]

_WHOLE = re.compile(r"-?\d{1,18}")


class AuditLog(models.Model):
    """A change of any table. `Model.vestige` finds those of a row by search, and gives values of the model's types."""

    id = models.BigIntegerField(primary_key=True)
    changed_at = models.DateTimeField()
    schema_name = models.TextField()
    table_name = models.TextField()
    record_id = models.TextField(null=True)
    action = models.TextField()
    old_values = models.JSONField(null=True)
    new_values = models.JSONField(null=True)
    changed_by = models.TextField(null=True)
    reason = models.TextField(null=True)
    business_process = models.TextField(null=True)
    request_id = models.TextField(null=True)
    session_id = models.TextField(null=True)
    transaction_id = models.BigIntegerField()
    context = models.JSONField(null=True)
    db_user = models.TextField()

    class Meta:
        managed = False
        db_table = 'vestige"."audit_log'
        verbose_name = "change"
        default_permissions = ()
        permissions = (("view_history", "Can view the history of rows"), ("undo", "Can undo changes"))

    def __str__(self) -> str:
        return f"{self.action} {self.table_name} {self.record_id}"


class KeyField(models.TextField):
    """A row's key as the trail prints it; one that is a whole number is an int."""

    def from_db_value(self, value: str | None, *_: Any) -> Any:
        return int(value) if value is not None and _WHOLE.fullmatch(value) else value


class Exact(json.JSONDecoder):
    """Numbers with every digit: those with a point are Decimal."""

    def __init__(self, **named: Any) -> None:
        super().__init__(parse_float=decimal.Decimal, **named)


class _OfTable(models.Manager):
    def __init__(self, table: str) -> None:
        super().__init__()
        self._table = table

    def get_queryset(self) -> Any:
        return super().get_queryset().filter(table_name=self._table)


def audit_model(model: Any) -> Any:
    """The base of a model of the changes of another one, with the columns that such tables have; on PostgreSQL.

    class ProductAudit(audit_model(Product)):     # product_id, action, old_data, new_data, changed_at, changed_by, reason, …
        pass
    """
    table = model._meta.db_table

    class Meta:
        abstract = True
        managed = False
        db_table = 'vestige"."audit_log'
        default_permissions = ("view",)

    fields = {
        f"{model._meta.model_name}_id": KeyField(db_column="record_id", null=True),
        "old_data": models.JSONField(null=True, db_column="old_values", decoder=Exact),
        "new_data": models.JSONField(null=True, db_column="new_values", decoder=Exact),
        "id": models.BigIntegerField(primary_key=True),
        "action": models.CharField(max_length=10),
        "changed_at": models.DateTimeField(),
        "changed_by": models.TextField(null=True),
        "reason": models.TextField(null=True),
        "table_name": models.TextField(),
        "transaction_id": models.BigIntegerField(),
        "context": models.JSONField(null=True),
        "objects": _OfTable(table),
    }
    return type(f"{model.__name__}AuditBase", (models.Model,), {"__module__": __name__, "Meta": Meta, **fields})
