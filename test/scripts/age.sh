#!/bin/bash
# What Vestige wraps, stock age opens with the file that `vestige keys generate` made, and the other way round.
set -euo pipefail
vestige=${VESTIGE:?}
command -v age > /dev/null || { echo "SKIP: age is not installed"; exit 77; }
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
recipient=$("$vestige" keys generate --class phi --out phi.key 2> /dev/null)
[ "$(stat -c %a phi.key)" = 600 ]
sqlite3 shop.db "create table patients (id integer primary key, ssn text)"
export VESTIGE_DB=shop.db
"$vestige" init 2> /dev/null
"$vestige" keys add phi "$recipient" 2> /dev/null
"$vestige" track patients --encrypt ssn=phi 2> /dev/null
sqlite3 shop.db "insert into patients values (1, '123-45-6789')"
"$vestige" keygen --origin test --out seal.key > /dev/null 2>&1
"$vestige" seal --key seal.key > /dev/null 2>&1
# The data key that age unwraps is the one whose id the token names.
sqlite3 shop.db "select hex(wrapped) from vestige_encrypted_key" | xxd -r -p | age -d -i phi.key > data.key
[ "$(stat -c %s data.key)" = 32 ]
id=$({ printf vestige-data-key; cat data.key; } | sha256sum | cut -c1-32)
[ "$(sqlite3 shop.db "select lower(hex(id)) from vestige_encrypted_key")" = "$id" ]
[ "$(sqlite3 shop.db "select lower(hex(substr(v1, 3, 16))) from vestige_more where part = -1 and change = (select id from vestige_change where op = 'I' order by id desc limit 1)")" = "$id" ]
echo "age opens what is wrapped"
