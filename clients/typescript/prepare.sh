#!/usr/bin/env bash
# Builds the package in a folder of its own, with what its tests need beside it: nothing is written into the source tree.
#
#   clients/typescript/prepare.sh FOLDER     exits 77 where there is no Node of 20.19 or newer, or npm gives no packages
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
folder=$1
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || a === 20 && b >= 19 ? 0 : 1)' 2>/dev/null; then
  echo "no Node of 20.19 or newer" >&2
  exit 77
fi
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
rm -rf "$folder/src" "$folder/test" "$folder/dist" "$folder/out"
rm -rf "$folder/contract"
cp -r "$source"/src "$source"/test "$source"/../contract "$source"/package.json "$source"/README.md "$source"/tsconfig*.json \
   "$source"/../../LICENSE "$folder"
if ! cmp -s "$folder/package.json" "$folder/installed"; then
  if ! (cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error) >"$folder/npm.log" 2>&1; then
    cat "$folder/npm.log" >&2
    echo "npm cannot install what the tests need" >&2
    exit 77
  fi
  cp "$folder/package.json" "$folder/installed"
fi
cd "$folder"
# better-sqlite3 brings no binary for npm without install scripts, and its own script downloads one: it is compiled, where Node's
# headers are, while the compiler of types runs. Without it its tests are skipped.
headers=$(dirname "$(dirname "$(node -p process.execPath)")")
gyp=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")/node_modules/node-gyp/bin/node-gyp.js
if [ ! -e node_modules/better-sqlite3/build/Release/better_sqlite3.node ] && [ -e "$headers/include/node/node.h" ] && [ -e "$gyp" ]; then
  cache=$(command -v ccache || true)
  (cd node_modules/better-sqlite3 && CCACHE_BASEDIR="$PWD" CCACHE_NOHASHDIR=1 CC="$cache cc" CXX="$cache c++" CFLAGS=-O0 CXXFLAGS=-O0 \
    node "$gyp" rebuild --release --jobs 2 "--nodedir=$headers") >sqlite.log 2>&1 || { tail -n 30 sqlite.log >&2; touch sqlite.failed; } &
fi
npm run --silent build
# Prisma's client is made from its schema. It wants to download an engine that it does not use for that.
PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1 npx --no-install prisma generate --schema test/schema.prisma >prisma.log 2>&1 \
  || { cat prisma.log >&2; exit 1; }
npx --no-install tsc -p tsconfig.test.json
wait
[ ! -e sqlite.failed ] || { rm sqlite.failed; echo "better-sqlite3 could not be compiled" >&2; exit 1; }
