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

-- The slow half of finding a change's context: writes its row, and remembers it for the transaction.
--
-- change   the id of the change that needs it; the first one names the transaction
create or replace function vestige.begin_context(change bigint, xid text, given text) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  number bigint;
  tx bigint := change;
begin
  -- Known already in this transaction: only the context has changed.
  if split_part(current_setting('vestige.state', true), ' ', 1) = xid then
    tx := current_setting('vestige.tx')::bigint;
  end if;
  insert into vestige.context (tx, xid, at, pid, client_addr, db_user, db_role, application_name, fields)
  values (tx, xid::xid8, transaction_timestamp(), pg_backend_pid(), inet_client_addr(), session_user,
          nullif(current_setting('role'), 'none'), nullif(current_setting('application_name'), ''),
          vestige.given_fields(given))
  returning id into number;
  perform set_config('vestige.tx', tx::text, true), set_config('vestige.number', number::text, true),
          set_config('vestige.state', xid || ' ' || given, true);
  return number;
end
$$;

-- Raises the one error that capture is asked for.
create or replace function vestige.require_fields(table_name text, required text[], given text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  fields jsonb := vestige.given_fields(given);
  field text;
begin
  foreach field in array required loop
    if coalesce(fields ->> field, '') = '' then
      raise exception 'vestige: a change of % needs a context with %', table_name, field
        using errcode = 'VS001', hint = format('select vestige.set_context(''{"%s": "…"}'') in the same transaction', field);
    end if;
  end loop;
end
$$;

-- Writes one change down. The capture functions have the same INSERT in themselves; this one is for the rare ways.
create or replace function vestige.write_change(tracked int, shape int, op "char", key text, new_key text, old_row text,
  new_row text, number bigint default nextval('vestige.change_id'), moment timestamptz default clock_timestamp(),
  room smallint default null) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  xid text := pg_current_xact_id();
  given text := coalesce(current_setting('vestige.context', true), '');
  context bigint;
begin
  if current_setting('vestige.state', true) = xid || ' ' || given then
    context := current_setting('vestige.number')::bigint;
  else
    context := vestige.begin_context(number - coalesce(room, 0), xid, given);
  end if;
  insert into vestige.change values (number, moment, xid::xid8, context, tracked, shape, op,
                                     hashtextextended(key, tracked), key, new_key, old_row, new_row, room);
  if new_key is not null then
    insert into vestige.moved values (hashtextextended(new_key, tracked), number, moment);
  end if;
end
$$;

-- The id of the context that stands now, for changes that are written many at once.
create or replace function vestige.context_number() returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  xid text := pg_current_xact_id();
  given text := coalesce(current_setting('vestige.context', true), '');
begin
  if current_setting('vestige.state', true) = xid || ' ' || given then
    return current_setting('vestige.number');
  end if;
  return vestige.begin_context(nextval('vestige.change_id'), xid, given);
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
