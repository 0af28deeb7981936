-- Which engine records a table: the portable one, or the native one of the extension (sql/postgres/native.sql).

-- Whether a trigger of a tracked table captures its changes.
create or replace function vestige.captures(trigger_function oid, trigger_arguments bytea, tracked_id int) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce(trigger_function = to_regproc('vestige.capture_' || tracked_id), false)
    or coalesce(trigger_function = to_regproc('vestige.capture_native'), false)
       and trigger_arguments = convert_to(tracked_id::text, getdatabaseencoding()) || E'\\x00'::bytea;
end
$$;

-- Whether a table that fires is the tracked one, or a partition of it. What was tracked stays it as long as it has its triggers;
-- after a restore, the table of that name is, or the only one that has them. Nothing is, without its row in vestige.tracked.
create or replace function vestige.own(rel oid, tracked_id int) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce((
    select coalesce(pg_partition_root(rel), rel) = coalesce(
      max(f.fires) filter (where f.fires = f.relation), max(f.fires) filter (where f.named), case when count(*) = 1 then max(f.fires) end)
    from (select distinct c.oid as fires, t.relation, n.nspname = t.schema_name and c.relname = t.table_name as named
          from vestige.tracked t, pg_trigger g join pg_class c on c.oid = g.tgrelid join pg_namespace n on n.oid = c.relnamespace
          where t.id = tracked_id and t.untracked_at is null and g.tgparentid = 0
            and (vestige.captures(g.tgfoid, g.tgargs, t.id) or g.tgfoid = to_regproc('vestige.insert_' || t.id))) f), false)
$$;

-- Records a table's changes by another engine from now on; its history stays, and nobody who reads it can tell.
--
-- engine    portable, or native: the one of the extension
create or replace function vestige.set_engine("table" regclass, engine text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  tracked_id int;
begin
  if engine is null or engine not in ('portable', 'native') then
    raise exception 'set_engine %: there is no engine %', "table", engine using errcode = 'invalid_parameter_value',
      hint = 'it is portable or native';
  elsif engine = 'native' and to_regproc('vestige.capture_native') is null then
    raise exception 'set_engine %: the native engine is not in this database', "table"
      using errcode = 'feature_not_supported', hint = 'create extension vestige, or run native.sql as a superuser';
  end if;
  perform from vestige.meta where name = 'schema_version' for update;  -- one at a time
  update vestige.tracked t set engine = set_engine.engine where t.relation = "table" and t.untracked_at is null
    returning t.id into tracked_id;
  if tracked_id is null then
    raise exception 'set_engine %: it is not tracked', "table" using errcode = 'undefined_object';
  end if;
  perform vestige.refit(tracked_id, "table");
end
$$;

-- What the native engine must know of a table that fires, as numbers: whether it may write a change itself (else the
-- capture function does), shape, whether an UPDATE keeps every field, whether a context is required, the settings that
-- values are printed under (bits: z d i f b m q), the capture function, the tracked table, whether this is that table
-- (vestige.own: no other's triggers write its records), how many bytes of values may be too large for it; then for each field of a row the column's number and its place in the key.
--
-- hides   who asks knows what to write of redacted and encrypted columns; the first number is 2 where there are some, and
--         vestige.native_hidden tells of them. A module of a version before knows nothing of it, and leaves such tables alone.
create or replace function vestige.native_facts(rel oid, tracked_id int, hides boolean) returns bigint[] language plpgsql stable
security definer set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  s vestige.shape;
  root oid := coalesce(pg_partition_root(rel), rel);
  columns bigint[];
  fits boolean;
  hidden boolean;
begin
  select * into t from vestige.tracked where id = tracked_id;
  select * into s from vestige.shape where id = t.shape;
  select array_agg(n order by place, part) into columns
  from jsonb_array_elements(s.columns) with ordinality as c(item, place)
    join pg_attribute a on a.attrelid = rel and a.attname = c.item ->> 'name' and not a.attisdropped,
    unnest(array[a.attnum, (c.item ->> 'key')::bigint]) with ordinality as u(n, part);
  hidden := jsonb_path_exists(s.columns, '$[*] ? (exists (@.redacted) || exists (@.encrypted))');
  -- After a restore the table is another one, though it looks the same. Data keys of single people (subject) the module has not.
  fits := t.relation = root and s.signature = vestige.signature(root) and vestige.up_to_date(root) and coalesce(t.policy ->> 'when', '') = ''
    and jsonb_array_length(s.columns) > 0 and (hides or not hidden)
    and not jsonb_path_exists(s.columns, '$[*].subject') and cardinality(columns) = 2 * jsonb_array_length(s.columns);
  return array[case when not coalesce(fits, false) then 0 when hidden then 2 else 1 end, coalesce(s.id, 0), coalesce(s.whole, true)::int,
    (jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0)::int,
    (select coalesce(bit_or(1 << (strpos('zdifbmq', letter) - 1)), 0)
     from jsonb_array_elements(s.columns) c, regexp_split_to_table(c ->> 'settings', '') letter where letter <> ''),
    coalesce(to_regproc('vestige.capture_' || tracked_id)::oid::bigint, 0), root::bigint,
    vestige.own(rel, tracked_id)::int, vestige.large_row() / 64]::bigint[]
    || coalesce(columns, '{}');
end
$$;

create or replace function vestige.native_facts(rel oid, tracked_id int) returns bigint[] language plpgsql stable
security definer set search_path = pg_catalog, pg_temp as $$
begin
  return vestige.native_facts(rel, tracked_id, false);
end
$$;

-- Of each field of a row: redacted; of one that is encrypted the column's id and the class; else nothing.
create or replace function vestige.native_hidden(tracked_id int) returns text[] language plpgsql stable
security definer set search_path = pg_catalog, pg_temp as $$
begin
  return (select array_agg(case when c.item ? 'redacted' then 'redacted' when c.item ? 'encrypted' then concat_ws(' ', c.item ->> 'id', c.item ->> 'encrypted')
                                else '' end order by c.place)
          from vestige.tracked t join vestige.shape s on s.id = t.shape,
            jsonb_array_elements(s.columns) with ordinality as c(item, place) where t.id = tracked_id);
end
$$;
