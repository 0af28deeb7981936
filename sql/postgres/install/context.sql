-- Who, why, from where.

-- What the session said of its context, as an object; what is no object is kept as it is, so that a write
-- never fails for it.
create or replace function vestige.given_fields(given text) returns jsonb language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  if given is null or given = '' then
    return null;
  end if;
  begin
    if jsonb_typeof(given::jsonb) = 'object' then
      return nullif(jsonb_strip_nulls(given::jsonb), '{}');
    end if;
  exception when others then
    null;
  end;
  return jsonb_build_object('not_json', given);
end
$$;

-- Whether the transaction's last context still stands: a condition, as SQL. vestige.state is the transaction and what
-- it said, vestige.number the context's id.
create or replace function vestige.context_stands() returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select $stands$current_setting('vestige.state', true)
    = concat(pg_current_xact_id_if_assigned(), ' ', current_setting('vestige.context', true))$stands$
$$;

-- Writes a context down, and remembers it for the transaction; its id. Capture calls it in each transaction: the
-- search path is pinned by its callers.
--
-- change   the id of the first change under it
create or replace function vestige.begin_context(change bigint) returns bigint language plpgsql as $$
declare
  given text := nullif(current_setting('vestige.context', true), '');
  fields text := given;
  tx bigint := change;
  state text;
begin
  if given is null and current_setting('vestige.sqlcommenter', true) = 'on' then
    fields := vestige.commented(current_query());
  end if;
  if starts_with(current_setting('vestige.state', true), pg_current_xact_id() || ' ') then
    -- Only the context has changed.
    tx := coalesce((select x.tx from vestige.context x where x.id = current_setting('vestige.number')::bigint), change);
  end if;
  insert into vestige.context
  values (change, tx, pg_current_xact_id(), transaction_timestamp(), pg_backend_pid(), inet_client_addr(), session_user,
          nullif(current_setting('role'), 'none'), nullif(current_setting('application_name'), ''), fields);
  state := set_config('vestige.number', change::text, true);
  state := set_config('vestige.state', concat(pg_current_xact_id(), ' ', given), true);
  return change;
end
$$;

-- The id of the context that stands now; it begins with a change, if none stood.
do $make$
begin
  execute format('create or replace function vestige.context_of(change bigint default null) returns bigint language plpgsql
    set search_path = pg_catalog, pg_temp as %L', format($source$
begin
  if %s then
    return current_setting('vestige.number');
  end if;
  return vestige.begin_context(coalesce(change, nextval('vestige.change_id')));
end
$source$, vestige.context_stands()));
end
$make$;

-- Raises the one error that capture is asked for.
create or replace function vestige.require_fields(table_name text, required text[], given text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  fields jsonb := vestige.given_fields(case when given <> '' then given
    when current_setting('vestige.sqlcommenter', true) = 'on' then vestige.commented(current_query()) end);
  field text;
begin
  foreach field in array required loop
    if coalesce(fields ->> field, '') = '' then
      raise exception 'vestige: a change of % needs a context with %', table_name, field
        using errcode = 'VS001', hint = format('select vestige.set_context(''{"%s": "..."}'') in the same transaction', field);
    end if;
  end loop;
end
$$;

-- Writes one change down. The capture functions have the same INSERT in themselves; this one is for the rare ways.
create or replace function vestige.write_change(tracked int, shape int, op "char", key text, new_key text, old_row text,
  new_row text, number bigint default nextval('vestige.change_id'), moment timestamptz default clock_timestamp(),
  room smallint default null) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  insert into vestige.change
  values (number, moment, pg_current_xact_id(), vestige.context_of(number - coalesce(room, 0)),
          hashtextextended(key, tracked), tracked, shape, op, key, new_key, old_row, new_row, room);
  if new_key is not null then
    insert into vestige.moved values (hashtextextended(new_key, tracked), number, moment);
  end if;
end
$$;

-- The context of the transaction: who, why, from where. It ends with the transaction.
create or replace function vestige.set_context(context jsonb) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if context is not null and jsonb_typeof(context) <> 'object' then
    raise exception 'set_context: % is not an object', context using errcode = 'invalid_parameter_value',
      hint = '{"actor": "ann", "reason": "summer sale"}';
  end if;
  perform set_config('vestige.context', coalesce(context::text, ''), true);
end
$$;
