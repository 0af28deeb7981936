#!/usr/bin/env bash
# An erasure on SQLite dies or fails at each of its steps.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/erase_faults.py"
