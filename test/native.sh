#!/usr/bin/env bash
# The native engine's tests, on a server that has the module and is otherwise the machine's own (pgext/stage).
#
#   test/native.sh capture    the tests of the portable engine and of the SQL that reads, with every table recorded by the
#                             native one, and its indexes
#   test/native.sh native     those of the native engine: both side by side, provoked errors, load; with a module in
#                             which undefined behaviour is an error
#   test/native.sh memory     a session's work under valgrind: the module reads and writes only what is its own;
#                             not on 13, where a single user's tables have no array types
#   test/native.sh boundary   what the module needs of others: the server and C, nothing of the C++ runtime
#   test/native.sh compile 17 the module for another version, without warnings
#
# A major version after the others' names, too: on that server (scripts/fetch-postgres-headers). 77 when it cannot be fetched.
#
# Afterwards the server's log must tell of no backend that crashed.
set -euo pipefail
shopt -s globstar
cd "$(dirname "$0")/.."
build=${BUILD:-build}
built=$build

if [[ -n ${2-} ]]; then
  build=$(realpath "$build")  # the server runs elsewhere
  built=$build/native-$2
  PG_CONFIG=$(scripts/fetch-postgres-headers --into "$build/postgres" "$2")
  export PG_CONFIG
  targets=(pgext)
  [[ $1 != native ]] || targets+=(pgext_undefined)
  { cmake -G Ninja -S . -B "$built" -D CMAKE_BUILD_TYPE=RelWithDebInfo -D CMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g1" \
      -D VESTIGE_TESTS=ON -D VESTIGE_WERROR=ON -D VESTIGE_PG_CONFIG="$PG_CONFIG" &&
    cmake --build "$built" --target "${targets[@]}" -j "${JOBS:-2}"; } >"$built.log" 2>&1 || { cat "$built.log"; exit 1; }
  [[ $1 != compile ]] || exit 0
fi
if [[ ${1-} == boundary ]]; then
  # Exceptions and objects with destructors would show here: unwinding, terminate, operator new.
  strange=$(nm -D --undefined-only "$built/pgext/vestige.so" | awk '{ print $NF }' | grep -E '^_Z|^__cxa_|^_Unwind' |
            grep -v '^__cxa_finalize' || true)
  [[ -z $strange ]] || { echo "the module needs the C++ runtime: $strange"; exit 1; }
  shown=$(nm -D --defined-only "$built/pgext/vestige.so" | awk '{ print $NF }' | sort | xargs)
  [[ $shown == "Pg_magic_func _PG_init pg_finfo_vestige_capture pg_finfo_vestige_order pg_finfo_vestige_recipient pg_finfo_vestige_runs pg_finfo_vestige_token vestige_capture vestige_order vestige_recipient vestige_runs vestige_token" ]] ||
    { echo "the module shows more than its entries: $shown"; exit 1; }
  exit 0
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
[[ ${1-} != native ]] || export MODULE=$built/pgext/undefined/vestige.so
PGBIN=$(pgext/stage "$built" "$stage")
export PGBIN VESTIGE_NATIVE=1
# A release to come, with the script of this one.
for script in "$stage"/**/extension/vestige--*.sql; do cp "$script" "${script%.sql}--next.sql"; done

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
  *) echo "usage: test/native.sh capture|native|memory|boundary [MAJOR], or compile MAJOR" >&2; exit 2 ;;
esac
# shellcheck disable=SC2016
"$build/bin/postgres_server" -- bash -c '
  "$1" --gtest_brief=1 --gtest_filter="$2" || exit 1
  log=$(psql -XAtc "select pg_read_file(current_setting('"'data_directory'"') || '"'/../log'"')")
  if grep -E "terminated by signal|PANIC|TRAP:|invalid memory alloc|stack depth" <<<"$log"; then
    echo "the server log tells of a crash"
    exit 1
  fi' native "$build/bin/vestige_tests" "$wanted"
