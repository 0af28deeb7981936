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

-- What a session says of itself, so that capture need not look for a context in vain: the setting vestige.state is what this
-- expression was when a context was last written down. A session can set it as it likes. It is a hint: what stands is read
-- from the trail (docs/decisions/0012).
create or replace function vestige.hint() returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select $hint$concat(pg_current_xact_id_if_assigned(), ' ', current_setting('role'), ' ', current_setting('vestige.context', true))$hint$
$$;

-- Whether a row `y` of vestige.context is of this transaction: a condition, as SQL. Numbers of transactions come again in
-- another cluster, so its start and its process tell, too.
create or replace function vestige.of_this_transaction() returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select 'y.xid = pg_current_xact_id() and y.at = transaction_timestamp() and y.pid = pg_backend_pid()'
$$;

-- The context that the session points at by its place, if it is of this transaction, as an item of FROM, `x`. By its place: an
-- index that everybody writes to would make serializable transactions meet. A session may point at any of its own contexts.
create or replace function vestige.hinted_context() returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select format('(select y.id, y.tx, y.xid, y.db_user, y.db_role, y.fields, y.nested from vestige.context y
      where y.ctid = nullif(current_setting(''vestige.place'', true), '''')::tid and %s) x', vestige.of_this_transaction())
$$;

-- Whether that context still holds: the same user, in the same role, says the same. A comment holds for its transaction.
create or replace function vestige.context_stands() returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select $stands$x.db_user = session_user and x.db_role is not distinct from nullif(current_setting('role'), 'none')
      and (x.fields is not distinct from nullif(current_setting('vestige.context', true), '')
           or nullif(current_setting('vestige.context', true), '') is null and current_setting('vestige.sqlcommenter', true) = 'on')$stands$
$$;

-- Whether a table had no changes inside triggers in this transaction, so far as `x` tells.
create or replace function vestige.not_nested(tracked_id int) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$ select format('(x.nested is null or not x.nested ? %L)', tracked_id::text) $$;

-- Whether this transaction may have begun a context. What currval says no session can set, but one that is new, or was told
-- to forget it, does not know: then the trail is asked, but by serializable transactions, which would meet in its index.
create or replace function vestige.begun_here() returns boolean language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  return currval('vestige.begun') = pg_current_xact_id()::text::bigint
    or to_regproc('vestige.capture_native') is not null and current_setting('transaction_isolation') <> 'serializable';
exception when object_not_in_prerequisite_state then
  return current_setting('transaction_isolation') <> 'serializable';
end
$$;

drop function if exists vestige.begin_context(bigint);
do $make$
begin
-- Writes a context down; its id. Capture calls it in each transaction: the search path is pinned by its callers.
--
-- change       the id of the first change under it
-- for_tracked  a table that is about to have an ordinary change: null comes back when it was changed inside a trigger before
  execute format($function$create or replace function vestige.begin_context(change bigint, for_tracked int default null)
    returns bigint language plpgsql as %L$function$, format($source$
declare
  given text := nullif(current_setting('vestige.context', true), '');
  said text := given;
  earlier bigint;
  marks jsonb;
  place tid;
  hint text;
begin
  if vestige.begun_here() then
    select y.tx, y.nested, case when %3$s then y.fields end into earlier, marks, said from vestige.context y, lateral (select y.*) x
    where %2$s order by y.id desc limit 1;
    said := coalesce(said, given);
  end if;
  if said is null and current_setting('vestige.sqlcommenter', true) = 'on' then
    said := vestige.commented(current_query());
  end if;
  insert into vestige.context as y (id, tx, xid, at, pid, client_addr, db_user, db_role, application_name, fields, nested)
  values (change, coalesce(earlier, change), pg_current_xact_id(), transaction_timestamp(), pg_backend_pid(), inet_client_addr(),
          session_user, nullif(current_setting('role'), 'none'), nullif(current_setting('application_name'), ''), said, marks)
  returning y.ctid into place;
  if earlier is null then
    earlier := setval('vestige.begun', pg_current_xact_id()::text::bigint);
  end if;
  hint := set_config('vestige.place', place::text, true);
  hint := set_config('vestige.state', %1$s, true);
  if marks ? for_tracked::text then
    hint := set_config(concat('vestige.nested_', for_tracked), marks ->> for_tracked::text, true);
    return null;
  end if;
  return change;
end
$source$, vestige.hint(), vestige.of_this_transaction(), vestige.context_stands()));

-- The id of the context that stands now; it begins with a change, if none stood.
  execute format($function$create or replace function vestige.context_of(change bigint default null) returns bigint
    language plpgsql set search_path = pg_catalog, pg_temp as %L$function$, format($source$
declare
  standing bigint;
begin
  select x.id into standing from %1$s where %2$s;
  return coalesce(standing, vestige.begin_context(coalesce(change, nextval('vestige.change_id'))));
end
$source$, vestige.hinted_context(), vestige.context_stands()));

-- How deep in triggers a table was changed in this transaction; 0: not at all. All contexts of a transaction say the same.
  execute format($function$create or replace function vestige.deepest(tracked_id int) returns int
    language plpgsql set search_path = pg_catalog, pg_temp as %L$function$, format($source$
declare
  marks jsonb;
  tx bigint;
begin
  select x.tx, x.nested into tx, marks from %1$s;
  if tx is null and vestige.begun_here() then
    select y.nested into marks from vestige.context y where %2$s limit 1;
  end if;
  return coalesce((marks ->> tracked_id::text)::int, 0);
end
$source$, vestige.hinted_context(), vestige.of_this_transaction()));

-- Has every context of this transaction say how deep in triggers a table was changed.
  execute format($function$create or replace function vestige.mark_nested(tracked_id int, depth int) returns void
    language plpgsql set search_path = pg_catalog, pg_temp as %L$function$, format($source$
declare
  standing bigint := vestige.context_of();
  one record;
begin
  for one in
    update vestige.context y set nested = coalesce(y.nested, '{}') || jsonb_build_object(tracked_id::text, depth)
    where %s returning y.id, y.ctid
  loop
    if one.id = standing then
      perform set_config('vestige.place', one.ctid::text, true), set_config(format('vestige.nested_%%s', tracked_id), depth::text, true);
    end if;
  end loop;
end
$source$, vestige.of_this_transaction()));
end
$make$;

-- The standing context, for the native engine where it does not know.
create or replace function vestige.native_context(change bigint) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  return vestige.context_of(change);
end
$$;

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

-- A word that the signature of a context may have, so that it is for this transaction and for no other.
create or replace function vestige.challenge() returns text language sql volatile
set search_path = pg_catalog, pg_temp as $$ select format('x%s.%s', pg_current_xact_id(), replace(gen_random_uuid()::text, '-', '')) $$;
