-- as_of: rows of a table's type, as they were.

-- How many columns a table's key has.
create or replace function vestige.key_count(t vestige.tracked) returns int language sql stable
set search_path = pg_catalog, pg_temp as $$
  select count(*)::int from jsonb_array_elements((vestige.shape_row(t.shape)).columns) c where c ->> 'key' <> '0'
$$;

-- The SQL that gives a tracked table as it was just after a change: of it, and of each that inherits from it.
--
-- moment         the time that was asked for, if it was one: it says which columns there were
-- typed          rows of the table's type as it is today; else JSON objects
-- after, until   see vestige.past_rows
create or replace function vestige.past_parts(t vestige.tracked, upto bigint, moment timestamptz, typed boolean, after bigint,
                                              until bigint) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  root oid := (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
               where c.relkind in ('r', 'p') and (c.oid = t.relation or n.nspname = t.schema_name and c.relname = t.table_name)
               order by c.oid = t.relation desc limit 1);
  then_shape vestige.shape;
  part vestige.tracked;
  part_shape vestige.shape;
  rel oid;
  wanted jsonb;
  parts text[] := '{}';
begin
  if typed and root is null then
    raise exception 'as_of: %.% is not a table any more', t.schema_name, t.table_name using errcode = 'wrong_object_type',
      hint = 'vestige at, and vestige.history, show what it was';
  end if;
  for rel in
    with recursive tree as (
      select root as oid union
      select i.inhrelid from tree join pg_class c on c.oid = tree.oid and c.relkind = 'r' join pg_inherits i on i.inhparent = tree.oid)
    select oid from tree
  loop
    part := case when rel is not distinct from root then t else vestige.tracked_table(rel, 'read ' || root::regclass) end;
    part_shape := vestige.shape_row(part.shape);
    -- The shape that was in force: the first one, when that was before tracking.
    select s.* into then_shape from vestige.shape s where s.tracked = part.id
    order by (s.at <= moment or s.since < upto) is true desc,
             case when s.at <= moment or s.since < upto then -s.id else s.id end limit 1;
    if typed then
      -- The columns of today: which of them were recorded then, or were at least there.
      select jsonb_agg(jsonb_build_object('live', m.attnum, 'shown', a.attname, 'type', x.item ->> 'type', 'kind',
               case when x.item is null and l.virtual is false and not m.left_out then 'unnoticed' else x.item ->> 'kind' end,
               'id', case when exists (
                 select from vestige.shape s, jsonb_array_elements(s.columns) c
                 where s.tracked = part.id and c ->> 'id' = x.item ->> 'id'
                   and (s.id = then_shape.id or s.at <= moment or s.since < upto)) then (x.item ->> 'id')::int end)
             order by a.attnum)
        into wanted
      from pg_attribute a
        join lateral (
          select b.attnum, case when jsonb_array_length(coalesce(part.policy -> 'include', '[]')) > 0
                                then not part.policy -> 'include' ? b.attname::text
                                else coalesce(part.policy -> 'exclude' ? b.attname::text, false) end as left_out
          from pg_attribute b where b.attrelid = rel and b.attname = a.attname and b.attnum > 0) m on true
        left join lateral (
          select c as item from jsonb_array_elements(part_shape.columns) c
          where case when part.relation = rel then (c ->> 'attnum')::int = m.attnum else c ->> 'name' = a.attname end) x on true
        left join vestige.live_columns(rel) l on l.attnum = m.attnum
      where a.attrelid = root and a.attnum > 0 and not a.attisdropped;
    else
      -- The columns of that time, under the names of today.
      select jsonb_agg(jsonb_build_object('id', (c ->> 'id')::int, 'live', a.attnum, 'shown', coalesce(x.item ->> 'name', c ->> 'name'),
               'type', coalesce(x.item ->> 'type', c ->> 'type'), 'kind', coalesce(x.item ->> 'kind', c ->> 'kind')) order by i.place)
        into wanted
      from jsonb_array_elements(then_shape.columns) with ordinality as i(c, place)
        left join lateral (select n as item from jsonb_array_elements(part_shape.columns) n where n ->> 'id' = c ->> 'id') x on true
        left join pg_attribute a on a.attrelid = rel and not a.attisdropped
          and case when part.relation = rel then a.attnum = (x.item ->> 'attnum')::int else a.attname = x.item ->> 'name' end;
    end if;
    parts := parts || vestige.past_rows(part, upto, rel, wanted, case when typed then root end, after, until);
  end loop;
  return parts;
end
$$;

-- The same as one query: rows of the table's type, or JSON objects in key order.
create or replace function vestige.past_table(t vestige.tracked, upto bigint, moment timestamptz, typed boolean) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  parts text[] := vestige.past_parts(t, upto, moment, typed, null, null);
  n_keys int := vestige.key_count(t);
begin
  if typed then
    return array_to_string(parts, E'\nunion all\n');
  end if;
  return format(E'select json from (\n%s) r(json%s) order by %s', array_to_string(parts, E'\nunion all\n'),
                (select string_agg(', key' || i, '' order by i) from generate_series(1, n_keys) i),
                (select string_agg('key' || i, ', ' order by i) from generate_series(1, n_keys) i));
end
$$;

-- The SQL that gives the rows that were touched between two moments and differ, as JSON objects, the earlier and the later; null
-- where there was none; in key order.
--
-- early_at, late_at   the times that were asked for, if they were times
create or replace function vestige.past_differences(t vestige.tracked, early bigint, early_at timestamptz, late bigint,
                                                    late_at timestamptz) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  earlier text[] := vestige.past_parts(t, early, early_at, false, early, late);
  later text[] := vestige.past_parts(t, late, late_at, false, early, late);
  keys text[] := array(select 'key' || i from generate_series(1, vestige.key_count(t)) i);
  parts text[] := '{}';
