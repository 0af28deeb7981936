#!/usr/bin/env bash
# Whoever watches a PostgreSQL trail dies or fails at its steps, and is killed at any moment: no alert is lost, none doubled.
# labels: slow
set -euo pipefail
export WATCH_EVERY="${WATCH_EVERY:-151}" WATCH_CHANGES="${WATCH_CHANGES:-300}" WATCH_KILLS="${WATCH_KILLS:-3}"
exec "$POSTGRES_SERVER" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/watch_faults.py" postgres
