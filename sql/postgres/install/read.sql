-- What was recorded, in words.

-- The fields of a row's text, as PostgreSQL prints a composite value: null, or the text of the value.
-- The planner may call it with what is no row, where a CASE would not: PostgreSQL 18 does.
create or replace function vestige.fields(printed text) returns text[] language plpgsql immutable strict parallel safe
set search_path = pg_catalog, pg_temp as $$
declare
  body text := substr(printed, 2, greatest(length(printed) - 2, 0));
begin
  if strpos(body, '"') = 0 then
    return case when body = '' then array[null]::text[] else string_to_array(body, ',', '') end;
  end if;
  return array(
    select case when m[1] is not null then replace(replace(m[1], '""', '"'), E'\\\\', E'\\') else nullif(m[2], '') end
    from regexp_matches(body || ',', E'(?:"((?:[^"\\\\]|""|\\\\\\\\)*)"|([^,"]*)),', 'g') as m);
end
$$;

-- The server's own type behind a column's: a domain's checks are nothing that a reader runs. Null for every other type: its
-- casts may be anybody's functions, and its values are shown as their text.
create or replace function vestige.plain_type(type text) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  with recursive t as (
    select y.oid, y.typtype, y.typbasetype, y.typnamespace, y.typtypmod, plain_type.type as spelled
    from pg_type y where y.oid = to_regtype(plain_type.type)
    union all
    select y.oid, y.typtype, y.typbasetype, y.typnamespace, y.typtypmod, format_type(y.oid, t.typtypmod)
    from t join pg_type y on y.oid = t.typbasetype where t.typtype = 'd')
  select spelled from t where typtype in ('b', 'r', 'm') and typnamespace = 'pg_catalog'::regnamespace
$$;

-- A value as to_jsonb gives it, by way of its type; its text, when the type is gone or means something else now.
create or replace function vestige.cast_json(type text, value text) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  plain text := vestige.plain_type(type);
  printed text;
begin
  if plain is null then
    return to_json(value)::text;
  end if;
  execute format('select to_jsonb($1::%s)', plain) into printed using value;
  return printed;
exception when others then
  return to_json(value)::text;
end
$$;

-- A value as JSON: what to_jsonb gives, where that keeps every digit; else its text. Of kind unrecorded is one that was too large
-- (large.sql), of kind redacted one that the policy keeps out of the trail (expressions.sql),
-- of kind encrypted a token (encrypt.sql).
create or replace function vestige.value_json(kind text, type text, value text) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if kind = 'unrecorded' then
    return '{"$unrecorded":true}';
  elsif kind = 'redacted' then
    return '{"$redacted":true}';
  elsif value is null then
    return 'null';
  elsif kind = 'encrypted' then
    return case when value like '-%' then '{"$redacted":true}' else format('{"$encrypted":"%s"}', value) end;
  elsif kind = 'number' and value ~ '^-?[0-9]' or kind = 'json' then
    return value;
  elsif kind = 'boolean' then
    return case when value in ('t', 'true') then 'true' else 'false' end;
  elsif kind = 'time' and value ~ '^[0-9]' then
    return to_json(regexp_replace(regexp_replace(value, '([+-][0-9][0-9])( BC)?$', E'\\1:00\\2'), ' (?=[0-9])', 'T'))::text;
  elsif kind = 'cast' and value like '{%' then
    return vestige.cast_json(type, value);
  end if;
  return to_json(value)::text;
end
$$;

-- A table's name in what people read: with its schema, if that is not public. What has a dot or a quote in it is quoted,
-- so that no two tables look alike.
create or replace function vestige.shown_name(schema_name name, table_name name) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case when schema_name || table_name !~ '[."]'
    then case when schema_name = 'public' then table_name::text else schema_name || '.' || table_name end
    else (select string_agg(case when part ~ '[."]' then '"' || replace(part, '"', '""') || '"' else part end, '.' order by place)
          from unnest(array[schema_name::text, table_name::text]) with ordinality as p(part, place)
          where place = 2 or part <> 'public') end
$$;

-- Which parts of a change were erased, and by which ERASE: {"values": 1300}; null when none were.
create or replace function vestige.erased_parts(change_id bigint) returns json language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select json_object_agg(split_part(p.part, '=', 1), e.change order by e.change, p.place)
          from vestige.erased e, unnest(string_to_array(e.parts, ',')) with ordinality as p(part, place)
          where e.erased = change_id);
end
$$;

-- From how many changes an ERASE took parts; how many an EXPIRE took.
create or replace function vestige.erases(erase bigint) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((select e.changes from vestige.expired e where e.change = erase),
                  (select count(*) from vestige.erased e where e.change = erase));
end
$$;

