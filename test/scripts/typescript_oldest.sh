#!/usr/bin/env bash
# The client for Node with the oldest drivers, mappers, queues and web frameworks that it says it supports.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
rm -rf oldest
mkdir -p oldest/drivers oldest/prisma
cp -r contract dist out package.json oldest
fetched() {  # FOLDER PACKAGE...: from npm; these are found first, everything else is where it is for the newest
  if ! npm install --prefix "$1" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error "${@:2}"; then
    echo "npm cannot install ${*:2}" >&2
    exit 77
  fi
}
fetched oldest/drivers pg@8.11.0 postgres@3.4.0 express@4.18.0 fastify@4.10.0 koa@2.14.0 hono@4.0.0 \
  typeorm@0.3.17 knex@2.5.0 kysely@0.26.0 sequelize@6.30.0 bullmq@5.0.0 ioredis@5
fetched oldest/prisma prisma@7.0.0 @prisma/client@7.0.0 @prisma/adapter-pg@7.0.0
ln -s drivers/node_modules oldest/node_modules
export NODE_OPTIONS=--no-warnings

# Prisma's adapter wants a driver newer than the oldest, and a client that its own generator has made.
(cd oldest/prisma && cp -r ../dist ../out ../contract ../package.json ../../test/schema.prisma . && rm -rf out/generated &&
  PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js generate --schema schema.prisma >/dev/null &&
  node ../../node_modules/typescript/bin/tsc --ignoreConfig --module nodenext --moduleResolution nodenext --target es2022 --skipLibCheck \
    --types node --rootDir generated --outDir out/generated generated/client.ts &&
  grep -q '"clientVersion": "7.0.0"' out/generated/internal/class.js &&
  "${POSTGRES_SERVER:?}" -- node --test --test-reporter=spec --test-name-pattern='^Prisma' out/mappers.test.js)

# Nest's decorators look at the types of its own packages: its application is compiled where these are.
mkdir oldest/nest
cp "$SOURCE_DIR"/clients/typescript/frameworks/{nest.test.ts,requests.ts,tsconfig.json} oldest/nest
cp -r test tsconfig.json oldest
fetched oldest/nest @nestjs/{common,core,platform-express,platform-fastify}@10.0.0 reflect-metadata@0.1.13 rxjs@7.8.0
ln -s ../../.. oldest/nest/node_modules/vestige-audit
(cd oldest/nest && node ../../node_modules/typescript/bin/tsc -p tsconfig.json &&
  "$POSTGRES_SERVER" -- node --test --test-reporter=spec out/nest/nest.test.js)

cd oldest
"$POSTGRES_SERVER" -- node --test --test-reporter=spec --test-name-pattern='^(Drizzle|Knex|Kysely|MikroORM|Sequelize|TypeORM)' \
  out/mappers.test.js
exec "$POSTGRES_SERVER" -- \
  node --test --test-reporter=spec out/contract.test.js out/pg.test.js out/postgres.test.js out/leak.test.js out/web.test.js out/bullmq.test.js
