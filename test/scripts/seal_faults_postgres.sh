#!/usr/bin/env bash
# The sealer of a PostgreSQL trail dies or fails at each of its steps, and is killed at any moment.
# labels: slow
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -d shop -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/seal_faults.py" postgres
