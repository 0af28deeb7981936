#!/usr/bin/env bash
# Two tables live the same life, one of them with redacted columns, on either database.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/redact_twins.py" "$@"
