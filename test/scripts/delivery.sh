#!/usr/bin/env bash
# Alerts are told to whom vestige.toml says, each at least once and under its id, whatever the receiver does meanwhile.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/delivery.py"
