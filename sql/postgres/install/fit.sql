-- Makes capture fit a table as it stands.

create or replace function vestige.shape_row(number int) returns vestige.shape language sql stable
set search_path = pg_catalog, pg_temp as $$
  select s from vestige.shape s where s.id = number
$$;

-- The key columns that a policy gives a table: those it names, or the primary key. None where one of them is redacted or encrypted,
-- which only DDL can lead to: that is not written down as a key either.
create or replace function vestige.key_columns(rel oid, policy jsonb) returns text[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select case when coalesce(policy -> 'redact', '[]') ?| k.names or coalesce(policy -> 'encrypt', '{}') ?| k.names then '{}' else k.names end
    from (select case when jsonb_array_length(coalesce(policy -> 'key', '[]')) > 0
      then array(select jsonb_array_elements_text(policy -> 'key'))
      else array(select a.attname::text
                 from pg_index i, unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
                   join pg_attribute a on a.attnum = k.attnum
                 where i.indrelid = rel and i.indisprimary and a.attrelid = rel and k.place <= i.indnkeyatts
                 order by k.place) end as names) k);
end
$$;

-- Whether no two rows of a table ever have the same key, not even within a statement or a transaction.
create or replace function vestige.tells_apart(rel oid, keys text[]) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select exists (
    select from pg_index i
    where i.indrelid = rel and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
      and not exists (
        select from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
          left join pg_attribute a on a.attrelid = rel and a.attnum = k.attnum
        where k.place <= i.indnkeyatts and not coalesce(a.attnotnull and a.attname::text = any (keys), false))));
end
$$;

-- What is recorded of a table as it stands, as the columns of a shape, and whether its UPDATEs are recorded whole. A column keeps
-- its id as long as the table is the same and the column is; in a table made anew, as long as it has its name.
--
-- current   the catalogs say of the table what holds (vestige.up_to_date)
create or replace function vestige.shape_now(t vestige.tracked, rel oid, current boolean, out recorded jsonb, out keep_whole boolean)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  policy jsonb := vestige.carried_policy(t, rel);
  keys text[] := vestige.key_columns(rel, policy);
begin
  keep_whole := not current or coalesce(policy ->> 'capture', 'changes') = 'full' or not vestige.tells_apart(rel, keys);
  select coalesce(jsonb_agg(jsonb_build_object(
      'id', coalesce(n.known_id, n.highest + n.unknown), 'name', n.name, 'type', n.type, 'kind', n.kind, 'key', coalesce(n.key, 0),
      'attnum', n.attnum, 'exact', n.exact, 'settings', n.settings, 'plain', n.plain)
    || case when n.base is null then '{}' else jsonb_build_object('base', n.base) end
    || case when policy -> 'redact' ? n.name then '{"redacted": true}'::jsonb
            when policy -> 'encrypt' ? n.name then jsonb_build_object('encrypted', policy -> 'encrypt' ->> n.name) else '{}' end
    || case when policy ->> 'subject' = n.name then jsonb_build_object('subject', vestige.subject_prefix(t.id)) else '{}' end order by n.key, n.attnum), '[]') into recorded
  from (
    select l.*, array_position(keys, l.name) as key, b.known_id,
           (select coalesce(max((c ->> 'id')::int), 0) from vestige.shape s, jsonb_array_elements(s.columns) c where s.tracked = t.id) as highest,
           count(*) filter (where b.known_id is null) over (order by array_position(keys, l.name), l.attnum) as unknown
    from (select * from vestige.live_columns(rel) where current
          union all
          select f.attnum, f.name, f.type, 'text', false, 'zdifbmq', false, false, null
          from vestige.latest_columns(rel) f where not current) l
      left join (select (b ->> 'id')::int as known_id, b ->> 'name' as name, (b ->> 'attnum')::int as attnum
                 from vestige.shape s, jsonb_array_elements(s.columns) b where s.id = t.shape) b
        on case when t.relation = rel then b.attnum = l.attnum else b.name = l.name end
    where not l.virtual and (l.name = any (keys)
      or case when jsonb_array_length(coalesce(policy -> 'include', '[]')) > 0 then policy -> 'include' ? l.name
              else not coalesce(policy -> 'exclude' ? l.name, false) end)) n;
end
$$;

-- Writes down what a table looks like now, unless that is known; the shape's id.
create or replace function vestige.note_shape(t vestige.tracked, rel oid, remark text) returns int language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  fingerprint bigint := vestige.signature(rel);
  current boolean := vestige.up_to_date(rel);
  n record := vestige.shape_now(t, rel, current);
  number int;
