#!/usr/bin/env bash
# The line of docs/evidence.md that makes Parquet of an archive, as it stands there, by DuckDB's own package: what is in the file is what
# `vestige log --archive` says.
# labels: slow
set -euo pipefail
source=$(realpath "${SOURCE_DIR:-$PWD}")
vestige=$(realpath "${VESTIGE:-$source/build/bin/vestige}")
environment=$(dirname "$vestige")/../venv/duckdb
wanted="duckdb==2.0.1 $(/usr/bin/python3 --version)"
if [[ $wanted != "$(cat "$environment/made-of" 2>/dev/null)" ]]; then
  rm -rf "$environment"
  /usr/bin/python3 -m venv "$environment"
  if ! "$environment/bin/pip" install --quiet --disable-pip-version-check "${wanted%% *}"; then
    echo "pip cannot install duckdb" >&2
    exit 77
  fi
  echo "$wanted" >"$environment/made-of"
fi
python=$(realpath "$environment")/bin/python

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export VESTIGE_DB=shop.db
sqlite3 shop.db "create table products (id integer primary key, name text)"
{
  "$vestige" init
  "$vestige" track products
  "$vestige" keygen --origin audit.example.com/shop --out seal.key
  for part in 1 2; do
    "$vestige" exec --actor ann "insert into products values ($part, 'pen'), (1$part, 'Tinte, ''blau''')"
    "$vestige" exec --actor bob --reason "name: \"ink\"" "update products set name = null where id = 1$part"
    "$vestige" seal --key seal.key
    "$vestige" archive --out archive --actor cron
  done
} >/dev/null 2>&1
unset VESTIGE_DB
"$vestige" log --archive archive --format json >log.ndjson

# The page's only block of SQL that makes Parquet.
sed -n '/^```sql$/,/^```$/p' "$source/docs/evidence.md" | grep '^copy .*parquet' >line.sql
[[ $(wc -l <line.sql) == 1 ]]
"$python" - <<'PYTHON'
import json
import duckdb
duckdb.sql(open("line.sql").read())
columns = "id, op, \"table\", context.actor, context.reason, new_values.name"
made = duckdb.sql(f"select {columns} from 'changes.parquet' order by id").fetchall()
said = sorted((one["id"], one["op"], one["table"], one["context"].get("actor"), one["context"].get("reason"),
               (one["new_values"] or {}).get("name")) for one in map(json.loads, open("log.ndjson")))
assert len(made) == len(said) > 6, (made, said)
assert made == said, (made, said)
PYTHON
echo "ok"
