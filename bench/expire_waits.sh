#!/usr/bin/env bash
# How long writers wait while a partition of the trail is rewritten and swapped (docs/retention.md), on PostgreSQL:
#
#   build/bin/postgres_server -- bench/expire_waits.sh [CHANGES] [SECONDS]
#
# So many CHANGES (default 1000000) of which two thirds are due stand in a closed partition; four sessions write 500 transactions a second for
# so many SECONDS (20), and `vestige expire` runs meanwhile. Prints how long expire took, and of the transactions the median, the 99th of a
# hundred and the longest, in milliseconds.
set -euo pipefail
changes=${1:-1000000}
seconds=${2:-20}
vestige=${VESTIGE:-build/bin/vestige}
pgbench=$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench | tail -1)
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
export VESTIGE_DB=postgresql://
"$vestige" init >"$here/told" 2>&1
psql -Xq <<SQL
create table long (id bigint primary key, what text);
create table short (id bigint primary key, what text);
create table now (id bigint generated always as identity primary key, what text);
select vestige.set_retention('short', '30 days'), vestige.set_retention('long', 'forever') \g /dev/null
select vestige.track('long', retention => 'long'), vestige.track('short', retention => 'short'), vestige.track('now') \g /dev/null
insert into short select i, 'short ' || i from generate_series(1, $changes * 2 / 3) i;
insert into long select i, 'long ' || i from generate_series(1, $changes / 3) i;
begin;
alter table vestige.change disable trigger user;
do \$\$
declare
  p record;
  month timestamptz := date_trunc('month', now() at time zone 'UTC') at time zone 'UTC';
begin
  select * into strict p from vestige.partitions() where now() >= from_at and now() < upto;
  execute format('alter table vestige.change detach partition %s', p.relation);
  execute format('update %s set at = at - interval ''400 days''', p.relation);
  perform vestige.attach_partition(p.relation, '-infinity', month - interval '1 month');
  perform vestige.attach_partition(vestige.partition_table('now'), month - interval '1 month', p.upto);
end
\$\$;
alter table vestige.change enable always trigger append_only;
alter table vestige.change enable always trigger never_truncate;
commit;
SQL
"$vestige" keygen --origin bench.example.com/waits --out "$here/key" >"$here/told" 2>&1
"$vestige" seal --key "$here/key" >"$here/told" 2>&1
echo "insert into now (what) values ('one');" >"$here/write.sql"
(cd "$here" && "$pgbench" -n -c 4 -j 2 -R 500 -T "$seconds" -l -f write.sql >told.bench 2>&1) &
sleep 2
began=$(date +%s%N)
"$vestige" expire --actor bench | tail -1
echo "expire took $((($(date +%s%N) - began) / 1000000)) ms"
wait
cat "$here"/pgbench_log.* | awk '{ print $3 / 1000 }' | sort -n |
  awk '{ all[NR] = $1 } END { printf "%d transactions: median %.1f ms, 99%% %.1f ms, longest %.1f ms\n", NR, all[int(NR / 2)], all[int(NR * 0.99)], all[NR] }'
