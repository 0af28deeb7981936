-- The trail in the words of hand-made audit tables.

-- A context's field as an address, if it is one: an odd value never hides a change.
create or replace function vestige.as_address(given text) returns inet language plpgsql immutable strict
set search_path = pg_catalog, pg_temp as $$
begin
  return given::inet;
exception when others then
  return null;
end
$$;

-- JSON as jsonb; null where jsonb cannot hold it: a text with \u0000, which no text of PostgreSQL is.
create or replace function vestige.as_jsonb(given json) returns jsonb language plpgsql immutable strict
set search_path = pg_catalog, pg_temp as $$
begin
  return given::jsonb;
exception when others then
  return null;
end
$$;

-- One part of what vestige.decode says of a change. A query that does not ask for it does not pay for it.
create or replace function vestige.old_values(c vestige.change) returns jsonb language sql stable cost 1000
set search_path = pg_catalog, pg_temp as $$ select vestige.as_jsonb((vestige.decode(c)).old_values) $$;
create or replace function vestige.new_values(c vestige.change) returns jsonb language sql stable cost 1000
set search_path = pg_catalog, pg_temp as $$ select vestige.as_jsonb((vestige.decode(c)).new_values) $$;
create or replace function vestige.changed_fields(c vestige.change) returns text[] language sql stable cost 1000
set search_path = pg_catalog, pg_temp as $$ select case when c.op = 'U' then (vestige.decode(c)).changed_fields end $$;
create or replace function vestige.row_key(c vestige.change) returns jsonb language sql stable cost 1000
set search_path = pg_catalog, pg_temp as $$ select vestige.as_jsonb((vestige.decode(c)).key) $$;
create or replace function vestige.row_new_key(c vestige.change) returns jsonb language sql stable cost 1000
set search_path = pg_catalog, pg_temp as $$ select case when c.new_key is not null then vestige.as_jsonb((vestige.decode(c)).new_key) end $$;

-- A key as it stands in vestige.change.key, of a table's row, from one text for each key column.
create or replace function vestige.named_key(t vestige.tracked, words text[], verb text) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  names text[] := array(select c ->> 'name' from vestige.shape s, jsonb_array_elements(s.columns) c
                        where s.id = t.shape and c ->> 'key' <> '0' order by (c ->> 'key')::int);
begin
  if cardinality(names) = 0 then
    raise exception '%: %.% is tracked without a key', verb, t.schema_name, t.table_name
      using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.audit_log has its changes';
  elsif cardinality(words) <> cardinality(names) or array_position(words, null) is not null then
    raise exception '%: the key of %.% has % values', verb, t.schema_name, t.table_name, cardinality(names)
      using errcode = 'invalid_parameter_value', hint = 'one text for each of: ' || array_to_string(names, ', ');
  end if;
  return vestige.key_text(t.id, words);
end
$$;

-- Every change with the columns that audit tables have. A condition on id is a search; one on changed_at with constants
-- leaves partitions out; the others read the trail, without decoding what they do not keep. For one row's changes, ask
-- vestige.history, which finds them by the key.
--
-- action       INSERT, UPDATE, DELETE, TRUNCATE, BASELINE, ERASE
-- record_id    the row's key before the change, as text; of several columns, a JSON list: ["7","2"]
-- old_values   of an UPDATE, what changed; of a DELETE, every column. new_values likewise
-- changed_by   the context's actor, else the database's user
-- erased       which parts were erased, and by which ERASE: {"values": 1300}
--
-- Beside it vestige.history, the changes of a row under every key it had, newest first: vestige.history('accounts', '1'). It decodes
-- each change once, and finds everything by an index, also where nothing was ever analysed.
do $make$
declare
  columns constant text := $columns$c.id, t.table_name::text as table_name,
  case when s.composed then to_json(vestige.fields(c.key))::text else c.key end as record_id,
  case c.op when 'I' then 'INSERT' when 'U' then 'UPDATE' when 'D' then 'DELETE' when 'T' then 'TRUNCATE'
    when 'E' then 'ERASE' when 'X' then 'EXPIRE' else 'BASELINE' end as action,
  %1$s as old_values, %2$s as new_values, %3$s as changed_fields,
  coalesce(f.fields ->> 'actor', x.db_user::text) as changed_by, c.at as changed_at,
  f.fields ->> 'business_process' as business_process, f.fields ->> 'reason' as reason,
  f.fields ->> 'request_id' as request_id, f.fields ->> 'session_id' as session_id,
  coalesce(vestige.as_address(f.fields ->> 'ip_address'), x.client_addr) as ip_address,
  f.fields ->> 'user_agent' as user_agent,
  f.fields ->> 'auth_method' as auth_method, f.fields ->> 'auth_role' as auth_role,
  t.policy ->> 'classification' as data_classification, t.policy ->> 'retention' as retention_category,
  array(select jsonb_array_elements_text(t.policy -> 'tags')) as compliance_tags,
  f.fields ->> 'on_behalf_of' as on_behalf_of, x.tx as transaction_id, f.fields as context,
  t.schema_name::text as schema_name, %4$s as key, %5$s as new_key,
  x.db_user::text as db_user, x.db_role::text as db_role, x.application_name,
  vestige.as_jsonb(vestige.erased_parts(c.id)) as erased$columns$;
  rest constant text := $rest$
  join vestige.tracked t on t.id = c.tracked
  left join (select id, columns -> 1 ->> 'key' <> '0' as composed from vestige.shape offset 0) s on s.id = c.shape
  left join vestige.context x on x.id = c.context and x.xid = c.xid
  cross join lateral (select coalesce(vestige.given_fields(x.fields::text), '{}') as fields offset 0) f$rest$;
