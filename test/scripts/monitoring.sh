#!/usr/bin/env bash
# What `vestige metrics` prints and serves, and that the alerts and the dashboard name nothing else.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/monitoring.py"
