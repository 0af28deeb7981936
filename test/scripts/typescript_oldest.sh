#!/usr/bin/env bash
# The client for Node with the oldest drivers and web frameworks that it says it supports.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
rm -rf oldest
mkdir -p oldest/drivers
cp -r contract dist out package.json oldest
if ! npm install --prefix oldest/drivers --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
    pg@8.11.0 postgres@3.4.0 express@4.18.0 fastify@4.10.0 koa@2.14.0 hono@4.0.0; then
  echo "npm cannot install the oldest drivers and frameworks" >&2
  exit 77
fi
# These are found first; everything else is where it is for the newest.
ln -s drivers/node_modules oldest/node_modules
cd oldest
exec env NODE_OPTIONS=--no-warnings "${POSTGRES_SERVER:?}" -- \
  node --test --test-reporter=spec out/contract.test.js out/pg.test.js out/postgres.test.js out/leak.test.js out/web.test.js