begin
  execute 'create or replace view vestige.audit_log as select '
    || format(columns, 'vestige.old_values(c)', 'vestige.new_values(c)', 'vestige.changed_fields(c)', 'vestige.row_key(c)', 'vestige.row_new_key(c)')
    || ' from vestige.change c' || rest;
  execute format($function$create or replace function vestige.history("table" regclass, variadic key text[])
    returns setof vestige.audit_log language plpgsql stable set search_path = pg_catalog, pg_temp
    set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off as %L$function$, format($source$
#variable_conflict use_column
declare
  of_table vestige.tracked := vestige.tracked_table("table", 'history');
  of_row text collate "C" := vestige.named_key(of_table, key, 'history');  -- whatever collation the words have
begin
  return query select %s from vestige.row_trail(of_table.id, of_row) c%s cross join lateral vestige.decode(c) d order by c.id desc;
end
$source$,
    format(columns, 'vestige.as_jsonb(d.old_values)', 'vestige.as_jsonb(d.new_values)', 'd.changed_fields', 'vestige.as_jsonb(d.key)',
           'vestige.as_jsonb(d.new_key)'), rest));
end
$make$;

-- For each column of a row, the change that gave it its value; no change: as it was when tracking began. Of a row that
-- is gone, the values of its DELETE. An ERASE: what gave the value was erased by it; an EXPIRE: it has expired.
create or replace function vestige.blame("table" regclass, variadic key text[]) returns table ("column" text, value jsonb,
  change_id bigint, changed_at timestamptz, action text, changed_by text, reason text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked := vestige.tracked_table("table", 'blame');
  now_key text collate "C" := vestige.named_key(t, key, 'blame');
  live json := vestige.live_row(t.id, now_key);
  ids bigint[] := array(select i from vestige.row_changes(t.id, now_key) i order by i desc);
  changes bigint[] := '{}';     -- by place of the column
  names text[];
  contents jsonb;
  c vestige.change;
  d record;
  number bigint;
  begun boolean := false;
begin
  if live is null and cardinality(ids) > 0 then
    select * into c from vestige.change x where x.id = ids[1];
    now_key := coalesce(c.new_key, c.key);
    live := case when c.op <> 'D' then vestige.live_row(t.id, now_key) end;
  end if;
  if live is null and c.op is distinct from 'D' then
    raise exception 'blame: %.% has no such row, now or in the trail', t.schema_name, t.table_name
      using errcode = 'no_data_found';
  end if;
  live := coalesce(live, (vestige.decode(c)).old_values);
  if live is null then
    raise exception 'blame: the values of %.% when it was deleted were erased by change %', t.schema_name, t.table_name,
        vestige.erased_parts(c.id) ->> 'values' using errcode = 'no_data_found';
  end if;
  begun := c.op is distinct from 'D' or c.id is null;
  contents := vestige.as_jsonb(live);
  names := array(select json_object_keys(live));
  foreach number in array ids loop
    select * into c from vestige.change x where x.id = number;
    continue when coalesce(c.new_key, c.key) is distinct from now_key;
    if c.op = 'D' and not begun then
      begun := true;
      continue;
    end if;
    exit when c.op in ('B', 'D');
    -- What an erased UPDATE changed is not known: then the ERASE stands for what gave the open columns their values.
    if c.op = 'U' and c.old_row is null and c.new_row is null then
      number := (vestige.erased_parts(c.id) ->> 'values')::bigint;
      changes := array(select coalesce(changes[i], number) from generate_series(1, cardinality(names)) i);
      exit;
    end if;
    d := vestige.decode(c);
    for place in 1..cardinality(names) loop
      if changes[place] is null and (c.op = 'I' or names[place] = any (d.changed_fields)) then
        changes[place] := number;
      end if;
    end loop;
    exit when c.op = 'I';
    now_key := c.key;
  end loop;
  if c.id is null or c.op = 'U' and c.old_row is not null then
    number := (select e.change from vestige.expired e where e.tracked = t.id order by e.horizon desc limit 1);
    changes := array(select coalesce(changes[i], number) from generate_series(1, cardinality(names)) i);
  end if;
  return query
    select n.name, contents -> n.name, a.id, a.changed_at, a.action, a.changed_by, a.reason
    from unnest(names) with ordinality as n(name, place) left join vestige.audit_log a on a.id = changes[n.place]
    order by n.place;
end
$$;
