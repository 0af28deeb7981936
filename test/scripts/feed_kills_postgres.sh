#!/usr/bin/env bash
# Whoever follows a PostgreSQL trail is killed at any moment, and whoever seals it, while others write and two transactions stay open.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -d shop -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/feed_kills.py" postgres
