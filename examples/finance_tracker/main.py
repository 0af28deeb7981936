"""A finance tracker's audit trail, with asyncpg: who changed which balance, when and from where."""

import asyncio
import os

import vestige
import vestige.asyncpg
from vestige.trail import AsyncTrail

DATABASE = os.environ.get("DATABASE_URL", "postgresql://finance_user@localhost/finance_tracker")


async def setup_audit_system():
    """Set up the audit trail, change something, and look at what was recorded."""
    conn = await vestige.asyncpg.connect(DATABASE)

    # The audit log, its index and its triggers
    trail = AsyncTrail(conn)
    await trail.init()
    await trail.track("accounts")
    await conn.execute("SET search_path = public, vestige")  # so that audit_log is found by its name alone

    print("Audit system created!")

    # Demo: make changes and view the audit log
    with vestige.context(actor=7, ip_address="10.0.0.7", user_agent="Mozilla/5.0", reason="salary"):
        await conn.execute('''
            UPDATE accounts SET balance = balance + 100 WHERE id = 1
        ''')

    audit_entries = await conn.fetch('''
        SELECT action, changed_fields, old_values->>'balance' as old_balance,
               new_values->>'balance' as new_balance, changed_at
        FROM audit_log
        WHERE table_name = 'accounts'
        ORDER BY changed_at DESC
        LIMIT 5
    ''')

    print("\nRecent audit entries:")
    for entry in audit_entries:
        print(f"  {entry['action']}: balance {entry['old_balance']} -> {entry['new_balance']}")

    # And what a table and a trigger of one's own do not know
    change = await anext(trail.history("accounts", 1))
    print(f"\nBy {change.actor} from {change.context['ip_address']}, for {change.context['reason']}")
    for blame in await trail.blame("accounts", 1):
        print(f"  {blame.column} is {blame.value}, by {blame.who or 'nobody since the trail began'}")
    with vestige.context(actor="auditor", reason="posted twice"):
        await trail.undo(change.id)
    print(f"Undone: balance {await conn.fetchval('SELECT balance FROM accounts WHERE id = 1')}")

    await conn.close()


asyncio.run(setup_audit_system())
