#!/usr/bin/env bash
# Whoever watches an SQLite trail dies or fails at its steps, and is killed at any moment: no alert is lost, none doubled.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/watch_faults.py" sqlite
