#!/usr/bin/env bash
# What an INSERT costs while the trail of the native engine grows: CPU of the server process for each row, and what the
# last rows' searches take. Within a server that has the module:
#
#   PGBIN=$(pgext/stage build FOLDER) build/bin/postgres_server -- bench/growing.sh [ROWS] [TIMES]
#
# ROWS of each INSERT (default 5000000), so many TIMES (20), each into a table of its own: a hundred million changes, 17 GB.
set -euo pipefail
rows=${1:-5000000}
times=${2:-20}
psql -Xq <<'SQL'
create extension vestige;
create function cpu() returns numeric language plpgsql as $$
declare
  ticks text[] := string_to_array(regexp_replace(pg_read_file('/proc/' || pg_backend_pid() || '/stat'), '^.*\) ', ''), ' ');
begin
  return (ticks[12]::numeric + ticks[13]::numeric) / 100;
end
$$;
SQL
{
  for ((k = 1; k <= times; k++)); do
    cat <<SQL
create table t$k (id bigint primary key, owner text, balance numeric(12,2), at timestamptz);
select from vestige.track('t$k');
select cpu() as before \gset
insert into t$k select i, 'owner ' || i, 1000, '2026-01-01' from generate_series(1, $rows) i;
select ($k - 1) * $rows::bigint || ' changes before: ' || round((cpu() - :before) * 1000000 / $rows, 2) || ' us a row';
drop table t$k;
SQL
  done
  cat <<SQL
analyze vestige.change;
\timing on
select 'ids of a row: ' || count(*) from vestige.row_changes($times, '77');
select 'ids of another: ' || count(*) from vestige.row_changes($times, '78');
select 'the same again: ' || count(*) from vestige.row_changes($times, '78');
select 'the newest: ' || count(*) from (select id from vestige.change order by id desc limit 20) x;
\timing off
select 'heap and indexes: ' || pg_size_pretty(sum(pg_table_size(relid))) || ', ' || pg_size_pretty(sum(pg_indexes_size(relid)))
from pg_partition_tree('vestige.change') where isleaf;
SQL
} | psql -XAtq
