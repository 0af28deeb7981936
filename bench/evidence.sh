#!/usr/bin/env bash
# What seal and verify cost end to end: changes per second of wall time and of the program's own CPU time, and the
# most memory it had. On SQLite, and on PostgreSQL when it runs beside build/bin/postgres_server:
#
#   build/bin/postgres_server -- bench/evidence.sh [CHANGES]
set -euo pipefail
vestige=${VESTIGE:-build/bin/vestige}
changes=${1:-500000}
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
vestige=$(realpath "$vestige")
cd "$directory"

measure() {  # what, command…
  local what=$1
  shift
  /usr/bin/python3 - "$what" "$changes" "$@" <<'P'
import resource, subprocess, sys, time
what, changes, *command = sys.argv[1:]
begin = time.monotonic()
subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
n = int(changes)
print(f"  {what:22} {n / wall:9,.0f}/s  {n / cpu:9,.0f}/s of CPU  {wall:6.1f} s  {used.ru_maxrss / 1024:5.0f} MB")
P
}

run() {  # name
  "$vestige" init 2>/dev/null
  "$vestige" track t 2>/dev/null
  "$vestige" exec --actor bench "$2" >/dev/null 2>&1
  "$vestige" keygen --origin "bench.example/$1" --out "$1.key" >"$1.vkey" 2>/dev/null
  measure "seal, $1" "$vestige" seal --key "$1.key"
  "$vestige" seal --key "$1.key" >"$1.checkpoint" 2>/dev/null
  for _ in 1 2 3; do measure "verify, $1" "$vestige" verify --vkey "$1.vkey" --checkpoint "$1.checkpoint"; done
}

table='create table t (id integer primary key, name text, price integer, note text)'
sqlite3 t.db "$table"
export VESTIGE_DB=t.db
run SQLite "insert into t with recursive n(i) as (select 1 union all select i + 1 from n where i < $changes)
            select i, 'name ' || i, i * 7, 'a note of some length, number ' || i from n"
if [[ -n ${PGHOST:-} ]]; then
  createdb evidence_bench
  export VESTIGE_DB=postgresql:///evidence_bench
  psql -q evidence_bench -c "$table"
  run PostgreSQL "insert into t select i, 'name ' || i, i * 7, 'a note of some length, number ' || i
                  from generate_series(1, $changes) i"
fi
