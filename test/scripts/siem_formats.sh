#!/usr/bin/env bash
# What `vestige export --format` prints of the same changes of SQLite and PostgreSQL: the same, and what each format's own rules say.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/siem_formats.py"
