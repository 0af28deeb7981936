#!/usr/bin/env bash
# The client for Node with the oldest drivers, mappers and web frameworks that it says it supports.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
rm -rf oldest
mkdir -p oldest/drivers
cp -r contract dist out package.json oldest
if ! npm install --prefix oldest/drivers --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error \
    pg@8.11.0 postgres@3.4.0 express@4.18.0 fastify@4.10.0 koa@2.14.0 hono@4.0.0 \
    typeorm@0.3.17 knex@2.5.0 kysely@0.26.0 sequelize@6.30.0; then
  echo "npm cannot install the oldest drivers, mappers and frameworks" >&2
  exit 77
fi
# These are found first; everything else is where it is for the newest.
ln -s drivers/node_modules oldest/node_modules
cd oldest
export NODE_OPTIONS=--no-warnings
# Prisma's adapter brings a driver of its own, which is the newest.
"${POSTGRES_SERVER:?}" -- node --test --test-reporter=spec --test-name-pattern='^(Drizzle|Knex|Kysely|MikroORM|Sequelize|TypeORM)' \
  out/mappers.test.js
exec "$POSTGRES_SERVER" -- \
  node --test --test-reporter=spec out/contract.test.js out/pg.test.js out/postgres.test.js out/leak.test.js out/web.test.js
