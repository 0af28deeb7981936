"""The names of pg-audit, over Vestige: `s/pg_audit/vestige.compat.pg_audit/` is the whole migration of a program.

What it records, and how, is Vestige's; pg-audit's old rows stay in their table, which has another name now.
"""

from vestige.compat.pg_audit.context import AuditContext, audit_context, with_change_reason, with_context
from vestige.compat.pg_audit.schema import generate_auditlog_partitions_sql, generate_auditlog_table_sql
from vestige.compat.pg_audit.triggers import generate_trigger_sql

__all__ = [
    "AuditContext",
    "audit_context",
    "generate_auditlog_partitions_sql",
    "generate_auditlog_table_sql",
    "generate_trigger_sql",
    "with_change_reason",
    "with_context",
]
