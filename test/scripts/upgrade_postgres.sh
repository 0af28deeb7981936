#!/usr/bin/env bash
# A trail of PostgreSQL that an earlier version installed is brought up to date with all that it recorded.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/upgrade_postgres.py"
