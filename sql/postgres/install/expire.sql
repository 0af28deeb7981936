-- What retention takes away, partition by partition: what stays of one is copied, and the copy takes its place
-- (docs/decisions/0027; vestige/trail/postgres/expirer.cc). Called by the trail's owner alone.

-- Copies what stays of a partition into vestige.expiring, which is nobody's yet. A copy that an interrupted run left goes.
--
-- tables, horizons   which tables' changes go, and which were made before what moment, in microseconds
-- kept               ids of changes that stay all the same
-- returns            how many changes stay
create or replace function vestige.expiring_copy(part regclass, tables int[], horizons bigint[], kept bigint[]) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$  -- pinned: times
declare
  bound record;
  copied bigint;
begin
  if to_regclass('vestige.expiring') is not null then
    drop table vestige.expiring;
  end if;
  perform vestige.partition_table('expiring');
  execute format('insert into vestige.expiring select c.* from only %s c'
                 ' left join unnest($1, $2) h(tracked, horizon) on h.tracked = c.tracked'
                 ' where h.tracked is null or c.at >= to_timestamp(h.horizon / 1000000.0) or c.op in (''E'', ''X'')'
                 ' or c.id in (select unnest($3)) order by c.id', part)
    using tables, horizons, kept;
  get diagnostics copied = row_count;
  -- So that it is not read once more when it takes its place.
  select * into strict bound from vestige.partitions() p where p.relation = part;
  execute format('alter table vestige.expiring add constraint expiring_bound check (%sat < %L)',
                 case when isfinite(bound.from_at) then format('at >= %L and ', bound.from_at) end, bound.upto);
  analyze vestige.expiring;
  return copied;
end
$$;

-- Puts the copy in the place of a partition, or nothing where nothing stays, and drops that. Writers wait for the few
-- milliseconds that this takes; where they are at work it is tried again, `patience` times, and nothing is waited for long.
create or replace function vestige.expiring_swap(part regclass, patience int default 40) returns void language plpgsql
set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$  -- pinned: times
declare
  bound record;
  named name;
begin
  select p.*, c.relname into strict bound from vestige.partitions() p join pg_class c on c.oid = p.relation where p.relation = part;
  named := bound.relname;
  for attempt in 1..patience loop
    begin
      lock table vestige.change in access exclusive mode;
      execute format('alter table vestige.change detach partition %s', part);
      execute format('drop table %s', part);
      if exists (select from vestige.expiring) then
        perform vestige.attach_partition('vestige.expiring', bound.from_at, bound.upto);
        alter table vestige.expiring drop constraint expiring_bound;
        execute format('alter table vestige.expiring rename to %I', named);
      else
        drop table vestige.expiring;
      end if;
      return;
    exception when lock_not_available or deadlock_detected then
      null;  -- somebody reads or writes just there
    end;
    perform pg_sleep(0.05 + random() * 0.2);
  end loop;
  raise exception 'vestige: expire: others used the trail all the time; nothing was taken'
    using errcode = 'lock_not_available', hint = 'run it again';
end
$$;

-- Takes away what no change names any more: contexts, the places of keys, who stands where. Their room is used again.
--
-- returns   how many contexts went
create or replace function vestige.expire_tidy() returns bigint language plpgsql set search_path = pg_catalog, pg_temp
set enable_nestloop = off set jit = off as $$
declare
  gone bigint;
begin
  if to_regclass('vestige.expiring') is not null then
    drop table vestige.expiring;
  end if;
  -- A context that can be seen is of a transaction that is at an end: no further change will name it.
  delete from vestige.context x where vestige.has_expired(x.at) and not exists (select from vestige.change c where c.context = x.id);
  get diagnostics gone = row_count;
  delete from vestige.moved m where vestige.has_expired(m.at) and not exists (select from vestige.change c where c.id = m.change);
  delete from vestige.who w where not exists (select from vestige.change c where (c.id - 1) / 64 = w.block);
  return gone;
end
$$;
