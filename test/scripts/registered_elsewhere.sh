#!/usr/bin/env bash
# Collations and functions that only the application registers, of each kind, with every verb.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/registered_elsewhere.py" "$@"
