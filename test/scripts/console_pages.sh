#!/usr/bin/env bash
# The console as a browser has it, on SQLite and on PostgreSQL, with tables, columns, keys, values and people that would like to be more than
# text: test/report_pages/console.js says what is looked at.
# labels: slow matrix
set -euo pipefail
folder=$(dirname "$(dirname "${VESTIGE:?}")")/report_pages
chromium=$("${SOURCE_DIR:?}/test/report_pages/prepare.sh" "$folder")
export chromium folder

# run DATABASE CLIENT...: a trail of what is hostile, and the pages of it
looked_at() {
  local engine=$1 text
  shift
  export TZ=UTC
  hostile='<img src=x onerror=alert(1)>'
  columns=$(seq -s ', ' -f '"c%g" text' 1 300)
  values=$(seq -s ', ' -f "'value %g'" 1 300)
  if [[ $engine == sqlite ]]; then text="replace(hex(zeroblob(524288)), '0', 'x')"; else text="repeat('x', 1048576)"; fi
  cat >hostile.sql <<SQL
create table products (id integer primary key, name text, price bigint, stock integer, note text);
insert into products values (1, 'Teapot', 5100, 20, null), (2, 'Cup', 9223372036854775807, 4, '');
create table "a/b <b><i><u>""x"".'y'?#%2C" ("the key" text primary key, "$hostile" text, "a,b;c d" text, "__proto__" text, "שם" text);
create table wide (id integer primary key, $columns);
create table pairs (a text, b integer, v text, primary key (a, b));
SQL
  "$@" <hostile.sql
  $VESTIGE init 2>/dev/null
  $VESTIGE track products --tags SOX 2>/dev/null
  for table in "a/b <b><i><u>\"x\".'y'?#%2C" wide pairs; do $VESTIGE track "$table" 2>/dev/null; done
  change() { $VESTIGE exec "${@:1:$#-1}" "${@: -1}" 2>/dev/null >/dev/null; }
  for key in '</script><script>alert(1)</script>' 'a,b/c?d#e%2C' '..' '' 'x y+z' 'ab' "$(printf '\u202egpj.exe')"; do
    change --actor "$(printf '%s\u202e' "$hostile")" --reason "</title><script>alert(2)</script>" \
      "insert into \"a/b <b><i><u>\"\"x\"\".'y'?#%2C\" values ('$key', '$hostile', '$(printf 'a\u200bb\u2066c\033[31m')', '{\"polluted\": 1}', 'שרה')"
  done
  change "insert into wide values (1, $values)"
  change "update wide set c7 = 'seven', c300 = null where id = 1"
  change "insert into pairs values ('x,y', 1, 'v'), ('', 2, ''), ('b=1', 3, null)"
  change --actor batch "update products set note = $text where id = 2"
  change --actor batch "update products set note = $text || 'y' where id = 2"
  [[ $engine != sqlite ]] || change "update products set note = 'a' || char(0) || 'b' where id = 2"
  for price in $(seq 5000 50 5600); do change --actor bob "update products set stock = $price where id = 1"; done
  change --actor manager_john --reason "typo in the price list" "update products set price = 94900 where id = 1"
  change --actor ann --reason "it was no typo: 949.00 was meant" "update products set price = 99900 where id = 1"
  $VESTIGE keygen --origin shop.example.com --out seal.key >seal.vkey 2>/dev/null
  $VESTIGE seal --key seal.key >/dev/null 2>&1
  printf '[[rule]]\nid = "price-jump"\nselect = "table:products column:price"\nwhen = "new.price > 2 * old.price"\nseverity = "critical"\nmessage = "price of {key} <b>{reason}"\n' >vestige.toml
  $VESTIGE watch --once --backfill >/dev/null 2>&1 || true
  $VESTIGE hold place --matter "Doe <i>v. Shop" -q 'table:products who:ann' --by counsel --reason "letter" >/dev/null 2>&1
  alert=$($VESTIGE alert list --format json | sed -n '1s/.*"id":"\?\([^",]*\).*/\1/p')
  node "$folder/console.js" "$chromium" "$VESTIGE" / '/?q=' '/?q=who%3Anobody' '/?q=table%3Awide+who%3Anobody+since%3A1d' /verify /alerts '/alerts?state=all' "/alerts/$alert" \
    /reports '/reports/changes?since=30d' /holds /retention /status '/t/products?at=2' '/t/products/1?at=2'
}
export -f looked_at

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/sqlite" "$work/postgres"
chmod 777 "$work/postgres"
cd "$work/sqlite"
VESTIGE_DB=$PWD/shop.db looked_at sqlite sqlite3 shop.db
cd "$work/postgres"
# shellcheck disable=SC2016
"${POSTGRES_SERVER:?}" -- bash -c 'set -euo pipefail
  createdb shop
  export VESTIGE_DB="postgresql:///shop?host=$PGHOST" PGDATABASE=shop
  looked_at postgres psql -q shop'
