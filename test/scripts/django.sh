#!/usr/bin/env bash
# A Django database, written to through the ORM, migrated, and reverted: byte-identical.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/django_orm.py" "$@"
