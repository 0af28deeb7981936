#!/usr/bin/env bash
# The log folded by Python, and `at` every change, against tables that the stock shell wrote.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/differential_replay.py" "$@"
