#!/usr/bin/env bash
# The transcripts of the command line on PostgreSQL, beside a server of their own.
set -euo pipefail
exec "${POSTGRES_SERVER:?}" -- "$(dirname "$0")/../cli/run.py" --postgres "$@"
