#!/usr/bin/env bash
# The client for Node on the newer Nodes that it supports, which have node:sqlite, and its types under older TypeScript.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
mkdir -p nodes
fetched() {  # FOLDER PACKAGE...: from npm, unless they are there
  [ "$(cat "nodes/$1/which" 2>/dev/null)" = "${*:2}" ] && return
  if ! npm install --prefix "nodes/$1" --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error "${@:2}"; then
    echo "npm cannot install ${*:2}" >&2
    exit 77
  fi
  echo "${*:2}" >"nodes/$1/which"
}

fetched types typescript@5.4 @types/node@20 @types/pg@8
(cd nodes/types && rm -rf check && mkdir check && cp ../../test/types.test.ts check/ && ln -sfn ../../.. node_modules/vestige-audit &&
  for resolution in node16 bundler; do
    module=$([ $resolution = bundler ] && echo esnext || echo node16)
    echo '{"type":"module"}' >check/package.json
    node node_modules/typescript/bin/tsc --noEmit --strict --noUncheckedIndexedAccess --target es2022 --lib es2023 --module "$module" --moduleResolution "$resolution" \
      --types node check/types.test.ts ../../dist/esm/*.d.ts
    echo "TypeScript $(node node_modules/typescript/bin/tsc --version), $resolution"
  done)

for version in 22 24; do
  fetched $version "node-$(node -p 'process.platform + "-" + process.arch')@$version"
  node=$(echo nodes/$version/node_modules/node-*/bin/node)
  echo "Node $("$node" --version)"
  env NODE_OPTIONS=--no-warnings PATH="$(dirname "$(realpath "$node")"):$PATH" "${POSTGRES_SERVER:?}" -- "$node" --test --test-reporter=spec \
    out/{database,context,pg,postgres,trail,values,web,leak,sqlite,sqlite_contract,sqlite_trail,sqlite_package}.test.js
done
