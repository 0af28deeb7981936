-- Undoing changes: all of them, or none.

-- Undoes changes by a statement for all of them; deferrable constraints are left deferred. docs/decisions/0015.
--
-- mode      refuse: nothing is done where there is a conflict; skip: what conflicts is left alone, column by column; force: it
--           gets its old values all the same
-- wanted    the columns to undo; then only of UPDATEs. null: all
-- patch     gives the statements, too
-- path      the search_path that triggers of the application are to have; null: the session's own
-- alone     nothing else is undone with it: what was deferred is checked, and fires, before it is looked whether all is as it was
-- out       kind: conflict (of a change: what, which columns; hard: force does not help), note, statement, or last of all done:
--           how many changes were undone
create or replace function vestige.undo_at_once(ids bigint[], mode text, wanted text[], patch boolean, path text, alone boolean)
returns table (kind text, change bigint, what text, columns text[], hard boolean) language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  rows vestige.undo_row[] := '{}';
  goal vestige.undo_row[];
  tables jsonb := '[]';
  kept bigint[];
  keys jsonb;
  t vestige.tracked;
  u record;
  q jsonb;
  conflicts int := 0;
  applied bigint := 0;
  wrong record;
  others bigint;
  since bigint;
  apart bigint;
  watched boolean;
  steps text[];
  said text;
  why text;
