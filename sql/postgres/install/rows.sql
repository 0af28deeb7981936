-- The changes of a row.

-- The changes under one key, before or after, whichever row had it: one search by the key's hash.
create or replace function vestige.changes_under(tracked_id int, key_text text) returns setof vestige.change
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  hash bigint := hashtextextended(key_text, tracked_id);
begin
  return query select c.* from vestige.change c
    where c.key_hash = hash and c.key = key_text and c.tracked = tracked_id;
  if exists (select from vestige.moved v where v.key_hash = hash) then
    return query select c.* from vestige.moved v join vestige.change c on c.id = v.change
        and c.at between v.at - interval '1 day' and v.at + interval '1 day'
      where v.key_hash = hash and c.new_key = key_text and c.key is distinct from key_text and c.tracked = tracked_id;
  end if;
end
$$;

-- The changes of a row, under every key it had, in both directions: one search for a row that never had another key.
--
-- key_text   as it stands in vestige.change.key
create or replace function vestige.row_trail(tracked_id int, key_text text) returns setof vestige.change
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  one vestige.change;
  moves bigint[] := '{}';       -- the changes that gave the row this key, or another
  froms text[] := '{}';
  upto text[] := '{}';
  keys text[] := '{}';
  lows bigint[] := '{}';
  highs bigint[] := '{}';
  k text;
  e record;
  low bigint;
  high bigint;
begin
  for one in select u.* from vestige.changes_under(tracked_id, key_text) u loop
    return next one;
    if one.new_key is not null then
      moves := moves || one.id;
      froms := froms || one.key;
      upto := upto || one.new_key;
    end if;
  end loop;
  for i in 1..cardinality(moves) loop
    if upto[i] = key_text then
      -- Backward: a row that came to have this key by a change, from where it came.
      k := froms[i];
      high := moves[i];
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
    end if;
    if froms[i] = key_text then
      -- Forward: a row that had this key and was given another.
      k := upto[i];
      low := moves[i];
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
    end if;
  end loop;
  if cardinality(keys) > 0 then
    return query select distinct on (o.id) o.*
      from unnest(keys, lows, highs) as s(key, low, high), lateral vestige.changes_under(tracked_id, s.key) o
      where o.id between s.low and s.high and o.key is distinct from key_text and o.new_key is distinct from key_text
      order by o.id;
  end if;
end
$$;

-- Just their ids.
create or replace function vestige.row_changes(tracked_id int, key_text text) returns setof bigint language sql stable
set search_path = pg_catalog, pg_temp as $$ select c.id from vestige.row_trail(tracked_id, key_text) c $$;
create or replace function vestige.key_changes(tracked_id int, key_text text) returns setof bigint language sql stable
set search_path = pg_catalog, pg_temp as $$ select c.id from vestige.changes_under(tracked_id, key_text) c $$;

-- Where a transaction ends for sure: the id of a context of another transaction, later, of the same server process, which
-- runs one at a time. None yet: the end of all ids. So what a transaction did is found without reading all that came after.
create or replace function vestige.tx_end(tx bigint) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  opened vestige.context;
begin
  select x.* into opened from vestige.context x where x.id = tx_end.tx;
  return coalesce((select n.id from (select x.id, x.pid, x.xid from vestige.context x where x.id > tx_end.tx order by x.id offset 0) n
                   where n.pid = opened.pid and n.xid <> opened.xid limit 1), 9223372036854775807);
end
$$;

-- A key as it stands in vestige.change.key, from what somebody typed for each key column.
create or replace function vestige.key_text(tracked_id int, words text[]) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  typed text;
  spelled text;
  out_text text;
begin
  -- As values of the columns' types, and then spelled as capture spells them.
  select string_agg(format('$1[%1$s]%2$s as f%1$s', c ->> 'key', '::' || vestige.plain_type(c ->> 'type')), ', '),
         (vestige.capture_expressions(jsonb_agg(c || jsonb_build_object('name', 'f' || (c ->> 'key'))), true, '', '')).new_key
    into typed, spelled
  from vestige.tracked t join vestige.shape s on s.id = t.shape, jsonb_array_elements(s.columns) c
  where t.id = tracked_id and (c ->> 'key')::int > 0;
  execute format('select %s from (select %s) words', spelled, typed) into out_text using words;
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

-- The recorded columns of a row as it stands now, as a JSON object; null when there is no such row. Columns are taken as they
-- are today, of which the trail may not have heard: what is gone is left out, what has another type is printed by that. A row that a policy hides is no row that is gone.
create or replace function vestige.live_row(tracked_id int, key_text text) returns json language plpgsql stable
set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  t vestige.tracked;
  rel oid;
  columns jsonb;
  keys text;
  key_gone boolean;
  printed text;
  found_row text;
begin
  select * into t from vestige.tracked where id = tracked_id;
  rel := vestige.live_relation(t);
  if rel is null then
    return null;
  end if;
  select jsonb_agg(to_jsonb(l) || jsonb_build_object('key', c -> 'key', 'shown', c -> 'name') order by place) filter (where l.attnum is not null),
         bool_or(l.attnum is null and c ->> 'key' <> '0')
    into columns, key_gone
  from vestige.shape s, jsonb_array_elements(s.columns) with ordinality as i(c, place)
    left join vestige.live_columns(rel) l
      on case when t.relation = rel then l.attnum = (c ->> 'attnum')::int else l.name = c ->> 'name' end
  where s.id = t.shape;
  if key_gone then
    raise exception 'read a row of %.%: a column of its key is gone', t.schema_name, t.table_name
      using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.history shows its changes';
  end if;
  select string_agg(case when plain is null then format('concat(live.%I) collate "C" = $1[%s]', c ->> 'name', c ->> 'key')
                         else format('live.%I = $1[%s]::%s', c ->> 'name', c ->> 'key', plain) end, ' and ') into keys
  from jsonb_array_elements(columns) c, vestige.plain_type(c ->> 'type') plain where (c ->> 'key')::int > 0;
  execute format('select %s from %s as live where %s',
                 (vestige.capture_expressions(columns, false, 'live.', 'live.')).new_row, vestige.quoted_relation(rel), keys)
    into found_row
    using case when keys like '%$1[2]%' then vestige.fields(key_text) else array[key_text] end;
  if found_row is null then
    return null;
  end if;
  select string_agg(to_json(c ->> 'shown') || ':' || vestige.value_json(c ->> 'kind', c ->> 'type', f.value), ',' order by place)
    into printed
  from jsonb_array_elements(columns) with ordinality as i(c, place)
    join unnest(vestige.fields(found_row)) with ordinality as f(value, place) using (place);
  return '{' || printed || '}';
end
$$;
