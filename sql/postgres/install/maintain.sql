-- Partitions of vestige.change: made ahead, so that the default one stays empty; it takes what comes when nobody did.

-- What maintain does when nothing else is said; month, week or day.
insert into vestige.meta values ('partition_width', 'month') on conflict do nothing;

-- What went wrong where nobody could be told, because the application's statement must not fail for it. `doctor` says it.
create table if not exists vestige.note (at timestamptz not null default clock_timestamp(), message text not null);

-- The partitions, the default one apart, and the times from which and up to which they hold changes.
create or replace function vestige.partitions() returns table (relation regclass, from_at timestamptz, upto timestamptz)
language sql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: times
  select c.oid::regclass, case m[1] when 'MINVALUE' then '-infinity' else trim(m[1], '''') end::timestamptz,
         trim(m[2], '''')::timestamptz
  from pg_inherits i join pg_class c on c.oid = i.inhrelid,
    regexp_match(pg_get_expr(c.relpartbound, c.oid), E'^FOR VALUES FROM \\((.*)\\) TO \\((.*)\\)$') m
  where i.inhparent = 'vestige.change'::regclass and m is not null
  order by 2
$$;

-- A name for the partition of the changes from a time on.
create or replace function vestige.partition_name(from_at timestamptz) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: times
declare
  stem text := 'change_' || to_char(case when isfinite(from_at) then from_at else clock_timestamp() end, 'YYYYMMDD');
  named text := stem;
begin
  for again in 2..1000 loop
    exit when to_regclass(format('vestige.%I', named)) is null;
    named := format('%s_%s', stem, again);
  end loop;
  return named;
end
$$;

-- A new table of the kind that partitions are.
create or replace function vestige.partition_table(named text) returns regclass language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  execute format('create table vestige.%I (like vestige.change including all)', named);
  -- A publication for all tables asks for it (rights.sql); PostgreSQL does not copy it.
  execute format('alter table vestige.%I replica identity full', named);
  perform vestige.keep_to_owner(format('vestige.%I', named)::regclass);
  return format('vestige.%I', named)::regclass;
end
$$;

-- Makes a table the partition that holds [from_at, upto), guarded as all of history is. PostgreSQL looks at its rows,
-- and at those of the default partition.
create or replace function vestige.attach_partition(part regclass, from_at timestamptz, upto timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$  -- pinned: times
begin
  execute format('alter table vestige.change attach partition %s for values from (%s) to (%L)', part,
                 case when from_at = '-infinity' then 'minvalue' else quote_literal(from_at) end, upto);
  perform vestige.guard_partition(part);
end
$$;

-- Row triggers come to a partition by themselves; one that sees TRUNCATE does not.
create or replace function vestige.guard_partition(part regclass) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if not exists (select from pg_trigger where tgrelid = part and tgname = 'never_truncate') then
    execute format('create trigger never_truncate before truncate on %s'
                   ' for each statement execute function vestige.refuse()', part);
  end if;
  if exists (select from pg_trigger where tgrelid = part and tgname in ('never_truncate', 'append_only')
             and tgenabled <> 'A') then
    execute format('alter table %1$s enable always trigger append_only', part);
  end if;
  execute format('alter table %s enable always trigger never_truncate', part);
end
$$;

-- The rows that landed in the default partition get a place of their own: it is taken out with them, becomes the
-- partition of their time, and a new one takes its place. Nothing is copied and nothing deleted, unless a clock was wrong.
create or replace function vestige.split_default() returns setof text language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: times
declare
  part regclass := 'vestige.change_default'::regclass;
  edge timestamptz;
  upper_end timestamptz;
  earliest timestamptz;
  latest timestamptz;
  gap record;
  piece regclass;
  taken bigint;
  held bigint;
begin
  lock table vestige.change in access exclusive mode;
  edge := coalesce((select max(upto) from vestige.partitions()), '-infinity');
  upper_end := clock_timestamp();
  alter table vestige.change detach partition vestige.change_default;
  execute format('alter table vestige.change_default rename to %I', vestige.partition_name(edge));
  perform vestige.partition_table('change_default');
  alter table vestige.change attach partition vestige.change_default default;
  perform vestige.guard_partition('vestige.change_default');
  begin
    perform vestige.attach_partition(part, edge, upper_end);
    return next format('what was in the default partition is partition %s now', part);
    return;
  exception when check_violation or invalid_object_definition then
    null;  -- a clock was wrong: some rows belong before, or after
  end;
  execute format('select count(*), min(at), max(at) from %s', part) into held, earliest, latest;
  for gap in
    select lag(upto, 1, '-infinity') over (order by from_at) as from_at, from_at as upto from vestige.partitions()
    union all select edge, greatest(upper_end, latest + interval '1 microsecond', edge + interval '1 microsecond')
  loop
    continue when gap.from_at >= gap.upto;
    piece := vestige.partition_table(vestige.partition_name(greatest(gap.from_at, earliest)));
    execute format('insert into %s select * from %s where at >= $1 and at < $2', piece, part) using gap.from_at, gap.upto;
    get diagnostics taken = row_count;
    held := held - taken;
    if taken = 0 then
      execute format('drop table %s', piece);
    else
      perform vestige.attach_partition(piece, gap.from_at, gap.upto);
      return next format('%s changes of the default partition are in partition %s now', taken, piece);
    end if;
  end loop;
  if held <> 0 then
    raise exception 'vestige: maintain: % changes of the default partition belong to no time', held;
  end if;
  execute format('drop table %s', part);
end
$$;

-- Gives partitions of tracked tables the trigger that sees their TRUNCATE, where the trail's owner owns the tables too.
-- Without event triggers nobody else does, but doctor --fix.
create or replace function vestige.see_truncates() returns setof text language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  part record;
begin
  for part in
    select t.id, p.relid, c.oid::regclass as shown from vestige.tracked t join pg_class r on r.oid = t.relation and r.relkind = 'p'
      cross join lateral pg_partition_tree(t.relation) p join pg_class c on c.oid = p.relid and c.relkind in ('r', 'p')
    where t.untracked_at is null and p.relid <> t.relation and pg_has_role(c.relowner, 'usage')
      and not exists (select from pg_trigger g where g.tgrelid = p.relid and g.tgname = '0_vestige_truncate')
  loop
    begin
      perform vestige.make_trigger(part.id, part.shown, '0_vestige_truncate');
      execute format('alter table %s enable always trigger "0_vestige_truncate"', part.shown);
      insert into vestige.note (message)
      values (format('partition %s had no trigger for TRUNCATE: if it was truncated alone before this, that is not in the trail',
                     part.shown));
      return next format('partition %s records its TRUNCATE from now on', part.shown);
    exception when lock_not_available or deadlock_detected or insufficient_privilege or object_in_use then
      null;  -- the next time
    end;
  end loop;
end
$$;

-- Looks at the parts of tracked tables, where no event trigger did.
create or replace function vestige.see_parts() returns setof text language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  rel oid;
begin
  for t in select k.* from vestige.tracked k join pg_class c on c.oid = k.relation
           where k.untracked_at is null and (c.relkind = 'p' or c.relhassubclass
                                             or exists (select from vestige.part p where p.tracked = k.id)) loop
    rel := vestige.live_relation(t);
    continue when rel is null or not exists (select from vestige.moved_parts(t, rel));
    begin
      perform from vestige.tracked k where k.id = t.id for update skip locked;
      continue when not found;
      return query select format('%s: %s', vestige.shown_name(t.schema_name, t.table_name), l)
        from vestige.look_at_parts(t.id, rel, false) l;
    exception when lock_not_available or deadlock_detected or insufficient_privilege or object_in_use then
      null;  -- the next time
    end;
  end loop;
end
$$;

-- Makes the partitions that are missing for this period and the two after it. A row that is written meanwhile is not
-- waited for long: what cannot be had soon is tried again, `patience` times.
--
-- returns   a line for each thing done; nothing, and at no cost, when nothing was to do
-- fails     lock_not_available: others used the trail all the time. Nothing was done, and no write fails for it.
create or replace function vestige.maintain(patience int default 20) returns setof text language plpgsql security definer
set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$  -- pinned: times
declare
  width text := (select value from vestige.meta where name = 'partition_width');
  period interval;
  edge timestamptz;
  horizon timestamptz;
  next_edge timestamptz;
  part regclass;
  done text[];
begin
  if coalesce(width, '') not in ('month', 'week', 'day') then
    raise exception 'vestige: maintain: partition_width is %', coalesce(width, 'missing')
      using errcode = 'invalid_parameter_value', hint = 'in vestige.meta; it is month, week or day';
  end if;
  begin
    perform vestige.index_who();
  exception when lock_not_available or deadlock_detected then
    null;  -- the next time
  end;
  -- An extension's table keeps its one partition: PostgreSQL could not restore a dump of others.
  if exists (select from pg_depend where classid = 'pg_class'::regclass and objid = 'vestige.change'::regclass and deptype = 'e') then
    return;
  end if;
  period := ('1 ' || width)::interval;
  horizon := date_trunc(width, clock_timestamp()) + 3 * period;
  delete from vestige.note where at < clock_timestamp() - interval '90 days';
  return query select vestige.see_truncates();
  return query select vestige.see_parts();
  if not exists (select from vestige.change_default) and (select max(upto) from vestige.partitions()) >= horizon then
    return;
  end if;
  for attempt in 1..patience loop
    done := '{}';
    begin
      perform from vestige.meta where name = 'partition_width' for update;
      if exists (select from vestige.change_default) then
        done := array(select vestige.split_default());
      end if;
      loop
        edge := (select max(upto) from vestige.partitions());
        exit when edge >= horizon;
        next_edge := date_trunc(width, greatest(edge, clock_timestamp())) + period;
        part := vestige.partition_table(vestige.partition_name(coalesce(edge, date_trunc(width, clock_timestamp()))));
        perform vestige.attach_partition(part, coalesce(edge, '-infinity'), next_edge);
        done := done || format('made partition %s, up to %s', part, to_char(next_edge, 'YYYY-MM-DD'));
      end loop;
      return query select unnest(done);
      return;
    exception when lock_not_available or deadlock_detected or check_violation then
      null;  -- somebody reads or writes just there
    end;
    perform pg_sleep(0.05 + random() * 0.2);
  end loop;
  raise exception 'vestige: maintain: others used the trail all the time; nothing was done'
    using errcode = 'lock_not_available', hint = 'call it again; meanwhile changes go to the default partition';
end
$$;
