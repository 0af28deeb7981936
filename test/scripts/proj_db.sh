#!/usr/bin/env bash
# proj.db of Debian's proj-data, written to for a while and reverted: byte-identical.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/proj_db.py" "$@"
