#!/usr/bin/env bash
# Whoever follows a PostgreSQL trail is killed at any moment, and whoever seals it, while others write and two transactions stay open;
# the server crashes, and a standby is promoted.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/feed_kills.py" postgres
