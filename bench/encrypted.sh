#!/usr/bin/env bash
# What encrypted columns cost on PostgreSQL, by the processor time of the session that writes: a change in one UPDATE of many rows, and a
# transaction of one UPDATE, beside the same table recorded in clear, by either engine. The least of some rounds: others use the machine, too.
#
#   PGBIN=$(pgext/stage build /tmp/stage) build/bin/postgres_server -- bench/encrypted.sh [ROWS [ROUNDS]]
set -euo pipefail
rows=${1:-20000}
rounds=${2:-5}
vestige=${VESTIGE:-build/bin/vestige}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
url="postgresql:///$PGDATABASE?host=$PGHOST&port=$PGPORT&user=$PGUSER"
ask() { psql -XAtq -v ON_ERROR_STOP=1 "$@"; }

"$vestige" init --native --db "$url" >"$folder/said" 2>&1
"$vestige" keys generate --class phi --out "$folder/phi.key" >"$folder/phi.txt" 2>>"$folder/said"
"$vestige" keys add phi "$(cat "$folder/phi.txt")" --db "$url" >>"$folder/said" 2>&1
ask -c "create extension if not exists pgcrypto"
for table in untracked clear encrypted redacted clear_portable encrypted_portable; do
  ask -c "create table $table (id int primary key, ssn text not null, name text, n int) with (fillfactor = 40)" \
      -c "insert into $table select i, '123-45-' || i, 'Customer ' || i, 0 from generate_series(1, $rows) i"
done
ask -c "select vestige.track('clear'), vestige.track('encrypted', encrypt => '{\"ssn\": \"phi\"}'), vestige.track('redacted', redact => '{ssn}'),
               vestige.track('clear_portable'), vestige.track('encrypted_portable', encrypt => '{\"ssn\": \"phi\"}'),
               vestige.set_engine('clear_portable', 'portable'), vestige.set_engine('encrypted_portable', 'portable')" >>"$folder/said"

# Clock ticks of the session so far.
ticks="split_part(pg_read_file('/proc/self/stat'), ' ', 14)::bigint + split_part(pg_read_file('/proc/self/stat'), ' ', 15)::bigint"
hertz=$(getconf CLK_TCK)
# measured TABLE SQL COUNT: microseconds for each of so many
measured() {
  printf 'update %s set ssn = ssn where id = 1;\nselect %s as before \\gset\n%s\nselect %s - :before;\n' "$1" "$ticks" "$2" "$ticks" >"$folder/sql"
  local least= took
  for ((i = 0; i < rounds; ++i)); do
    took=$(ask -f "$folder/sql" | tail -1)
    [[ -n $least && $least -le $took ]] || least=$took
    ask -c "vacuum $1"
  done
  awk -v t="$least" -v hz="$hertz" -v n="$3" 'BEGIN { printf "%.2f", t / hz * 1000000 / n }'
}
printf '%-20s %14s %18s\n' "" "µs a change" "µs a transaction"
for table in untracked clear encrypted redacted clear_portable encrypted_portable; do
  times=5
  many=$(measured $table "do \$\$ begin for i in 1..$times loop update $table set ssn = case when ssn like '%x' then left(ssn, -1) else ssn || 'x' end; end loop; end \$\$;" $((rows * times)))
  one=$(measured $table "do \$\$ begin for i in 1..$rows loop update $table set ssn = 'n' || i where id = 1 + i % 1000; commit; end loop; end \$\$;" "$rows")
  printf '%-20s %14s %18s\n' $table "$many" "$one"
done