begin
  if not current then
    remark := 'by a transaction that began before the table was altered';
  end if;
  select s.id into number from vestige.shape s
  where s.tracked = t.id and s.signature = fingerprint and s.columns = n.recorded and s.whole = n.keep_whole
  order by s.id desc limit 1;
  if number is null then
    insert into vestige.shape (tracked, schema_name, table_name, columns, whole, signature, since, note)
    select t.id, c.nspname, r.relname, n.recorded, n.keep_whole, fingerprint,
           (select case when is_called then last_value else 0 end from vestige.change_id), remark
    from pg_class r join pg_namespace c on c.oid = r.relnamespace where r.oid = rel
    returning id into number;
  end if;
  return number;
end
$$;

-- The settings of a table's capture functions: those that its values are printed under, and how its condition is read.
create or replace function vestige.capture_settings(t vestige.tracked, s vestige.shape) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select vestige.pinned(coalesce(string_agg(c ->> 'settings', ''), '') || case when t.policy ? 'when' then 's' else '' end)
  from jsonb_array_elements(s.columns) c);
end
$$;

-- One of the functions that capture a table, which belongs to the trail's owner whoever makes it.
create or replace function vestige.make_function(named text, settings text, source text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
declare
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
  given text;
begin
  execute format('create or replace function vestige.%I() returns trigger language plpgsql security definer %s as %L',
                 named, settings, source);
  for given in
    select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = to_regproc('vestige.' || named) and a.grantee <> p.proowner
      and not exists (select from vestige.tracked t, vestige.partition_makers(t) m
                      where t.id = substring(named from '[0-9]+$')::int and m.routine = p.oid and m.grantee = a.grantee)
  loop
    execute format('revoke all on function vestige.%I() from %s cascade', named, given);
  end loop;
  if (select proowner from pg_proc where oid = to_regproc('vestige.' || named)) <> trail_owner then
    execute format('alter function vestige.%I() owner to %s', named, trail_owner::regrole);
  end if;
end
$$;

-- Whether a table's INSERTs come a statement at a time; logical replication applies rows only.
create or replace function vestige.by_statement(t vestige.tracked, rel oid) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select not (t.policy ? 'when') and (select jsonb_array_length(s.columns) > 0 from vestige.shape s where s.id = t.shape)
    and exists (select from pg_class where oid = rel and relkind = 'r')
    and not exists (select from pg_inherits where inhrelid = rel));
end
$$;

-- Lets who owns a partitioned table make partitions of it, and nobody who owned it before.
create or replace function vestige.let_make_partitions(t vestige.tracked) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  one text;
begin
  for one in
    select format('revoke all on function %s from %s cascade', p.oid::regprocedure,
                  case a.grantee when 0 then 'public' else a.grantee::regrole::text end)
    from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
    where p.oid = to_regproc(format('vestige.capture_%s', t.id)) and a.grantee <> p.proowner
      and not exists (select from vestige.partition_makers(t) m where m.grantee = a.grantee)
      and has_function_privilege(p.oid, 'execute with grant option')
    union all
    select format('grant execute on function %s to %s', m.routine::regprocedure,
                  case m.grantee when 0 then 'public' else m.grantee::regrole::text end)
    from vestige.partition_makers(t) m
    where not exists (select from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                      where p.oid = m.routine and a.grantee in (m.grantee, 0) and a.privilege_type = 'EXECUTE')
      and m.grantee <> (select p.proowner from pg_proc p where p.oid = m.routine)
      and has_function_privilege(m.routine, 'execute with grant option')
  loop
    execute one;
  end loop;
end
$$;

-- Makes capture fit the table as it stands: its shape, its functions, and unless a write is going on, its triggers.
create or replace function vestige.refit(tracked_id int, rel oid, remark text default null, with_triggers boolean default true)
returns void language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  t vestige.tracked;
  s vestige.shape;
  settings text;
begin
  select * into t from vestige.tracked where id = tracked_id;
  if with_triggers then
    perform vestige.look_at_parts(tracked_id, rel, false);
  end if;
  t.shape := vestige.note_shape(t, rel, remark);
  update vestige.tracked set shape = t.shape, relation = rel, policy = vestige.carried_policy(t, rel),
    when_types = vestige.carried_types(t, rel), places = vestige.column_places(rel),
    (schema_name, table_name) = (select n.nspname, r.relname from pg_class r join pg_namespace n on n.oid = r.relnamespace
                                 where r.oid = rel)
  where id = tracked_id returning * into t;
  select * into s from vestige.shape where id = t.shape;
  settings := vestige.capture_settings(t, s);
  if jsonb_path_exists(s.columns, '$[*].encrypted') then
    perform vestige.make_encrypted();
  end if;
  perform vestige.make_function(format('capture_%s', tracked_id), settings, vestige.capture_source(rel, t, s));
  if vestige.by_statement(t, rel) then
    perform vestige.make_function(format('insert_%s', tracked_id), settings, vestige.insert_source(rel, t, s));
  end if;
  perform vestige.let_make_partitions(t);
  if with_triggers then
    perform vestige.set_triggers(tracked_id, rel);
  end if;
end
$$;
