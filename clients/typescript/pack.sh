#!/usr/bin/env bash
# Makes the package of a checkout, for npm install: vestige-audit-VERSION.tgz. Its path is printed.
#
#   clients/typescript/pack.sh FOLDER     exits 77 where npm gives no TypeScript
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source"/src "$source"/package.json "$source"/README.md "$source"/tsconfig*.json "$source"/../../LICENSE "$work"
cd "$work"
# The sources import nothing but Node's own modules: of what the tests need, the compiler is enough.
read -ra compiler < <(node -p 'const { devDependencies: all } = require("./package.json"); ["typescript", "@types/node"].map((one) => `${one}@${all[one]}`).join(" ")')
mkdir compiler
if ! npm install --prefix compiler --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error "${compiler[@]}" >&2; then
  echo "npm cannot install ${compiler[*]}" >&2
  exit 77
fi
ln -s compiler/node_modules node_modules
npm run --silent build
echo "$folder/$(npm pack --silent --ignore-scripts --pack-destination "$folder")"
