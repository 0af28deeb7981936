#!/bin/sh
# The SQL API: docs/sql.md and the queries of audit tables that people write by hand (test/sql).
set -eu
exec "${POSTGRES_SERVER:-build/bin/postgres_server}" -- "${PYTHON:-/usr/bin/python3}" -B \
  "${SOURCE_DIR:-.}/test/sql/run.py" "$@"
