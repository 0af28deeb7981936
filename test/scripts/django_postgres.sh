#!/usr/bin/env bash
# A Django bank on PostgreSQL behind PgBouncer: every write under the name of who sent the request.
# labels: slow
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -d bank -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/django_postgres.py" "$@"
