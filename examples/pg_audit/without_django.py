import os

import psycopg

from vestige.compat.pg_audit.schema import generate_auditlog_table_sql
from vestige.compat.pg_audit.triggers import generate_trigger_sql

with psycopg.connect(f"dbname={os.environ.get('DATABASE', 'shop')}") as conn, conn.cursor() as cursor:
    # Create audit table
    cursor.execute(generate_auditlog_table_sql("auditlog"))

    # Create trigger for a table
    cursor.execute("create table if not exists users (id serial primary key, name text, email text, last_seen timestamptz)")
    sql = generate_trigger_sql(table_name="users", track_only=["name", "email"])
    cursor.execute(sql)
    conn.commit()

    cursor.execute("insert into users (name, email) values ('Ann', 'a@example.com')")
    cursor.execute("update users set last_seen = now()")
    cursor.execute("update users set email = 'b@example.com'")
    conn.commit()
    cursor.execute("select operation, diff from auditlog where table_name = 'users' order by id")
    for operation, diff in cursor:
        print(operation, diff)
