#!/usr/bin/env bash
# The PostgreSQL tests against a server of another version (scripts/fetch-postgres).
#
#   test/matrix.sh MAJOR          a shorter set: every way of capture, and the verbs; for those with an older and a newer one
#                                 beside them what a version's syntax and types are to us; 77 when no server can be fetched
#   test/matrix.sh MAJOR --all    all of them
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${BUILD:-build}")  # the server runs elsewhere
PGBIN=$(scripts/fetch-postgres --into "$build/postgres" "$1")
export PGBIN VESTIGE="$build/bin/vestige"
wanted='PostgresCapture*:PostgresOwner*:PostgresPinned*:PostgresPast*:PostgresSql*-*Random*:*ManySessions*:*Restore*'
case $1 in 14 | 16 | 17) wanted='PostgresCaptureTypes*:PostgresCaptureDdl*:PostgresCaptureTables*:PostgresPast*:PostgresSql*-*Random*' ;; esac
[[ ${2-} == --all ]] && wanted='Postgres*'
"$build/bin/vestige_tests" --gtest_brief=1 --gtest_filter="$wanted"
"$build/bin/postgres_server" -- test/cli/run.py --postgres
"$build/bin/postgres_server" -- test/sql/run.py
