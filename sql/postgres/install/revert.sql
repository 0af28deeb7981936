-- Undoing a transaction.

drop function if exists vestige.undo_at_once(vestige.tracked, bigint[], text[]);
drop function if exists vestige.revert_at_once(bigint[]);
drop function if exists vestige.undo_at_once(bigint[], text, text[], boolean, text);

-- The changes of a transaction, newest first.
create or replace function vestige.changes_of(tx bigint) returns bigint[] language sql stable
set search_path = pg_catalog, pg_temp as $$
  select array(select c.id
               from (select vestige.tx_end(changes_of.tx) as upto) e, vestige.context x, vestige.change c
               where x.tx = changes_of.tx and x.id >= changes_of.tx and x.id < e.upto
                 and c.context = x.id and c.xid = x.xid and c.id >= changes_of.tx and c.id < e.upto order by c.id desc)
$$;

-- Whether these are all the changes of the transactions that they belong to.
create or replace function vestige.whole_transactions(ids bigint[]) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  select not exists (
    select from (select distinct x.tx from unnest(ids) i(id) join vestige.change c on c.id = i.id join vestige.context x on x.id = c.context) d,
      lateral unnest(vestige.changes_of(d.tx)) a(id) left join unnest(ids) m(id) on m.id = a.id
      join vestige.change c on c.id = a.id
    where m.id is null and c.op in ('I', 'U', 'D'))
$$;

-- The same as vestige.undo_at_once, change by change, the newest first: where the key of some has other columns than that of
-- others. What a foreign key or a key that is taken refuses waits until the others are done.
create or replace function vestige.undo_one_by_one(ids bigint[], mode text, wanted text[], patch boolean, path text)
returns table (kind text, change bigint, what text, columns text[], hard boolean) language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  waiting bigint[] := array(select i from unnest(ids) i order by i desc);
  still bigint[];
  number bigint;
  applied bigint := 0;
  before bigint;
  said text;
  why text;
  one record;
begin
  set constraints all deferred;
  loop
    still := '{}';
    foreach number in array waiting loop
      begin
        for one in select u.* from vestige.undo_at_once(array[number], mode, wanted, patch, path, false) u loop
          if one.kind = 'done' then
            applied := applied + one.change;
          else
            return query select one.kind, one.change, one.what, one.columns, one.hard;
          end if;
        end loop;
      exception when integrity_constraint_violation or sqlstate 'VS004' then
        get stacked diagnostics said = message_text, why = pg_exception_detail;
        still := still || number;
      end;
    end loop;
    exit when cardinality(still) = 0;
    if cardinality(still) = cardinality(waiting) then
      raise exception 'undo change %: %', still[1], said using errcode = 'integrity_constraint_violation', detail = why;
    end if;
    waiting := still;
  end loop;
  return query select 'done', applied, null::text, null::text[], false;
end
$$;

