#!/usr/bin/env bash
# Builds the page in a folder of its own, with what npm gives: nothing is written into the source tree.
#
#   console/prepare.sh FOLDER     FOLDER/dist is the page; exits 77 where there is no Node of 20.19 or newer, or npm gives no packages
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
folder=$1
if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || a === 20 && b >= 19 ? 0 : 1)' 2>/dev/null ||
   ! command -v npm >/dev/null; then
  echo "no Node of 20.19 or newer with npm" >&2
  exit 77
fi
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
rm -rf "$folder/src" "$folder/test" "$folder/dist" "$folder/out"
cp -r "$source"/src "$source"/test "$source"/build.mjs "$source"/package.json "$source"/tsconfig.json "$folder"
if ! cmp -s "$folder/package.json" "$folder/installed"; then
  if ! (cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error) >"$folder/npm.log" 2>&1; then
    cat "$folder/npm.log" >&2
    echo "npm cannot install what builds the page" >&2
    exit 77
  fi
  cp "$folder/package.json" "$folder/installed"
fi
cd "$folder"
npx --no-install tsc -p tsconfig.json
node build.mjs
