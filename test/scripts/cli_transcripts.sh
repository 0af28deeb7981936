#!/usr/bin/env bash
# The transcripts of the command line, and the files that vestige makes of its own command table.
set -euo pipefail
exec "$(dirname "$0")/../cli/run.py" "$@"
