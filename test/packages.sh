#!/usr/bin/env bash
# The Debian packages, made of what was built and used as they would be installed: the program on its own, a trail by
# psql from the SQL that comes with it, and the native engine in a server that has its package.
#
#   test/packages.sh BUILD
set -euo pipefail
fail() { echo "packages: $*" >&2; exit 1; }

# On the server that has the package: a trail by psql, by init and by the extension, each recording natively.
if [[ ${1-} == --on-server ]]; then
  program=$2 sql=$3 extensions=$4
  version=$(sed -n "s/default_version = '\(.*\)'/\1/p" "$extensions/vestige.control")
  run() { psql -XqAt -v ON_ERROR_STOP=1 -d "$@"; }
  createdb by_psql && createdb by_init && createdb by_extension && createuser plain && createdb -O plain by_plain
  said=$("$program" --db postgresql://plain@/by_plain init --native 2>&1) && fail "anybody may load a module"
  [[ $said == *"use the native engine: only a superuser may load a module of the server"* ]] || fail "init: $said"
  run by_psql -1 -f "$sql/install.sql" -f "$sql/native.sql" >/dev/null
  run by_extension -c "create extension vestige"
  said=$("$program" --db postgresql:///by_init init --native 2>&1) || fail "init: $said"
  for one in by_psql by_init by_extension; do
    run $one -c "create table t (id int primary key, v text); select vestige.track('t')" >/dev/null
    [[ $one != by_psql ]] || run $one -c "select vestige.set_engine('t', 'native')" >/dev/null
    run $one -c "insert into t values (1, 'a'); update t set v = 'b'"
    [[ $(run $one -c "select tgfoid::regproc from pg_trigger where tgname = '0_vestige_change'") == vestige.capture_native ]] ||
      fail "$one does not record natively"
    "$program" --db "postgresql:///$one" log t 1 --format json | grep -q '"new_values":{"v":"b"}' || fail "$one: no UPDATE"
    said=$("$program" --db "postgresql:///$one" init --portable 2>&1) || fail "init: $said"
    [[ $said == *"the portable engine records tables from now on; 1 table switched" ]] || fail "init: $said"
  done
  # The next release's script is the way to it, too. (The way back took the extension away from the others.)
  createdb by_update
  run by_update -c "create extension vestige" -c "create table t (id int primary key, v text); select vestige.track('t')" >/dev/null
  run by_update -c "insert into t values (1, 'a'); update t set v = 'b'"
  cp "$extensions/vestige--$version.sql" "$extensions/vestige--$version--next.sql"
  run by_update -c "alter extension vestige update to 'next'" >/dev/null
  run by_update -c "insert into t values (2, 'c')"
  [[ $(run by_update -c "select extversion, count(*) from pg_extension, vestige.change where extname = 'vestige' group by 1") == "next|3" ]] ||
    fail "the extension's update loses something"
  exit 0
fi

cd "$(dirname "$0")/.."
build=${1:?usage: test/packages.sh BUILD}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

version=$("$build/bin/vestige" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')
[[ $(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog) == "$version" ]] || fail "debian/changelog is not of version $version"

scripts/deb "$build" "$work/packages" >"$work/list"
[[ $(xargs -n1 basename <"$work/list" | cut -d_ -f1 | sort | xargs) == "libvestige-dev postgresql-15-vestige vestige vestige-server" ]] ||
  fail "not the four packages: $(xargs <"$work/list")"
while read -r package; do
  name=$(dpkg-deb -f "$package" Package)
  [[ $(dpkg-deb -f "$package" Version) == "$version" ]] || fail "$name has another version"
  dpkg-deb -x "$package" "$work/$name"
  find "$work/$name" -path '*usr/local*' | grep . && fail "$name has files in usr/local"
  [[ -f $work/$name/usr/share/doc/$name/copyright ]] || fail "$name has no copyright"
done <"$work/list"

[[ -f $work/libvestige-dev/usr/lib/libvestige.a && -f $work/libvestige-dev/usr/include/vestige/db/database.h ]] ||
  fail "libvestige-dev has no library"
dpkg-deb -f "$work"/packages/vestige_*.deb Depends | grep -q libpq5 || fail "vestige does not depend on libpq5"
server=$work/vestige-server/usr
[[ -f $server/lib/systemd/system/vestige-serve.service && -f $server/share/vestige/nginx/vestige.conf ]] ||
  fail "vestige-server has no unit, or nothing for nginx"
program=$work/vestige/usr/bin/vestige
"$program" --version | grep -q "$version" || fail "the program does not run"
gzip -dc "$work/vestige/usr/share/man/man1/vestige.1.gz" >"$work/vestige.1" || fail "there is no man page"
grep -q '^\.TH' "$work/vestige.1" || fail "the man page is none"

# The server with the package in it; pgext/stage takes a build's files from the package.
mkdir -p "$work/built/pgext"
find "$work/postgresql-15-vestige/usr/lib" "$work/postgresql-15-vestige/usr/share/postgresql" -type f \
  -exec cp {} "$work/built/pgext/" \;
PGBIN=$(pgext/stage "$work/built" "$work/server")
export PGBIN
"$build/bin/postgres_server" -- "$PWD/test/packages.sh" --on-server "$program" "$work/vestige/usr/share/vestige/postgres" \
  "$work/server/usr/share/postgresql/15/extension"
echo "four packages of version $version, and they work"
