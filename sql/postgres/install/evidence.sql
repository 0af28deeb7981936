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

-- How far the sealer is (docs/decisions/0014-sealed-order.md). What a transaction below `sealed` recorded is an entry, but where it
-- is one of `open`: they were at work, and what they record has ids above the floor of each. What transactions from `sealed` on
-- record has ids above `floor`. A run that is not done seals, by id, what ended since: below `upto`, and none of `upto_open`, ids up
-- to `upto_id`; it is at `last_id`. Then `next_floor` is the floor. The row's table is also the lock of who seals or erases: the
-- application's roles cannot take it.
create table if not exists vestige.sealer (
  only_row boolean primary key default true check (only_row),
  size bigint not null,
  home text not null,            -- the cluster, the database and the trail whose xids these are; '': nothing is sealed yet
  sealed xid8 not null,
  floor bigint not null,
  upto xid8,
  last_id bigint not null,
  next_floor bigint
);
alter table vestige.sealer add column if not exists open xid8[] not null default '{}',
  add column if not exists floors bigint[] not null default '{}', add column if not exists upto_open xid8[],
  add column if not exists upto_id bigint,
  add column if not exists restored bigint not null default 0,     -- the last id that came here with a restored trail
  add column if not exists unreadable bigint not null default 0;   -- changes that are sealed with a null, since they could not be read

-- A sealer of the version before waited for everything below one xid: nothing was open, and its floor is one.
do $older$
begin
  if exists (select from pg_catalog.pg_attribute where attrelid = 'vestige.sealer'::regclass and attname = 'floor_xid'
             and not attisdropped) then
    update vestige.sealer set next_floor = case when upto is not null then floor end,
      upto_open = case when upto is not null then '{}'::xid8[] end,
      upto_id = case when upto is not null then 9223372036854775807 end;
    alter table vestige.sealer drop column floor_xid;
  end if;
end
$older$;

-- How far those who follow the feed are: the index of the last change that each is done with. `vestige log --consumer` moves it.
create table if not exists vestige.cursor (
  consumer text collate "C" primary key,
  upto bigint not null,
  at timestamptz not null default pg_catalog.clock_timestamp()
);

-- Which changes an ERASE took values from. parts: key, context, values; separated by commas.
create table if not exists vestige.erased (
  change bigint not null,
  erased bigint not null,
  parts text not null,
  primary key (change, erased)
);
create index if not exists erased_change on vestige.erased (erased);
-- Of the transaction that erased, so that the guards know it at a glance.
alter table vestige.erased add column if not exists xid xid8 not null default pg_catalog.pg_current_xact_id();

-- What each EXPIRE took (docs/decisions/0027): of a table under a class of retention the changes that were made before a moment,
-- in microseconds since 1970; between which ids; how many; SHA-256 over their leaves in the order of the tree.
create table if not exists vestige.expired (
  change bigint primary key,
  tracked int not null,
  class text not null,
  keep text not null,
  horizon bigint not null,
  first_id bigint not null,
  last_id bigint not null,
  changes bigint not null,
  digest bytea not null,
  archive text
);

-- Which entries those are: of bundle n entry i is bit i % 8 of byte i / 8.
create table if not exists vestige.expired_leaves (
  n bigint not null,
  change bigint not null,
  leaves bytea not null,
  primary key (n, change)
);

-- Checkpoints, erasures and expiries stay, for everyone, also under session_replication_role = replica.
do $guards$
declare
  kept text;
begin
  -- The guard of a version before let every checkpoint in.
  drop trigger if exists append_only on vestige.checkpoint;
  foreach kept in array array['checkpoint', 'erased', 'expired', 'expired_leaves'] loop
    continue when exists (select from pg_catalog.pg_trigger
                          where tgrelid = format('vestige.%I', kept)::regclass and tgname = 'append_only');
    execute format('create trigger append_only before %supdate or delete on vestige.%I'
                   ' for each row execute function vestige.refuse()', case kept when 'checkpoint' then 'insert or ' end, kept);
    execute format('alter table vestige.%I enable always trigger append_only', kept);
    execute format('drop trigger if exists never_truncate on vestige.%I', kept);
    execute format('create trigger never_truncate before truncate on vestige.%I'
                   ' for each statement execute function vestige.refuse()', kept);
    execute format('alter table vestige.%I enable always trigger never_truncate', kept);
  end loop;
end
$guards$;

-- The cluster, the database and the trail: xids mean nothing elsewhere, and a trail that was restored in its own place has another oid.
create or replace function vestige.home() returns text language sql stable set search_path = pg_catalog, pg_temp as $$
  select concat_ws('/', s.system_identifier, d.oid, 'vestige.change'::regclass::oid)
  from pg_control_system() s, pg_database d where d.datname = current_database()
$$;

-- Transactions of this database that are not at an end and may have recorded changes, which are sealed when they are. Prepared ones count.
create or replace function vestige.unfinished(below xid8)
returns table (xid text, since timestamptz, what text) language sql volatile set search_path = pg_catalog, pg_temp as $$
  select p.transaction::text, p.prepared, format('prepared transaction %L of %s', p.gid, p.owner)
  from pg_prepared_xacts p
  where p.database = current_database() and p.transaction in (select (x::text::numeric % 4294967296)::text::xid from pg_snapshot_xip(pg_current_snapshot()) x
                          where x < below)
  union all
  select a.backend_xid::text, a.xact_start, format('transaction of %s, process %s%s', a.usename,
    a.pid, case when a.application_name <> '' then format(' (%s)', a.application_name) else '' end)
  from pg_stat_activity a
  where a.datname = current_database() and a.backend_xid in (select (x::text::numeric % 4294967296)::text::xid from pg_snapshot_xip(pg_current_snapshot()) x
                          where x < below)
  order by 2
$$;
