#!/usr/bin/env bash
# Whoever follows an SQLite trail is killed at any moment, and whoever seals it, while others write.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/feed_kills.py" sqlite
