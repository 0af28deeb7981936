#!/usr/bin/env bash
# Reports in HTML as a browser shows and prints them, looked at by axe: of the bank, of hostile values, of 200 columns, of nothing.
# labels: slow matrix
set -euo pipefail
vestige=${VESTIGE:?}
folder=$(dirname "$(dirname "$vestige")")/report_pages
chromium=$("${SOURCE_DIR:?}/test/report_pages/prepare.sh" "$folder")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tools=$work/tools
mkdir "$tools"
ln -s "$vestige" "$tools/vestige"
export PATH=$tools:$PATH VESTIGE_DB=bank.db TZ=UTC
cp "$SOURCE_DIR"/examples/bank/* .
sqlite3 bank.db <bank.sql
vestige init 2>/dev/null
vestige apply >/dev/null
./day.sh "sqlite3 bank.db 'drop trigger vestige_1_update; update accounts set balance = 999 where id = 67890'; vestige doctor --fix >/dev/null 2>&1"
# Values that would like to be more than text, a name from right to left, one with what nobody sees.
vestige exec --actor 'שרה <img src=x onerror=alert(1)>' --session-id "$(printf 'a\033[31m\u202eb')" --business-process '</script><script>alert(2)</script>' \
  "update accounts set owner = '<svg onload=alert(3)>', balance = balance + 1 where id = 24680" 2>/dev/null
columns=$(seq -s ', ' -f 'c%g text' 1 200)
values=$(seq -s ', ' -f "'value %g'" 1 200)
sqlite3 bank.db "create table wide (id integer primary key, $columns)"
vestige track wide 2>/dev/null
sqlite3 bank.db "insert into wide values (1, $values)"
printf '[report.wide]\nfilter = "table:wide"\ncolumns = ["time", %s]\n' "$(seq -s ', ' -f '"new.c%g"' 1 200)" >>vestige.toml
vestige keygen --origin bank.example.com --out bank.key >bank.vkey 2>/dev/null
vestige seal --key bank.key >/dev/null 2>&1
make_report() {
  vestige report "${@:2}" --by auditor --format html --key bank.key --vkey bank.vkey --out "$1.html"
  vestige check "$1.html" --vkey bank.vkey >/dev/null
}
make_report daily daily
make_report changes changes
make_report wide wide
make_report empty daily --period 2001
make_report field field accounts 12345 balance
make_report integrity integrity
make_report privileged privileged
make_report retention retention
# One that is not sound.
sqlite3 bank.db "drop trigger vestige_change_no_delete; delete from vestige_change where id = 2"
if vestige report daily --by auditor --format html --out unsound.html 2>/dev/null; then
  echo "a change is gone, and the report says nothing" >&2
  exit 1
fi
NODE_PATH=$folder/node_modules node "$folder/pages.js" "$chromium" ./*.html
