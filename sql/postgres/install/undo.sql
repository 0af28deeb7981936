-- Undoes one change, if the row is as the change left it, or else if `anyway`.
--
-- done       applied, nothing (a TRUNCATE, whose rows have changes of their own), conflict: nothing was done
-- conflict   what is not as the change left it; columns: which
-- statement  the SQL that was run, for people to read; notes: columns that could not be put back, and why
create or replace function vestige.undo(change_id bigint, anyway boolean default false, out done text, out conflict text,
  out columns text[], out statement text, out notes text[]) language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  c vestige.change;
  t vestige.tracked;
  rel text;
  old_fields text[];
  new_fields text[];
  live_fields text[];
  live_key text;
  f record;
  keys text := '';
  names text := '';
  places text := '';
  sets text := '';
  selects text := '';
  key_parts text[];
  place_in_live int := 0;
  touched bigint;
  whole boolean;
begin
  select * into c from vestige.change where id = change_id;
  if c.id is null then
    raise exception 'undo: there is no change %', change_id using errcode = 'no_data_found';
  end if;
  select * into t from vestige.tracked where id = c.tracked;
  rel := (select format('%I.%I', n.nspname, r.relname) from pg_class r join pg_namespace n on n.oid = r.relnamespace
          where n.nspname = t.schema_name and r.relname = t.table_name);
  if rel is null then
    raise exception 'undo change %: table %.% is gone', c.id, t.schema_name, t.table_name using errcode = 'undefined_table';
  elsif c.op = 'E' then
    done := 'conflict';
    conflict := 'an erasure cannot be undone';
    return;
  elsif c.op <> 'T' and c.old_row is null and c.new_row is null then
    done := 'conflict';
    conflict := format('its values were erased by change %s', vestige.erased_parts(c.id) ->> 'values');
    return;
  elsif c.op in ('T', 'B') then
    done := 'nothing';
    return;
  elsif c.key is null then
    raise exception 'undo change %: table % is tracked without a key', c.id, rel
      using hint = 'give it a primary key, or track it with a key over a unique constraint';
  end if;
  old_fields := vestige.fields(c.old_row);
  new_fields := vestige.fields(c.new_row);
  live_key := coalesce(c.new_key, c.key);
  whole := (select s.whole from vestige.shape s where s.id = c.shape);
  -- The columns that the change recorded, where they stand today.
  for f in
    select then_.place, then_.item ->> 'name' as name, now_.item ->> 'name' as now_name, now_.item ->> 'type' as type,
           coalesce((now_.item ->> 'key')::int, 0) as key, count(*) filter (where now_.item ->> 'key' <> '0') over () as n_keys,
           a.attgenerated, a.attidentity, old_fields[then_.place] as old, new_fields[then_.place] as new
    from vestige.shape s, jsonb_array_elements(s.columns) with ordinality as then_(item, place)
      left join lateral (select n as item from vestige.shape p, jsonb_array_elements(p.columns) n
                         where p.id = t.shape and n ->> 'id' = then_.item ->> 'id') now_ on true
      left join pg_attribute a on a.attrelid = rel::regclass and a.attname = now_.item ->> 'name' and not a.attisdropped
    where s.id = c.shape order by then_.place
  loop
    if f.now_name is null or f.attgenerated is null then
      if f.old is not null then
        notes := notes || format('%s.%s cannot be put back: the column is gone', rel, f.name);
      end if;
      continue;
    end if;
    if f.key > 0 then
      keys := concat_ws(' and ', nullif(keys, ''), format('live.%I = %s::%s', f.now_name,
        case when f.n_keys = 1 then '$2' else format('(vestige.fields($2))[%s]', f.key) end, f.type));
    end if;
    place_in_live := place_in_live + 1;
    selects := concat_ws(', ', nullif(selects, ''), format('live.%I', f.now_name));
    key_parts := key_parts || jsonb_build_object('place', f.place, 'name', f.now_name, 'type', f.type,
      'generated', f.attgenerated <> '', 'identity', f.attidentity = 'a', 'live', place_in_live)::text;
    if f.attgenerated <> '' then
      continue;
    end if;
    names := concat_ws(', ', nullif(names, ''), quote_ident(f.now_name));
    places := concat_ws(', ', nullif(places, ''), format('%L::%s', f.old, f.type));
    if c.op = 'U' and (f.old is distinct from f.new or f.old is not null and not whole) then
      sets := concat_ws(', ', nullif(sets, ''), format('%I = %L::%s', f.now_name, f.old, f.type));
    end if;
  end loop;
  execute format('select row(%s)::text from %s as live where %s for update', selects, rel, keys) into statement
    using null::text, live_key;
  live_fields := vestige.fields(statement);
  statement := null;
  -- Is the row as the change left it?
  if c.op = 'D' and live_fields is not null then
    conflict := 'a row with this key is there again';
  elsif c.op <> 'D' and live_fields is null then
    conflict := 'the row is gone';
  elsif c.op <> 'D' then
    select array_agg(p ->> 'name'), string_agg(format('%s has changed since: %s expected, %s found', p ->> 'name',
             coalesce(new_fields[(p ->> 'place')::int], 'null'), coalesce(live_fields[(p ->> 'live')::int], 'null')), '; ')
      into columns, conflict
    from (select k::jsonb as p from unnest(key_parts) k) parts
    where live_fields[(p ->> 'live')::int] is distinct from new_fields[(p ->> 'place')::int]
      and (c.op = 'I' or old_fields[(p ->> 'place')::int] is distinct from new_fields[(p ->> 'place')::int]);
  end if;
  if conflict is not null and not (anyway and (c.op = 'D') = (live_fields is null)) then
    done := 'conflict';
    return;
  end if;
  if c.op = 'I' then
    statement := format('delete from %s as live where %s', rel, keys);
  elsif c.op = 'D' then
    statement := format('insert into %s (%s)%s values (%s)', rel, names,
      case when exists (select from unnest(key_parts) k where (k::jsonb ->> 'identity')::boolean)
           then ' overriding system value' else '' end, places);
  elsif sets = '' then
    done := 'nothing';
    return;
  else
    statement := format('update %s as live set %s where %s', rel, sets, keys);
  end if;
  execute statement using null::text, live_key;
  get diagnostics touched = row_count;
  if touched <> 1 then
    raise exception 'undo change %: % rows of % were touched, not one', c.id, touched, rel
      using hint = 'a trigger or a row-level policy of the table stands in the way';
  end if;
  statement := replace(statement, 'vestige.fields($2)', format('vestige.fields(%L)', live_key));
  statement := replace(statement, '$2', quote_literal(live_key));
  done := 'applied';
end
$$;
