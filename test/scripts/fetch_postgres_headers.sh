#!/usr/bin/env bash
# What scripts/fetch-postgres-headers says where there is nothing to fetch; ctest's native.compile.* fetch.
set -euo pipefail
cd "$SOURCE_DIR"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
archive=$work/archive
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The machine's sources, as apt has them configured.
printf '%s\n' "Dir::Etc::SourceList \"$work/sources.list\";" 'Dir::Etc::SourceParts "/dev/null";' >"$work/apt.conf"
export APT_CONFIG=$work/apt.conf

expect() {  # CODE TEXT MAJOR
  local code=0
  said=$(scripts/fetch-postgres-headers --into "$work/into" "$3" 2>&1) || code=$?
  [[ $code == "$1" && $said == *"fetch-postgres-headers: $2" ]] || { echo "$code, expected $1: $said"; exit 1; }
  [[ -z $(ls -A "$work/into" 2>/dev/null) ]] || { echo "files are left: $(ls -A "$work/into")"; exit 1; }
}
expect 2 "Debian has no headers of 16; one of 13, 17, 18" 16
echo "deb file:$archive another main" >"$work/sources.list"
expect 77 "apt-get has no headers of PostgreSQL 17, and no archive of $release to look for trixie in" 17
echo "deb file:$archive $release main" >"$work/sources.list"
expect 77 "the archive cannot be reached, or has no headers of PostgreSQL 17 in trixie" 17

# An archive that anybody could have made.
mkdir -p "$archive/dists/trixie/main/binary-amd64"
touch "$archive/dists/trixie/main/binary-amd64/Packages"
printf 'Suite: trixie\nCodename: trixie\nComponents: main\nArchitectures: amd64\nDate: %s\n' "$(date -Ru)" >"$archive/dists/trixie/Release"
expect 1 "the archive does not have trixie as Debian signed it" 17