-- Checks what was deferred; triggers that were see the session's path.
create or replace function vestige.check_constraints(path text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  perform set_config('search_path', path, true);
  set constraints all immediate;
end
$$;

-- Undoes changes, all of them or none; what it gives is what vestige.undo_at_once gives.
create or replace function vestige.undo_changes(ids bigint[], mode text default 'refuse', wanted text[] default null,
  patch boolean default false, path text default null)
returns table (kind text, change bigint, what text, columns text[], hard boolean) language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  path := coalesce(path, (select reset_val from pg_settings where name = 'search_path'));
  begin
    return query select u.* from vestige.undo_at_once(ids, mode, wanted, patch, path, true) u;
  exception when sqlstate 'VS005' then
    if cardinality(ids) < 2 then
      raise;
    end if;
    return query select u.* from vestige.undo_one_by_one(ids, mode, wanted, patch, path) u;
    perform vestige.check_constraints(path);
  end;
end
$$;

-- Undoes what a transaction did, all of it or nothing; how many changes. Rows that have changed since are a conflict
-- (SQLSTATE VS002); with `force` they get their old values all the same, and only a row that is gone is one.
create or replace function vestige.revert_tx(tx bigint, force boolean, path text) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  ids bigint[] := vestige.changes_of(tx);
  given text := current_setting('vestige.context', true);
  fields jsonb := vestige.given_fields(given);
  one record;
  undone bigint := 0;
  conflicts text[] := '{}';
begin
  if cardinality(ids) = 0 then
    raise exception 'revert: there is no transaction %', tx using errcode = 'no_data_found',
      hint = 'vestige.audit_log has transaction_id';
  end if;
  if coalesce(fields ->> 'reason', '') = '' then
    perform set_config('vestige.context', (coalesce(fields, '{}') || jsonb_build_object('reason', 'revert of tx ' || tx))::text, true);
  end if;
  for one in
    select u.*, d.shown, d.key
    from vestige.undo_changes(ids, case when force then 'force' else 'refuse' end, path => path) u
      left join lateral (select vestige.shown_name(k.schema_name, k.table_name) as shown, coalesce(x.new_key, x.key) as key
                         from vestige.change c join vestige.tracked k on k.id = c.tracked cross join lateral vestige.decode(c) x
                         where u.kind = 'conflict' and c.id = u.change offset 0) d on true order by u.change desc
  loop
    if one.kind = 'done' then
      undone := one.change;
    elsif one.kind = 'conflict' and (one.hard or not force) then
      conflicts := conflicts || format('change %s (%s %s): %s', one.change, one.shown, one.key, one.what);
    elsif one.kind = 'note' then
      raise notice '%', one.what;
    end if;
  end loop;
  if cardinality(conflicts) > 0 then
    raise exception 'revert of tx %: % of its changes cannot be undone, nothing was changed: %', tx, cardinality(conflicts),
        array_to_string(conflicts[1:10], '; ')
      using errcode = 'VS002', hint = case when force then 'a row that is gone cannot be forced'
                                      else 'vestige.revert(tx, force => true) puts the old values back all the same' end;
  end if;
  perform set_config('vestige.context', coalesce(given, ''), true);
  return undone;
end
$$;

-- The same, for the session that calls it: the application's triggers see the search_path that it has.
create or replace function vestige.revert(tx bigint, force boolean default false) returns bigint language sql as $$
  select vestige.revert_tx(tx, force, pg_catalog.current_setting('search_path'))
$$;

-- The changes of a row after another change, oldest first: under the key that it has, and, where the table's key had other columns
-- then, under the one that it had by these, as long as they stand in the row unchanged.
create or replace function vestige.row_since(tracked_id int, key_text text, after_ bigint) returns bigint[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked := (select k from vestige.tracked k where k.id = tracked_id);
  ids bigint[] := array(select c.id from vestige.row_trail(tracked_id, key_text) c where c.id > after_ and c.op in ('I', 'U', 'D', 'E', 'X')
                          and vestige.key_ids((vestige.shape_row(c.shape)).columns) = vestige.key_ids((vestige.shape_row(t.shape)).columns));
  f record;
  live jsonb;
  parts text[];
begin
  for f in
    select vestige.key_ids(s.columns) as keys, max(c.id) as last
    from vestige.change c join vestige.shape s on s.id = c.shape
    where c.tracked = tracked_id and c.id > after_ and c.op in ('I', 'U', 'D')
      and vestige.key_ids(s.columns) <> vestige.key_ids((vestige.shape_row(t.shape)).columns) group by 1 order by 2 desc
  loop
    live := vestige.live_row(tracked_id, key_text);
    parts := array(select live ->> (c ->> 'name') from unnest(f.keys) with ordinality as k(id, place)
                     join vestige.shape s on s.id = t.shape join lateral jsonb_array_elements(s.columns) c on (c ->> 'id')::int = k.id
                   order by k.place);
    if cardinality(f.keys) = 0 or cardinality(parts) < cardinality(f.keys) or array_position(parts, null) is not null
       or vestige.undo_lost(t, vestige.undo_sql(t, f.keys, 1, 0), f.last) then
      raise exception 'find the changes of a row of %: its key had other columns until change %, and it cannot be told which row it was',
        vestige.shown_name(t.schema_name, t.table_name), f.last using errcode = 'object_not_in_prerequisite_state',
        hint = 'vestige.history shows the changes; vestige revert undoes them';
    end if;
    ids := ids || array(select c.id from vestige.row_trail(tracked_id, case when cardinality(parts) = 1 then parts[1] else vestige.row_of(parts) end) c
                        where c.id > after_ and c.op in ('I', 'U', 'D') and vestige.key_ids((vestige.shape_row(c.shape)).columns) = f.keys);
  end loop;
  return array(select i from unnest(ids) i order by i);
end
$$;
