#!/usr/bin/env bash
# The client for Node, clients/typescript: against PostgreSQL and PgBouncer, with the drivers that npm has.
# labels: slow
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
# Contexts that are too large are said to be, by warnings; the tests look at those themselves.
exec env NODE_OPTIONS=--no-warnings "${POSTGRES_SERVER:?}" -- node --test --test-concurrency=2 --test-reporter=spec out/*.test.js
