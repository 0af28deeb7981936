#!/usr/bin/env bash
# The sealer of an SQLite trail dies or fails at each of its steps, and is killed at any moment.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/seal_faults.py" sqlite
