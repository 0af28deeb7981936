-- Where the evidence stands: written by `vestige seal` alone (docs/decisions/0004-evidence.md; bytes: docs/format.md).

-- Up to 256 entries, each a length of 16 bits and its bytes, and 48 bytes of salts for each: of key, context, values.
-- The last one is replaced as it grows; nothing guards it but the signature.
create table if not exists vestige.bundle (
  n bigint primary key,
  width int not null,
  first_id bigint not null,
  last_id bigint not null,
  salts bytea not null,
  entries bytea not null
);

-- Hashes of the Merkle tree: 256 of level 8 * level in each tile.
create table if not exists vestige.tile (
  level int not null,
  n bigint not null,
  hashes bytea not null,
  primary key (level, n)
);

-- Salts and hashes do not get smaller.
alter table vestige.bundle alter column salts set storage external;
alter table vestige.tile alter column hashes set storage external;

-- What was signed: one row for each size of the tree.
create table if not exists vestige.checkpoint (
  size bigint primary key,
  at timestamptz not null,
  root bytea not null,
  note text not null
);

-- How far the sealer is. Every change with an xid below `sealed`, and every change with an id up to `floor`, is an
-- entry. A run that is not done seals those with an xid below `upto`, by id, and is at `last_id`. Once everything below
-- `floor_xid` is sealed, `next_floor` is the floor.
create table if not exists vestige.sealer (
  only_row boolean primary key default true check (only_row),
  size bigint not null,
  home text not null,            -- the cluster and the database whose xids these are
  sealed xid8 not null,
  floor bigint not null,
  upto xid8,
  last_id bigint not null,
  next_floor bigint,
  floor_xid xid8
);

-- Which changes an ERASE took values from. parts: key, context, values; separated by commas.
create table if not exists vestige.erased (
  change bigint not null,
  erased bigint not null,
  parts text not null,
  primary key (change, erased)
);
create index if not exists erased_change on vestige.erased (erased);

-- Checkpoints and erasures stay, for everyone, also under session_replication_role = replica.
do $guards$
declare
  kept text;
begin
  foreach kept in array array['checkpoint', 'erased'] loop
    continue when exists (select from pg_catalog.pg_trigger
                          where tgrelid = format('vestige.%I', kept)::regclass and tgname = 'never_truncate');
    execute format('create trigger append_only before update or delete on vestige.%I'
                   ' for each row execute function vestige.refuse()', kept);
    execute format('alter table vestige.%I enable always trigger append_only', kept);
    execute format('create trigger never_truncate before truncate on vestige.%I'
                   ' for each statement execute function vestige.refuse()', kept);
    execute format('alter table vestige.%I enable always trigger never_truncate', kept);
  end loop;
end
$guards$;

-- The cluster and the database: xids mean nothing elsewhere.
create or replace function vestige.home() returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select s.system_identifier || '/' || d.oid from pg_control_system() s, pg_database d where d.datname = current_database()
$$;

-- Transactions that are not at an end and may have recorded changes: what the sealer waits for. Prepared ones count.
create or replace function vestige.unfinished(below xid8)
returns table (xid text, since timestamptz, what text) language sql volatile set search_path = pg_catalog, pg_temp as $$
  select p.transaction::text, p.prepared, format('prepared transaction %L of %s in database %s', p.gid, p.owner, p.database)
  from pg_prepared_xacts p
  where p.transaction in (select (x::text::numeric % 4294967296)::text::xid from pg_snapshot_xip(pg_current_snapshot()) x
                          where x < below)
  union all
  select a.backend_xid::text, a.xact_start, format('transaction of %s in database %s, process %s%s', a.usename, a.datname,
    a.pid, case when a.application_name <> '' then format(' (%s)', a.application_name) else '' end)
  from pg_stat_activity a
  where a.backend_xid in (select (x::text::numeric % 4294967296)::text::xid from pg_snapshot_xip(pg_current_snapshot()) x
                          where x < below)
  order by 2
$$;
