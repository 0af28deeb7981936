#!/usr/bin/env bash
# The loadable extension in Python's own SQLite.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "${SOURCE_DIR:?}/clients/sqlite/test.py" "$(realpath "$(dirname "${VESTIGE:?}")/../sqlite/vestige0.so")"