begin
  path := coalesce(path, (select reset_val from pg_settings where name = 'search_path'));
  for change, what in
    select c.id, case when c.op in ('E', 'X') then 'an erasure cannot be undone'
                      else format('its values were erased by change %s', vestige.erased_parts(c.id) ->> 'values') end
    from unnest(ids) i(id) join vestige.change c on c.id = i.id
    where c.op in ('E', 'X') or c.op in ('I', 'U', 'D') and c.old_row is null and c.new_row is null order by c.id desc
  loop
    return query select 'conflict', change, what, null::text[], true;
    conflicts := conflicts + 1;
  end loop;
  for change, what, columns, why in select x.* from vestige.undo_unrecorded(ids, wanted, mode = 'force') x loop
    if mode = 'force' then
      return query select 'note', null::bigint, format('change %s: %s', change, what), null::text[], false;
    else
      return query select 'conflict', change, what, columns, false;
      conflicts := conflicts + 1;
    end if;
    if why <> 'U' then
      ids := array_remove(ids, change);
    end if;
  end loop;
  for t in select k.* from vestige.tracked k where k.id in (select c.tracked from unnest(ids) i(id) join vestige.change c on c.id = i.id
                                                            where c.op in ('I', 'U', 'D')) order by k.id loop
    select array_agg(c.id), jsonb_agg(distinct to_jsonb(vestige.key_ids(s.columns))), count(*) filter (where c.op <> 'U')
      into kept, keys, others
    from unnest(ids) i(id) join vestige.change c on c.id = i.id join vestige.shape s on s.id = c.shape
    where c.tracked = t.id and c.op in ('I', 'U', 'D') and (c.old_row is not null or c.new_row is not null);
    continue when kept is null;
    if jsonb_array_length(keys) > 1 then
      raise exception 'undo changes of %: their key has other columns in some than in others', vestige.shown_name(t.schema_name, t.table_name)
        using errcode = 'VS005', hint = 'undo them one by one, the newest first';
    end if;
    if wanted is not null and others > 0 then
      return query select 'note', null::bigint, format('%s: %s rows that were inserted or deleted are left alone: only columns are undone',
        vestige.shown_name(t.schema_name, t.table_name), others), null::text[], false;
    end if;
    u := vestige.undo_rows(t, kept, wanted, mode = 'force');
    for i in 1..coalesce(cardinality(u.conflicted), 0) loop
      return query select 'conflict', u.conflicted[i], ltrim(u.whats[i], '!'), array(select json_array_elements_text(u.wheres[i]::json)), u.whats[i] like '!%';
      conflicts := conflicts + 1;
    end loop;
    continue when u.rows is null;
    applied := applied + (select coalesce(sum(cardinality(r.changes)), 0) from unnest(u.rows) r where r.op is null);
    q := vestige.undo_sql(t, array(select k::int from jsonb_array_elements_text(keys -> 0) k), cardinality(rows) + 1, cardinality(rows) + cardinality(u.rows),
                          vestige.undo_absent(t, kept));
    rows := rows || u.rows;
    tables := tables || jsonb_build_array(q);
    -- A row whose key went to other columns since is the one that has the former key's values now, unless these were changed.
    if keys -> 0 <> to_jsonb(vestige.key_ids((vestige.shape_row(t.shape)).columns)) then
      return query select 'note', null::bigint, format('%s: its key has other columns now; rows are found by the former ones, %s', q ->> 'shown',
        (select string_agg(k ->> 'name', ', ') from jsonb_array_elements(q -> 'columns') k where keys -> 0 @> (k -> 'id')::text::jsonb)), null::text[], false;
      if vestige.undo_lost(t, q, (select max(i) from unnest(kept) i)) then
        raise exception 'undo changes of %: their key has other columns now, and the former ones were changed since', q ->> 'shown'
          using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.history shows the changes';
      end if;
    elsif keys -> 0 = '[]' then
      return query select 'note', null::bigint, format('%s has no key: of rows that are equal, any is put back', q ->> 'shown'), null::text[], false;
    end if;
    u := vestige.undo_look(q, rows, mode);
    rows := u.rows;
    for i in 1..coalesce(cardinality(u.conflicted), 0) loop
      columns := array(select json_array_elements_text(u.wheres[i]::json));
      return query select 'conflict', u.conflicted[i], coalesce(vestige.undo_untold(u.conflicted[i], columns), ltrim(u.whats[i], '!')), columns, u.whats[i] like '!%';
      conflicts := conflicts + 1;
    end loop;
    return query select * from vestige.undo_notes(t, q, rows, kept);
  end loop;
  if mode = 'refuse' and conflicts > 0 then
    return;
  end if;
  if not exists (select from unnest(rows) r where r.op is not null) then
    return query select 'done', 0::bigint, null::text, null::text[], false;
    return;
  end if;
  applied := applied + (select count(distinct x) from unnest(rows) r, unnest(r.changes) x where r.op is not null);
  perform vestige.undo_spares(tables, rows);
  since := (select max(c.id) from vestige.change c);
  set constraints all deferred;
  begin
    perform vestige.undo_apply(tables, rows, path);
    if alone then
      perform vestige.check_constraints(path);
    end if;
  exception when integrity_constraint_violation then
    if cardinality(ids) < 2 or not alone then
      raise;
    end if;
    get stacked diagnostics said = message_text, why = pg_exception_detail;
  end;
  if said is not null then
    steps := array(select vestige.undo_steps(ids, wanted, path));
    begin
      perform vestige.check_constraints(path);
    exception when integrity_constraint_violation then
      null;  -- what is left to do may mend it
    end;
  elsif patch then
    steps := array(select vestige.undo_patch(tables, rows));
  end if;
  watched := said is not null or wanted is null and vestige.undo_watched(tables) and vestige.whole_transactions(ids);
  -- The application's triggers may have changed rows again.
  goal := vestige.undo_goal(tables, rows);
  for pass in 1..4 loop
    apart := 0;
    if watched then
      u := vestige.undo_besides(tables, goal, since);
      tables := u.tables;
      goal := u.goal;
      apart := u.apart;
    end if;
    wrong := vestige.undo_amiss(tables, goal);
    exit when wrong.amiss + wrong.other + apart = 0;
    if pass = 4 then
      if said is not null then
        raise exception 'undo of % changes: %', cardinality(ids), said using errcode = 'integrity_constraint_violation', detail = why;
      elsif wrong.amiss > 0 or wrong.vain and apart = 0 and not exists (select from unnest(goal) r where r.op in ('I', 'D')) then
        raise exception 'revert: % rows of % are not what they were', greatest(wrong.amiss, wrong.other), wrong.shown
          using errcode = 'VS003', hint = vestige.undo_hint(array(select (x ->> 'rel')::oid from jsonb_array_elements(tables) x));
      end if;
      return query select 'note', null::bigint, format('%s: %s rows have other values than they had%s: a trigger of the application changes them',
        concat_ws(', ', wrong.shown, (select string_agg(x ->> 'shown', ', ') from jsonb_array_elements(tables) x
                                      where x -> 'keys' = '[]' and x ? 'besides')), wrong.other + apart,
        ' in ' || array_to_string(wrong.columns, ', ')), null::text[], false;
      exit;
    end if;
    rows := goal;
    for q in select x from jsonb_array_elements(tables) x loop
      if q -> 'keys' = '[]' and q ? 'besides' then
        continue;
      elsif q -> 'keys' = '[]' or pass = 3 and not q ? 'besides' then  -- what a trigger insists on is written twice, not more
        rows := rows[:(q ->> 'first')::int - 1]
          || (select array_agg(row(null, null, null, null, null)::vestige.undo_row)
              from generate_series((q ->> 'first')::int, (q ->> 'last')::int))
          || rows[(q ->> 'last')::int + 1:];
      else
        u := vestige.undo_look(q, rows, 'force');
        rows := u.rows;
      end if;
    end loop;
    begin
      set constraints all deferred;
      perform vestige.undo_apply(tables, rows, path);
      if alone then
        perform vestige.check_constraints(path);
      end if;
      if patch then
        steps := steps || array(select vestige.undo_patch(tables, rows));
      end if;
      if exists (select from unnest(rows) r where r.op is not null) then
        said := null;
      end if;
    exception when sqlstate 'VS003' or insufficient_privilege then
      null;
    when integrity_constraint_violation then
      get stacked diagnostics said = message_text, why = pg_exception_detail;
    end;
  end loop;
  if alone then
    perform vestige.check_constraints(path);
  end if;
  if patch then
    return query select 'statement', null::bigint, x, null::text[], false from unnest(steps) x;
  end if;
  return query select 'note', null::bigint, format('%s: triggers of the application changed it, too', vestige.shown_name(k.schema_name, k.table_name)),
      null::text[], false
    from vestige.tracked k where k.id in (select c.tracked from vestige.change c where c.id > since and c.xid = pg_current_xact_id_if_assigned())
      and not exists (select from jsonb_array_elements(tables) x where (x ->> 'tracked')::int = k.id) order by k.id;
  return query select 'done', applied, null::text, array(select x ->> 'shown' from jsonb_array_elements(tables) x
    where not x ? 'besides' and exists (select from unnest(goal[(x ->> 'first')::int:(x ->> 'last')::int]) r where r.op is not null)), false;
