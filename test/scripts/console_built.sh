#!/usr/bin/env bash
# The page of the console: console/dist is what its sources build, holds no path and no other host, and its pure parts do what they should.
# labels: lint house
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/console
"${SOURCE_DIR:?}/console/prepare.sh" "$folder"
if ! diff -rq "$SOURCE_DIR/console/dist" "$folder/dist"; then
  echo "console/dist is not what console/src builds: make console" >&2
  exit 1
fi
# Nothing is fetched from elsewhere, nothing is made out of text, and nothing tells where it was built.
if grep -n -E 'innerHTML|outerHTML|insertAdjacentHTML|dangerously|document\.write|eval\(|new Function|style=' -r "$SOURCE_DIR/console/src" ||
   grep -l -E 'sourceMappingURL|[^.]\beval\(|new Function|document\.write' "$folder"/dist/assets/* ||
   grep -l -F -e "$SOURCE_DIR" -e "$folder" -r "$folder/dist" ||
   grep -o -h -E "https?://[^\"'\` )]+" -r "$folder/dist" | grep -v -E '^http://www\.w3\.org/(2000/svg|1998/Math/MathML|1999/xhtml|1999/xlink)$'; then
  echo "the page has something that it should not" >&2
  exit 1
fi
cd "$folder"
node build.mjs --tests
LETTERS=$SOURCE_DIR/vestige/base/letter.cc node --test out/*.test.js >tests.log || { cat tests.log; exit 1; }
