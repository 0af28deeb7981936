-- Makes capture fit a table as it stands.

create or replace function vestige.shape_row(number int) returns vestige.shape language sql stable
set search_path = pg_catalog, pg_temp as $$
  select s from vestige.shape s where s.id = number
$$;

-- The key columns that a policy gives a table: those it names, or the primary key.
create or replace function vestige.key_columns(rel oid, policy jsonb) returns text[] language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when jsonb_array_length(coalesce(policy -> 'key', '[]')) > 0
    then array(select jsonb_array_elements_text(policy -> 'key'))
    else array(select a.attname::text
               from pg_index i, unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
                 join pg_attribute a on a.attnum = k.attnum
               where i.indrelid = rel and i.indisprimary and a.attrelid = rel and k.place <= i.indnkeyatts
               order by k.place) end
$$;

-- Whether no two rows of a table ever have the same key, not even within a statement or a transaction.
create or replace function vestige.tells_apart(rel oid, keys text[]) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  select exists (
    select from pg_index i
    where i.indrelid = rel and i.indisunique and i.indimmediate and i.indisvalid and i.indpred is null
      and not exists (
        select from unnest(i.indkey::int2[]) with ordinality as k(attnum, place)
          left join pg_attribute a on a.attrelid = rel and a.attnum = k.attnum
        where k.place <= i.indnkeyatts and not coalesce(a.attnotnull and a.attname::text = any (keys), false)))
$$;

-- Writes down what a table looks like now, unless that is known; the shape's id. A column keeps its id as long as
-- the table is the same and the column is; in a table made anew, as long as it has its name.
create or replace function vestige.note_shape(t vestige.tracked, rel oid, remark text) returns int language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  fingerprint bigint := vestige.signature(rel);
  before jsonb := (select s.columns from vestige.shape s where s.id = t.shape);
  next_id int := (select coalesce(max((c ->> 'id')::int), 0) from vestige.shape s, jsonb_array_elements(s.columns) c
                  where s.tracked = t.id);
  current boolean := vestige.up_to_date(rel);
  keys text[];
  keep_whole boolean;
  recorded jsonb := '[]';
  c record;
  known jsonb;
  number int;
begin
  t.policy := vestige.carried_policy(t, rel);
  keys := vestige.key_columns(rel, t.policy);
  keep_whole := coalesce(t.policy ->> 'capture', 'changes') = 'full' or not vestige.tells_apart(rel, keys);
  if not current then
    keep_whole := true;
    remark := 'by a transaction that began before the table was altered';
  end if;
  for c in
    select l.*, coalesce(array_position(keys, l.name), 0) as key
    from (select * from vestige.live_columns(rel) where current
          union all
          select f.attnum, f.name, f.type, 'text', false, 'zdifbmq', false, false, null
          from vestige.latest_columns(rel) f where not current) l
    where not l.virtual and (array_position(keys, l.name) is not null
      or case when jsonb_array_length(coalesce(t.policy -> 'include', '[]')) > 0 then t.policy -> 'include' ? l.name
              else not coalesce(t.policy -> 'exclude' ? l.name, false) end)
    order by coalesce(array_position(keys, l.name), 32767), l.attnum
  loop
    select b into known from jsonb_array_elements(before) b
    where case when t.relation = rel then (b ->> 'attnum')::int = c.attnum else b ->> 'name' = c.name end;
    if known is null then
      next_id := next_id + 1;
    end if;
    recorded := recorded || (jsonb_build_object(
      'id', coalesce((known ->> 'id')::int, next_id), 'name', c.name, 'type', c.type, 'kind', c.kind, 'key', c.key,
      'attnum', c.attnum, 'exact', c.exact, 'settings', c.settings, 'plain', c.plain)
      || case when c.base is null then '{}' else jsonb_build_object('base', c.base) end);
  end loop;
  select s.id into number from vestige.shape s
  where s.tracked = t.id and s.signature = fingerprint and s.columns = recorded and s.whole = keep_whole
  order by s.id desc limit 1;
  if number is null then
    insert into vestige.shape (tracked, schema_name, table_name, columns, whole, signature, since, note)
    select t.id, n.nspname, r.relname, recorded, keep_whole, fingerprint,
           (select case when is_called then last_value else 0 end from vestige.change_id), remark
    from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = rel
    returning id into number;
  end if;
  return number;
end
$$;

-- Makes capture fit the table as it stands: its shape, its function, and unless a write is going on, its triggers.
create or replace function vestige.refit(tracked_id int, rel oid, remark text default null, with_triggers boolean default true)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  s vestige.shape;
  named text := format('capture_%s', tracked_id);
  inserted text := format('insert_%s', tracked_id);
  settings text;
  by_statement boolean;
  native boolean;