end
$$;

drop function if exists vestige.undo_left_out(bigint);

-- The columns of a change, as they are called today, whose values are not in the trail on some side (1: old, 2: new), and why.
create or replace function vestige.undo_missing(change_id bigint) returns table (name text, place int, sides int, why text) language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce((select x ->> 'name' from vestige.shape n, jsonb_array_elements(n.columns) x where n.id = t.shape and x -> 'id' = i.item -> 'id'),
                  i.item ->> 'name'), i.place::int, coalesce((i.item ->> 'left_out')::int, case c.op when 'I' then 2 when 'D' then 1 else 3 end),
         case when i.item ? 'left_out' then 'too large to be recorded' when i.item ? 'encrypted' then 'encrypted' else 'redacted' end
  from vestige.change c join vestige.shape s on s.id = c.shape join vestige.tracked t on t.id = c.tracked,
    jsonb_array_elements(s.columns) with ordinality as i(item, place)
  where c.id = change_id and (i.item ? 'left_out'
    or i.item ?| array['redacted', 'encrypted'] and (c.op <> 'U'
      or (vestige.fields(c.old_row))[i.place] is distinct from (vestige.fields(c.new_row))[i.place]))
$$;

-- The changes that are left as they are in columns of which a value is not in the trail, too large, redacted or encrypted: it cannot be put
-- back, whatever is forced, or it cannot be told whether it has changed since.
create or replace function vestige.undo_unrecorded(ids bigint[], wanted text[], force boolean)
returns table (change bigint, what text, columns text[], op text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  shapes int[] := array(select s.id from vestige.shape s where jsonb_path_exists(s.columns, '$[*] ? (exists (@.left_out) || exists (@.redacted) || exists (@.encrypted))'));
begin
  return query
    select c.id, format('%s: %s, so %s left as it is', string_agg(l.name, ', ' order by l.place), string_agg(distinct l.why, ' or '),
                        case when c.op = 'U' then 'it is' else 'the row is' end),
           array_agg(l.name order by l.place), c.op::text
    from (select x.* from unnest(ids) i(id) join vestige.change x on x.id = i.id where x.shape = any (shapes) offset 0) c,
      vestige.undo_missing(c.id) l
    where (c.op in ('I', 'D') and wanted is null or c.op = 'U' and (wanted is null or l.name = any (wanted)))
      and (not force or l.sides & 1 = 1 or c.op = 'U' and (vestige.fields(c.old_row))[l.place] is null)
      and (c.old_row is not null or c.new_row is not null)
    group by c.id, c.op order by c.id desc;
end
$$;

-- What to say of a conflict in columns whose values after a change are not in the trail; null where they are.
create or replace function vestige.undo_untold(change_id bigint, columns text[]) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select format('%s: whether it has changed since cannot be told, since it was %s', string_agg(l.name, ', ' order by l.place),
                string_agg(distinct l.why, ' or '))
  from vestige.undo_missing(change_id) l where l.sides & 2 = 2 and l.name = any (columns) having count(*) > 0
$$;

-- Whether the columns that once were a table's key were changed after the key went to others.
create or replace function vestige.undo_lost(t vestige.tracked, q jsonb, after_ bigint) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  lost boolean;
begin
  execute format('select exists (select from (select %s as o, %s as n from vestige.change c where c.tracked = $1 and c.id > $2 and c.op = ''U'') c,'
                 ' lateral (select vestige.fields(c.o) as o, vestige.fields(c.n) as n) f where %s)',
    vestige.row_of_today(t, 'old_row', null, true), vestige.row_of_today(t, 'new_row', null, true),
    (select string_agg(format('f.o[%1$s] is distinct from f.n[%1$s]', c ->> 'place'), ' or ') from jsonb_array_elements(q -> 'columns') c
     where q -> 'keys' @> (c -> 'id'))) into lost using t.id, after_;
  return lost;
end
$$;

-- The columns, by their ids, that a table has and did not have when any of these changes inserted or deleted a row.
create or replace function vestige.undo_absent(t vestige.tracked, ids bigint[]) returns int[] language sql stable
set search_path = pg_catalog, pg_temp as $$
  with came as materialized (
    select z.columns from vestige.shape z
    where z.id in (select c.shape from unnest(ids) i join vestige.change c on c.id = i where c.op in ('I', 'D')))
  select array(
    select (c ->> 'id')::int from vestige.shape s, jsonb_array_elements(s.columns) c
    where s.id = t.shape and exists (select from came)
      and not exists (select from came, jsonb_array_elements(came.columns) x where x -> 'id' = c -> 'id'))
$$;

drop function if exists vestige.undo_notes(vestige.tracked, jsonb, vestige.undo_row[]);

-- What of a table's rows cannot be put back: columns that are gone, and those that are not recorded.
create or replace function vestige.undo_notes(t vestige.tracked, q jsonb, rows vestige.undo_row[], ids bigint[])
returns table (kind text, change bigint, what text, columns text[], hard boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query select 'note', null::bigint, format('%s.%s cannot be put back: the column is gone', q ->> 'shown', g), null::text[], false
    from jsonb_array_elements_text(q -> 'gone') g;
  -- Of columns that the table had when it was changed, and has no more.
  return query
    with missing as (
      select z.id as shape, i.item ->> 'name' as name, i.place::int as place
      from vestige.shape z, jsonb_array_elements(z.columns) with ordinality as i(item, place)
      where z.tracked = t.id and not exists (select from jsonb_array_elements(q -> 'columns') c where c -> 'id' = i.item -> 'id'))
    select 'note', null::bigint, format('%s.%s cannot be put back: %s', q ->> 'shown', m.name,
        case when exists (select from jsonb_array_elements(q -> 'columns') c where c ->> 'name' = m.name) then 'another column has this name now'
             when exists (select from pg_attribute a where a.attrelid = (q ->> 'rel')::oid and a.attname = m.name) then 'the column is not recorded any more'
             else 'the column is gone' end), null::text[], false
    from (select distinct m.name from missing m join vestige.change c on c.shape = m.shape
          where c.id = any (ids) and c.op in ('U', 'D')
            and (vestige.fields(c.old_row))[m.place] is distinct from (vestige.fields(c.new_row))[m.place]) m order by m.name;
  if exists (select from unnest(rows[(q ->> 'first')::int:(q ->> 'last')::int]) r where r.op = 'D') then
    return query select 'note', null::bigint, format('%s: column %s is not recorded, it cannot be restored and has its default', q ->> 'shown', a.attname),
        null::text[], false
      from pg_attribute a where a.attrelid = (q ->> 'rel')::oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and not exists (select from jsonb_array_elements(q -> 'columns') c where (c ->> 'attnum')::int = a.attnum) order by a.attnum;
  end if;
end
$$;

-- Undoes one change, if the row is as the change left it, or else if `anyway`.
--
-- done       applied, nothing (it is undone already, or there is nothing to undo), conflict: nothing was done
-- conflict   what is not as the change left it; columns: which
-- statement  the SQL that does it, for people to read; notes: what could not be put back, and why
create or replace function vestige.undo(change_id bigint, anyway boolean default false, out done text, out conflict text,
  out columns text[], out statement text, out notes text[]) language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  one record;
begin
  if not exists (select from vestige.change c where c.id = change_id) then
    raise exception 'undo: there is no change %', change_id using errcode = 'no_data_found';
  end if;
  done := 'nothing';
  for one in select u.* from vestige.undo_changes(array[change_id], case when anyway then 'force' else 'refuse' end, null, true) u loop
    case one.kind
      when 'conflict' then
        conflict := one.what;
        columns := nullif(one.columns, '{}');
        if not anyway or one.hard then
          done := 'conflict';
        end if;
      when 'note' then notes := notes || one.what;
      when 'statement' then statement := one.what;
      else
        if done <> 'conflict' and one.change > 0 then
          done := 'applied';
        end if;
    end case;
  end loop;
end
$$;