-- The rows of a change as JSON objects, in the order of the columns, under the names that they have today.
create or replace function vestige.decode(c vestige.change, out key json, out new_key json, out old_values json,
  out new_values json, out changed_fields text[]) language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  old_fields text[] := vestige.fields(c.old_row);
  new_fields text[] := vestige.fields(c.new_row);
  old_parts text[] := '{}';
  new_parts text[] := '{}';
  old_keys text[] := '{}';
  new_keys text[] := '{}';
  key_fields text[];
  new_key_fields text[];
  f record;
  s vestige.shape;
  t vestige.tracked;
  today jsonb;                   -- the columns under their names of today, if the shape is an older one
  whole boolean;
  show_all boolean;
  changed boolean;
  gone boolean := c.key is null and c.old_row is null and c.new_row is null and c.op not in ('T', 'E', 'X');
begin
  if gone then
    gone := coalesce(vestige.erased_parts(c.id) ->> 'key' is not null, false);
  end if;
  select x.* into s from vestige.shape x where x.id = c.shape;
  select x.* into t from vestige.tracked x where x.id = c.tracked;
  whole := s.whole;
  show_all := whole and t.policy ->> 'capture' = 'full';
  if t.shape <> c.shape then
    today := (select x.columns from vestige.shape x where x.id = t.shape);
  end if;
  for f in
    select i.place, case when i.item ? 'redacted' then 'redacted' when i.item ? 'encrypted' then 'encrypted' else i.item ->> 'kind' end as kind, i.item ->> 'type' as type, (i.item ->> 'key')::int as key,
           coalesce((i.item ->> 'left_out')::int, 0) as left_out,
           coalesce((select n ->> 'name' from jsonb_array_elements(today) n where n -> 'id' = i.item -> 'id'), i.item ->> 'name') as name
    from jsonb_array_elements(s.columns) with ordinality as i(item, place)
  loop
    if f.key > 0 then
      if f.key = 1 then
        key_fields := array[c.key];
        new_key_fields := array[c.new_key];
      end if;
      old_keys := old_keys || f.name;
      new_keys := new_keys || concat(f.kind, E'\n', f.type);
    end if;
    changed := c.op <> 'U' or old_fields[f.place] is distinct from new_fields[f.place]
               or old_fields[f.place] is not null and not whole or f.left_out > 0;
    if changed and c.op = 'U' then
      changed_fields := changed_fields || f.name;
    end if;
    if changed and c.old_row is not null then
      old_parts := old_parts || (to_json(f.name) || ':' || vestige.value_json(
        case when f.left_out & 1 = 1 then 'unrecorded' else f.kind end, f.type, old_fields[f.place]));
    end if;
    if c.new_row is not null and (changed or show_all) then
      new_parts := new_parts || (to_json(f.name) || ':' || vestige.value_json(
        case when f.left_out & 2 = 2 then 'unrecorded' else f.kind end, f.type, new_fields[f.place]));
    end if;
  end loop;
  old_values := case when c.old_row is null then null else '{' || array_to_string(old_parts, ',') || '}' end;
  new_values := case when c.new_row is null then null else '{' || array_to_string(new_parts, ',') || '}' end;
  if cardinality(old_keys) > 1 then
    key_fields := vestige.fields(c.key);
    new_key_fields := vestige.fields(c.new_key);
  end if;
  key := '{' || coalesce((select string_agg(to_json(old_keys[i]) || ':' || vestige.value_json(split_part(new_keys[i], E'\n', 1),
           split_part(new_keys[i], E'\n', 2), key_fields[i]), ',' order by i)
         from generate_subscripts(old_keys, 1) i where c.op not in ('T', 'E', 'X') and not gone), '') || '}';
  if c.new_key is not null then
    new_key := '{' || (select string_agg(to_json(old_keys[i]) || ':' || vestige.value_json(split_part(new_keys[i], E'\n', 1),
           split_part(new_keys[i], E'\n', 2), new_key_fields[i]), ',' order by i)
         from generate_subscripts(old_keys, 1) i) || '}';
  end if;
end
$$;

-- Every change, readable: the contract of docs/json.md. Conditions on id, at, tracked and op are cheap; one on actor or tx
-- reads the contexts. changes_of finds a transaction's changes, row_trail a row's.
create or replace view vestige.changes as
select c.id, c.at, case c.op when 'I' then 'INSERT' when 'U' then 'UPDATE' when 'D' then 'DELETE' when 'T' then 'TRUNCATE'
         when 'E' then 'ERASE' when 'X' then 'EXPIRE' else 'BASELINE' end as op,
  vestige.shown_name(t.schema_name, t.table_name) as "table", d.key, d.new_key, d.old_values, d.new_values,
  d.changed_fields, x.tx, coalesce(g.fields, '{}') as context, x.db_user, x.db_role, x.client_addr, x.application_name,
  c.tracked, c.shape, c.key as key_text, c.new_key as new_key_text, g.fields ->> 'actor' as actor, c.context as context_id,
  vestige.erased_parts(c.id) as erased, case when c.op in ('E', 'X') then vestige.erases(c.id) end as erases
from vestige.change c
  join vestige.tracked t on t.id = c.tracked
  left join vestige.context x on x.id = c.context and x.xid = c.xid
  cross join lateral vestige.given_fields(x.fields::text) as g(fields)
  cross join lateral vestige.decode(c) d;
