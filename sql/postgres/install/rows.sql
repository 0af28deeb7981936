-- The changes of a row.

-- The ids of the changes of a row, under every key it had, in both directions.
--
-- key_text   as it stands in vestige.change.key
create or replace function vestige.row_changes(tracked_id int, key_text text) returns setof bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  keys text[] := array[key_text];
  lows bigint[] := array[0::bigint];
  highs bigint[] := array[9223372036854775807];
  k text;
  m record;
  e record;
  low bigint;
  high bigint;
begin
  if key_text is null then
    return;
  end if;
  -- Backward: every row that came to have this key by a change, from where it came.
  for m in
    select c.id, c.key from vestige.moved v join vestige.change c on c.id = v.change and c.at between v.at - interval '1 day'
      and v.at + interval '1 day'
    where v.key_hash = hashtextextended(key_text, tracked_id) and c.new_key = key_text and c.tracked = tracked_id
  loop
    k := m.key;
    high := m.id;
    loop
      select c.id, c.op, c.key, c.new_key into e from vestige.change c
      where c.id < high and c.tracked = tracked_id
        and (c.key_hash = hashtextextended(k, tracked_id) and c.key = k and c.op in ('I', 'B')
          or c.id in (select change from vestige.moved where key_hash = hashtextextended(k, tracked_id)) and c.new_key = k)
      order by c.id desc limit 1;
      low := coalesce(e.id, 0);
      keys := keys || k;
      lows := lows || low;
      highs := highs || high;
      exit when e.id is null or e.new_key is null;
      k := e.key;
      high := e.id;
    end loop;
  end loop;
  -- Forward: every row that had this key and was given another.
  for m in
    select c.id, c.new_key from vestige.change c
    where c.key_hash = hashtextextended(key_text, tracked_id) and c.key = key_text and c.tracked = tracked_id
      and c.new_key is not null
  loop
    k := m.new_key;
    low := m.id;
    loop
      select c.id, c.new_key into e from vestige.change c
      where c.id > low and c.key_hash = hashtextextended(k, tracked_id) and c.key = k and c.tracked = tracked_id
        and (c.op = 'D' or c.new_key is not null)
      order by c.id limit 1;
      keys := keys || k;
      lows := lows || low;
      highs := highs || coalesce(e.id, 9223372036854775807);
      exit when e.id is null or e.new_key is null;
      k := e.new_key;
      low := e.id;
    end loop;
  end loop;
  return query
    select distinct c.id from unnest(keys, lows, highs) as s(key, low, high)
      join vestige.change c on c.key_hash = hashtextextended(s.key, tracked_id) and c.key = s.key and c.tracked = tracked_id
    where c.id between s.low and s.high
    union
    select c.id from unnest(keys, lows, highs) as s(key, low, high)
      join vestige.moved v on v.key_hash = hashtextextended(s.key, tracked_id)
      join vestige.change c on c.id = v.change and c.new_key = s.key and c.tracked = tracked_id
    where c.id between s.low and s.high;
end
$$;

-- A key as it stands in vestige.change.key, from what somebody typed for each key column.
create or replace function vestige.key_text(tracked_id int, words text[]) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  casts text;
  out_text text;
begin
  select string_agg(format('$1[%s]::%s', c ->> 'key', c ->> 'type'), ', ' order by (c ->> 'key')::int) into casts
  from vestige.tracked t join vestige.shape s on s.id = t.shape, jsonb_array_elements(s.columns) c
  where t.id = tracked_id and (c ->> 'key')::int > 0;
  if cardinality(words) = 1 then
    execute format('select (%s)::text', casts) into out_text using words;
  else
    execute format('select row(%s)::text', casts) into out_text using words;
  end if;
  return out_text;
end
$$;

-- The same key as a JSON object.
create or replace function vestige.key_json(tracked_id int, key_text text) returns json language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  parts text[] := array[key_text];
  one record;
  printed text;
begin
  for one in
    select c ->> 'name' as name, c ->> 'kind' as kind, c ->> 'type' as type, (c ->> 'key')::int as place, count(*) over () as n
    from vestige.tracked t join vestige.shape s on s.id = t.shape, jsonb_array_elements(s.columns) c
    where t.id = tracked_id and (c ->> 'key')::int > 0 order by (c ->> 'key')::int
  loop
    if one.place = 1 and one.n > 1 then
      parts := vestige.fields(key_text);
    end if;
    printed := concat_ws(',', printed, to_json(one.name) || ':' || vestige.value_json(one.kind, one.type, parts[one.place]));
  end loop;
  return '{' || coalesce(printed, '') || '}';
end
$$;

-- The recorded columns of a row as it stands now, as a JSON object; null when there is no such row.
create or replace function vestige.live_row(tracked_id int, key_text text) returns json language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  keys text;
  printed text;
  found_row text;
begin
  select * into t from vestige.tracked where id = tracked_id;
  select * into s from vestige.shape where id = t.shape;
  select string_agg(format('live.%I = $1[%s]::%s', c ->> 'name', c ->> 'key', c ->> 'type'), ' and ') into keys
  from jsonb_array_elements(s.columns) c where (c ->> 'key')::int > 0;
  if not exists (select from pg_class r join pg_namespace n on n.oid = r.relnamespace
                 where n.nspname = t.schema_name and r.relname = t.table_name) then
    return null;
  end if;
  execute format('select %s from %I.%I as live where %s',
                 (vestige.expressions(s.columns, false, 'live.', 'live.')).new_row, t.schema_name, t.table_name, keys)
    into found_row
    using case when keys like '%$1[2]%' then vestige.fields(key_text) else array[key_text] end;
  if found_row is null then
    return null;
  end if;
  select string_agg(to_json(c ->> 'name') || ':' || vestige.value_json(c ->> 'kind', c ->> 'type', f.value), ',' order by place)
    into printed
  from jsonb_array_elements(s.columns) with ordinality as i(c, place)
    join unnest(vestige.fields(found_row)) with ordinality as f(value, place) using (place);
  return '{' || printed || '}';
end
$$;

-- The ids of the changes under one key, before or after, whichever row had it.
create or replace function vestige.key_changes(tracked_id int, key_text text) returns setof bigint language sql stable
set search_path = pg_catalog, pg_temp as $$
  select c.id from vestige.change c
  where c.key_hash = hashtextextended(key_text, tracked_id) and c.key = key_text and c.tracked = tracked_id
  union
  select c.id from vestige.moved v join vestige.change c on c.id = v.change
  where v.key_hash = hashtextextended(key_text, tracked_id) and c.new_key = key_text and c.tracked = tracked_id
$$;