begin
  select * into t from vestige.tracked where id = tracked_id;
  t.shape := vestige.note_shape(t, rel, remark);
  update vestige.tracked set shape = t.shape, relation = rel, policy = vestige.carried_policy(t, rel),
    places = vestige.column_places(rel),
    (schema_name, table_name) = (select n.nspname, r.relname from pg_class r join pg_namespace n on n.oid = r.relnamespace
                                 where r.oid = rel)
  where id = tracked_id returning * into t;
  select * into s from vestige.shape where id = t.shape;
  settings := vestige.pinned((select coalesce(string_agg(c ->> 'settings', ''), '') from jsonb_array_elements(s.columns) c));
  execute format('create or replace function vestige.%I() returns trigger language plpgsql security definer %s as %L',
    named, settings, vestige.capture_source(rel, t, s));
  execute format('revoke all on function vestige.%I() from public', named);
  -- INSERTs come a statement at a time where the table can do that; logical replication applies rows only.
  by_statement := not (t.policy ? 'when') and jsonb_array_length(s.columns) > 0
    and exists (select from pg_class where oid = rel and relkind = 'r')
    and not exists (select from pg_inherits where inhrelid = rel);
  if by_statement then
    execute format('create or replace function vestige.%I() returns trigger language plpgsql security definer %s as %L',
      inserted, settings, vestige.insert_source(rel, t, s));
    execute format('revoke all on function vestige.%I() from public', inserted);
  end if;
  if not with_triggers then
    return;
  end if;
  native := t.engine = 'native' and to_regproc('vestige.capture_native') is not null;
  if native then
    perform vestige.set_trigger(rel, '0_vestige_change', 'after insert or update or delete', 'row', 'capture_native',
                                tracked_id::text);
    perform vestige.drop_trigger(rel, '0_vestige_insert'), vestige.drop_trigger(rel, '0_vestige_apply');
    -- As below, but where it costs the least: PostgreSQL keeps the rows for it, of every such statement.
    if by_statement then
      perform vestige.set_trigger(rel, 'untrack it in vestige first: that', 'after delete', 'row when (false)', named, '', 'O');
    else
      perform vestige.drop_trigger(rel, 'untrack it in vestige first: that');
    end if;
  elsif by_statement then
    perform vestige.set_trigger(rel, '0_vestige_change', 'after update or delete', 'row', named, '');
    perform vestige.set_trigger(rel, '0_vestige_insert', 'after insert', 'statement', inserted, '', 'O');
    perform vestige.set_trigger(rel, '0_vestige_apply', 'after insert', 'row', named, '', 'R');
    -- Rows that reach a partition through its parent fire no trigger of statements. This one never fires; as long as
    -- it is there, PostgreSQL refuses to make the table a partition, and shows its name.
    perform vestige.set_trigger(rel, 'untrack it in vestige first: that', 'after insert', 'row when (false)', named, '', 'O');
  else
    perform vestige.set_trigger(rel, '0_vestige_change', 'after insert or update or delete', 'row', named, '');
    perform vestige.drop_trigger(rel, '0_vestige_insert'), vestige.drop_trigger(rel, '0_vestige_apply'),
            vestige.drop_trigger(rel, 'untrack it in vestige first: that');
  end if;
  -- A row trigger comes to partitions by itself; one that sees TRUNCATE does not.
  perform vestige.set_trigger(p.relid, '0_vestige_truncate', 'before truncate', 'statement', 'capture_truncate',
                              tracked_id::text)
  from (select rel as relid union select relid from pg_partition_tree(rel)) p join pg_class c on c.oid = p.relid
  where c.relkind in ('r', 'p');
end
$$;

-- Gives a table one of its triggers, unless it has it as it must be.
--
-- enabled   A(lways), O(rigin): not when a replica applies what another server did; R(eplica): only then
create or replace function vestige.set_trigger(rel oid, trigger_name name, events text, manner text, function_name text,
  argument text, enabled "char" default 'A') returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from pg_trigger where tgrelid = rel and tgname = trigger_name and tgenabled = enabled
             and tgfoid = to_regproc('vestige.' || function_name)
             and tgtype & 28 = (select sum(case e when 'insert' then 4 when 'delete' then 8 when 'update' then 16 else 0 end)
                                from regexp_split_to_table(events, ' ') e)
             and tgargs = case when argument = '' then ''::bytea else convert_to(argument, 'UTF8') || '\x00'::bytea end) then
    return;
  end if;
  perform vestige.drop_trigger(rel, trigger_name);
  execute format('create trigger %I %s on %s %s for each %s execute function vestige.%I(%s)', trigger_name, events,
                 rel::regclass,
                 case when manner = 'row' or events not like 'after %' then ''
                      when events = 'after delete' then 'referencing old table as deleted'
                      else 'referencing new table as inserted' end,
                 manner, function_name, case when argument = '' then '' else quote_literal(argument) end);
  execute format('alter table %s enable %s trigger %I', rel::regclass,
                 case enabled when 'A' then 'always' when 'R' then 'replica' else '' end, trigger_name);
end
$$;

create or replace function vestige.drop_trigger(rel oid, trigger_name name) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from pg_trigger where tgrelid = rel and tgname = trigger_name) then
    execute format('drop trigger %I on %s', trigger_name, rel::regclass);
  end if;
end
$$;
