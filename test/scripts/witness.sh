#!/usr/bin/env bash
# A witness over HTTP, and the program as its client.
set -euo pipefail
exec "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/witness_http.py" "$@"
