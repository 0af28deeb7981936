#!/usr/bin/env bash
# Two SQLite tables live the same life, one of them with encrypted columns.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/encrypt_twins.py" "$@"
