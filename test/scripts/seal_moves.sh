#!/usr/bin/env bash
# A trail that moves between clusters is sealed on: a crash, another epoch, a promoted standby, a dump restored.
# labels: slow
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/seal_moves.py"
