#!/usr/bin/env bash
# Those who are told of alerts: webhooks, syslog over TCP and TLS, programs, NOTIFY; and receivers that do not behave.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "${PYTHON:-/usr/bin/python3}" -B "$(dirname "$0")/../real/notify.py"
