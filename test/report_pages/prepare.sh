#!/usr/bin/env bash
# What looks at pages, in a folder of its own: playwright and axe, from npm; the browser is the system's.
#
#   test/report_pages/prepare.sh FOLDER     exits 77 where there is no Chromium, or npm gives no packages; prints the browser's path
set -euo pipefail
source=$(cd "$(dirname "$0")" && pwd)
folder=$1
chromium=$(command -v chromium || command -v chromium-browser || true)
if [[ -z $chromium ]] || ! command -v npm >/dev/null; then
  echo "neither a Chromium nor npm, no pages" >&2
  exit 77
fi
mkdir -p "$folder"
exec 9>"$folder/lock"
flock 9
cp "$source"/* "$folder"
if ! cmp -s "$folder/package.json" "$folder/installed"; then
  if ! (cd "$folder" && npm install --ignore-scripts --no-audit --no-fund --no-package-lock --loglevel=error) >&2; then
    echo "npm cannot install what looks at pages" >&2
    exit 77
  fi
  cp "$folder/package.json" "$folder/installed"
fi
echo "$chromium"
