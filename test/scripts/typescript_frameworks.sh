#!/usr/bin/env bash
# The client for Node in applications of Nest and Next, which are large: not with every test.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/clients/typescript
"${SOURCE_DIR:?}/clients/typescript/prepare.sh" "$folder"
cd "$folder"
mkdir -p frameworks
(cd frameworks && find . -mindepth 1 -maxdepth 1 ! -name node_modules ! -name installed -exec rm -rf {} +)
cp -r "$SOURCE_DIR"/clients/typescript/frameworks/. frameworks
cd frameworks
if ! cmp -s package.json installed; then
  if ! npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error; then
    echo "npm cannot install the frameworks" >&2
    exit 77
  fi
  cp package.json installed
fi
ln -sfn ../.. node_modules/vestige-audit
node ../node_modules/typescript/bin/tsc -p tsconfig.json
exec env NODE_OPTIONS=--no-warnings "${POSTGRES_SERVER:?}" -- node --test --test-reporter=spec out/frameworks/*.test.js