begin
  -- Of changes that were just made the server knows no numbers: it would look at all of them for each row. What runs the query
  -- runs it in this session.
  perform set_config('enable_nestloop', 'off', false);
  for i in 1 .. cardinality(earlier) loop
    parts := parts || format(E'select e.json, l.json, %1$s\nfrom (%2$s) e(json, %3$s)\nfull join (%4$s) l(json, %3$s)\n  on %5$s'
                             '\nwhere e.json is distinct from l.json and ''?'' is distinct from e.json and ''?'' is distinct from l.json',
      (select string_agg(format('coalesce(e.%1$s, l.%1$s)', k), ', ') from unnest(keys) k), earlier[i], array_to_string(keys, ', '),
      later[i], (select format('array[%s] = array[%s]', string_agg(format('e.%s::text collate "C"', k), ', '),
                               string_agg(format('l.%s::text collate "C"', k), ', ')) from unnest(keys) k));
  end loop;
  return format(E'select early, late from (\n%s) r(early, late, %s) order by %2$s', array_to_string(parts, E'\nunion all\n'),
                array_to_string(keys, ', '));
end
$$;

-- Refuses to make rows of a table's type where that calls functions of the application, which would run with the rights of
-- whoever asks.
create or replace function vestige.check_makes_rows(rel oid, verb text) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  found record;
begin
  select a.attname, format_type(a.atttypid, null) as type into found
  from pg_class c join pg_attribute a on a.attrelid = c.oid
  where c.oid = rel and a.attnum > 0 and not a.attisdropped and vestige.runs_functions(a.atttypid)
    and c.relowner <> (select r.oid from pg_roles r where r.rolname = current_user) limit 1;
  if found is not null then
    raise exception '%: a value of column % is made by functions that belong to type %', verb, found.attname, found.type
      using errcode = 'insufficient_privilege',
            hint = 'they would run with your rights; ask as the table''s owner, or by vestige at, which makes no values';
  end if;
end
$$;

-- Refuses to say what a table was before what has expired.
create or replace function vestige.check_expired(tracked_id int, upto bigint, moment timestamptz, verb text, shown text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  e record;
begin
  select x.*, to_timestamp(x.horizon / 1000000.0) as before into e from vestige.expired x where x.tracked = tracked_id
  order by x.horizon desc limit 1;
  if e.change is not null and (moment < e.before or moment is null and upto < e.last_id) then
    raise exception '%: what was recorded of % before % has expired', verb, shown, e.before using errcode = 'no_data_found',
      hint = format('change %s (EXPIRE) took it: %s, kept for %s', e.change, e.class, e.keep);
  end if;
end
$$;

-- A table's rows as they were just after a change, as rows of the table as it is today: a column that was not there is
-- null, and so is one that is not recorded. Of a table that inherits, the rows of those that inherit from it, too.
create or replace function vestige.as_of_change(kind anyelement, change bigint) returns setof anyelement language plpgsql stable
rows 100000 set search_path = pg_catalog, pg_temp set work_mem = '64MB' set jit = off
set max_parallel_workers_per_gather = 0 as $$  -- pinned: values
declare
  rel oid := (select typrelid from pg_type where oid = pg_typeof(kind));
  t vestige.tracked;
begin
  if not exists (select from vestige.change c where c.id = change) then
    raise exception 'as_of_change: there is no change %', change using errcode = 'no_data_found';
  end if;
  perform vestige.check_makes_rows(rel, 'as_of_change');
  t := vestige.tracked_table(rel, 'as_of_change');
  perform vestige.check_expired(t.id, change, null, 'as_of_change', rel::regclass::text);
  perform vestige.warn_of_gaps(t.id, change, 'as_of_change', rel::regclass::text);
  return query execute vestige.past_table(t, change, null, true);
end
$$;

-- The same at a time: select * from vestige.as_of(null::accounts, '2026-01-01').
create or replace function vestige.as_of(kind anyelement, moment timestamptz) returns setof anyelement language plpgsql stable
rows 100000 set search_path = pg_catalog, pg_temp set work_mem = '64MB' set jit = off
set max_parallel_workers_per_gather = 0 as $$  -- pinned: values
declare
  rel oid := (select typrelid from pg_type where oid = pg_typeof(kind) and typtype = 'c');
  t vestige.tracked;
  upto bigint;
begin
  if rel is null or moment is null then
    raise exception 'as_of: a row of a table and a time are needed' using errcode = 'invalid_parameter_value',
      hint = 'select * from vestige.as_of(null::accounts, ''2026-01-01'')';
  end if;
  t := vestige.tracked_table(rel, 'as_of');
  perform vestige.check_makes_rows(rel, 'as_of');
  if moment < t.tracked_at then
    raise warning 'as_of: % is tracked since %: what was not recorded is shown as it was then', rel::regclass, t.tracked_at;
  elsif t.untracked_at is not null then
    raise warning 'as_of: % is not tracked since %: later changes are not known', rel::regclass, t.untracked_at;
  end if;
  upto := vestige.change_at(moment);
  perform vestige.check_expired(t.id, upto, moment, 'as_of', rel::regclass::text);
  perform vestige.warn_of_gaps(t.id, upto, 'as_of', rel::regclass::text);
  return query execute vestige.past_table(t, upto, moment, true);
end
$$;
