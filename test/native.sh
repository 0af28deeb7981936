#!/usr/bin/env bash
# The native engine's tests, on a server that has the module and is otherwise the machine's own (pgext/stage).
#
#   test/native.sh capture    the tests of the portable engine and of the SQL that reads, with every table recorded by the
#                             native one, and its indexes
#   test/native.sh native     those of the native engine: both side by side, provoked errors, load; with a module in
#                             which undefined behaviour is an error
#   test/native.sh memory     a session's work under valgrind: the module reads and writes only what is its own
#   test/native.sh boundary   what the module needs of others: the server and C, nothing of the C++ runtime
#
# Afterwards the server's log must tell of no backend that crashed.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}

if [[ ${1-} == boundary ]]; then
  # Exceptions and objects with destructors would show here: unwinding, terminate, operator new.
  strange=$(nm -D --undefined-only "$build/pgext/vestige.so" | awk '{ print $NF }' | grep -E '^_Z|^__cxa_|^_Unwind' |
            grep -v '^__cxa_finalize' || true)
  [[ -z $strange ]] || { echo "the module needs the C++ runtime: $strange"; exit 1; }
  shown=$(nm -D --defined-only "$build/pgext/vestige.so" | awk '{ print $NF }' | sort | xargs)
  [[ $shown == "Pg_magic_func _PG_init pg_finfo_vestige_capture pg_finfo_vestige_order pg_finfo_vestige_runs vestige_capture vestige_order vestige_runs" ]] ||
    { echo "the module shows more than its entries: $shown"; exit 1; }
  exit 0
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
[[ ${1-} != native ]] || export MODULE=$build/pgext/undefined/vestige.so
PGBIN=$(pgext/stage "$build" "$stage")
export PGBIN VESTIGE_NATIVE=1

if [[ ${1-} == memory ]]; then
  # One session, as the server's single user. Complaints about the server itself are not ours: those count that have
  # the module among their innermost three functions.
  user=()
  [[ $(id -u) -ne 0 ]] || user=(runuser -u postgres --)
  chmod 777 "$stage"
  "${user[@]}" "$PGBIN/initdb" -D "$stage/data" -A trust -E UTF8 --no-sync >/dev/null
  "${user[@]}" valgrind --quiet --error-limit=no --fullpath-after= --log-file="$stage/valgrind" \
    "$PGBIN/postgres" --single -j -D "$stage/data" postgres <test/native_memory.sql >"$stage/out" 2>&1
  grep -E 'ERROR|FATAL|PANIC' "$stage/out" && { echo "the work itself failed"; exit 1; }
  grep -q 'recorded = "t"' "$stage/out" || { echo "the work did not run to its end"; tail -20 "$stage/out"; exit 1; }
  awk '/^==[0-9]+== $/ { if (ours) printf "%s", text; found += ours; text = ""; ours = depth = 0; next }
       { text = text $0 "\n" }
       /(at|by) 0x/ { if (++depth <= 3 && /pgext\/|vestige\.so/) ours = 1 }
       END { if (ours) printf "%s", text; exit found + ours > 0 }' "$stage/valgrind" || exit 1
  exit 0
fi
case ${1-} in
  capture)
    export VESTIGE_ENGINE=native
    # native has random work of both
    wanted='Postgres*:Both/*-PostgresNative*:*Random*:*Kill*:PostgresTest*:PostgresServerTest*:PostgresLexerTest*:PostgresStreamTest*' ;;
  native) wanted='PostgresNative*' ;;
  *) echo "usage: test/native.sh capture|native|memory|boundary" >&2; exit 2 ;;
esac
# shellcheck disable=SC2016
"$build/bin/postgres_server" -- bash -c '
  "$1" --gtest_brief=1 --gtest_filter="$2" || exit 1
  log=$(psql -XAtc "select pg_read_file(current_setting('"'data_directory'"') || '"'/../log'"')")
  if grep -E "terminated by signal|PANIC|TRAP:|invalid memory alloc|stack depth" <<<"$log"; then
    echo "the server log tells of a crash"
    exit 1
  fi' native "$build/bin/vestige_tests" "$wanted"
