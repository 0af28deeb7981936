-- Who is found without reading everything: which names stand in which blocks of 64 changes (docs/decisions/0019-who.md). Capture
-- writes nothing of it: index_who does, when the trail is sealed or maintained, and what it has not reached is read as it is.

-- Block b has the changes 64 * b + 1 to 64 * b + 64. name_hash: of who, or of the database's user (name_hash); 0 where any name may
-- stand in the block, since some were erased from it.
create table if not exists vestige.who (
  name_hash bigint not null,
  block bigint not null,
  primary key (name_hash, block)
);

-- How far that is; no row: nothing is indexed. Changes up to `upto` are indexed, all that there will ever be. A transaction has its
-- xid before it takes an id, so when all below next_xid are at an end, there will be no more up to next_upto either. An xid means
-- nothing in another cluster; there, all that came with the trail is at an end.
create table if not exists vestige.who_upto (
  only_row boolean primary key default true check (only_row),
  upto bigint not null default 0,
  next_upto bigint not null default 0,
  next_xid xid8 not null default '0'
);

create or replace function vestige.name_hash(name text, of_user boolean) returns bigint language sql immutable
set search_path = pg_catalog, pg_temp as $$ select hashtextextended(name, of_user::int) $$;

-- Every name in the changes behind one and up to another, with the block. With care also where something that was said is no JSON,
-- which is dear.
create or replace function vestige.names_in(after bigint, upto bigint, care boolean) returns table (name_hash bigint, block bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp set jit = off as $$
begin
  if care then
    return query
      select distinct n.h, s.b
      from (select distinct c.context, c.xid, (c.id - 1) / 64 as b from vestige.change c where c.id > after and c.id <= upto) s
        join vestige.context x on x.id = s.context and x.xid = s.xid
        cross join lateral (values (hashtextextended(coalesce(vestige.given_fields(x.fields) ->> 'actor', x.db_user), 0)),
                                   (hashtextextended(x.db_user, 1))) n(h);
  else
    return query
      select distinct n.h, s.b
      from (select distinct c.context, c.xid, (c.id - 1) / 64 as b from vestige.change c where c.id > after and c.id <= upto) s
        join vestige.context x on x.id = s.context and x.xid = s.xid
        cross join lateral (values (hashtextextended(coalesce(jsonb_strip_nulls(nullif(x.fields, '')::jsonb) ->> 'actor', x.db_user), 0)),
                                   (hashtextextended(x.db_user, 1))) n(h);
  end if;
end
$$;

-- Indexes what can be indexed by now, at most so many blocks; how many are left, 0 also where calling it again would not help yet.
-- Nothing to do, nothing written.
create or replace function vestige.index_who(most int default 8192) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
  last bigint := (select case when s.is_called then s.last_value / 64 * 64 else 0 end from vestige.change_id s);
  begins boolean := pg_current_xact_id_if_assigned() is null;
  w vestige.who_upto;
  was vestige.who_upto;
  wild bigint[];
  upto bigint;
begin
  select max(u.upto), max(u.next_upto) into w.upto, w.next_upto from vestige.who_upto u;
  wild := array(select k.block from vestige.who k where k.name_hash = 0 order by k.block limit 1024);
  -- A snapshot of before the lock may not know what an erasure took.
  if coalesce(w.upto, 0) >= coalesce(w.next_upto, 0) and last <= coalesce(w.next_upto, 0) and wild = '{}' or current_setting('transaction_isolation') <> 'read committed' then
    return 0;
  end if;
  -- Erasures wait, and are waited for. Taking a relation's lock takes no xid.
  lock table vestige.sealer in share row exclusive mode;
  insert into vestige.who_upto default values on conflict do nothing;
  select * into was from vestige.who_upto for update;
  w := was;
  insert into vestige.who select distinct n.name_hash, n.block
    from unnest(wild) b cross join lateral vestige.names_in(b * 64, b * 64 + 64, true) n on conflict do nothing;
  delete from vestige.who k where k.name_hash = 0 and k.block = any (wild);
  upto := least(w.next_upto, w.upto + 64 * most::bigint);
  if upto > w.upto and w.next_xid <= pg_snapshot_xmin(pg_current_snapshot()) then
    begin
      insert into vestige.who select n.name_hash, n.block from vestige.names_in(w.upto, upto, false) n order by 1, 2 on conflict do nothing;
    exception when others then
      insert into vestige.who select n.name_hash, n.block from vestige.names_in(w.upto, upto, true) n order by 1, 2 on conflict do nothing;
    end;
    w.upto := upto;
  end if;
  -- Whoever took one of these ids has an xid below this one, if this one was taken after they were looked at.
  if begins and last > w.next_upto and (w.upto >= w.next_upto or w.next_xid > pg_current_xact_id()) then
    w.next_upto := last;
    w.next_xid := pg_current_xact_id();
  end if;
  if w is not distinct from was then
    return cardinality(wild);
  end if;
  update vestige.who_upto u set upto = w.upto, next_upto = w.next_upto, next_xid = w.next_xid;
  return (w.next_upto - w.upto) / 64 + cardinality(wild);
end
$$;

-- How many changes, about, are not indexed: ids.
create or replace function vestige.who_behind() returns bigint language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  select case when s.is_called then s.last_value else 0 end - coalesce((select u.upto from vestige.who_upto u), 0)
  from vestige.change_id s
$$;

-- The blocks in which somebody may have changed something, from one on; in descending order below it, or in ascending order.
--
-- names, users    any of these; null: not asked for. Where both are, the names decide.
create or replace function vestige.who_blocks(names text[], users text[], from_block bigint, ascending boolean, most int)
returns setof bigint language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
  hashes bigint[] := array(select vestige.name_hash(n, names is null) from unnest(coalesce(names, users)) n union select 0);
begin
  if ascending then
    return query select distinct w.block from unnest(hashes) h cross join lateral (
        select k.block from vestige.who k where k.name_hash = h and k.block >= from_block order by k.block limit most) w
      order by 1 limit most;
  else
    return query select distinct w.block from unnest(hashes) h cross join lateral (
        select k.block from vestige.who k where k.name_hash = h and k.block < from_block order by k.block desc limit most) w
      order by 1 desc limit most;
  end if;
end
$$;

-- The changes in some blocks, of some time: partitions of other times are passed over.
create or replace function vestige.changes_in(blocks bigint[], since timestamptz, until timestamptz) returns setof vestige.change
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
begin
  return query select c.* from unnest(blocks) b cross join lateral (
    select k.* from vestige.change k where k.id > b * 64 and k.id <= b * 64 + 64
      and k.at >= coalesce(since, '-infinity') and k.at < coalesce(until, 'infinity') offset 0) c;
end
$$;

-- Takes the names of some contexts out of the index, before what they say is taken: not even a hash of them stays, which could be
-- found by trying names. Whose name stood there beside them is looked up anew by the next index_who.
create or replace function vestige.forget_names(said bigint[], changes bigint[]) returns void language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
  indexed bigint := (select u.upto from vestige.who_upto u);
begin
  with named as materialized (
    select x.id, vestige.name_hash(vestige.given_fields(x.fields) ->> 'actor', false) as name_hash
    from unnest(said) s join vestige.context x on x.id = s where x.fields is not null
  ), gone as materialized (
    select distinct n.name_hash, (i - 1) / 64 as block from unnest(changes) i
      cross join lateral (select c.context from vestige.change c where c.id = i limit 1) c join named n on n.id = c.context
    where i <= indexed
  )
  delete from vestige.who k using gone g where k.name_hash = g.name_hash and k.block = g.block;
  insert into vestige.who select distinct 0, (i - 1) / 64 from unnest(changes) i where i <= indexed on conflict do nothing;
end
$$;
