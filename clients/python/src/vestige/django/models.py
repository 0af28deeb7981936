"""The trail as a model, on PostgreSQL: the view vestige.audit_log (docs/sql.md, "The audit log"), to be filtered at will."""

from __future__ import annotations

from django.db import models

__all__ = ["AuditLog"]


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
