-- The order of a row's changes. Capture runs when a statement has ended; what a trigger or a cascade did to the same
-- row meanwhile is written down before what the statement did to it, though it came after. So a change that is made
-- inside a trigger gets an id with free ones before it, and the change of the outer statement takes one of those.

-- A change made inside a trigger, or in a transaction where one of this table was.
create or replace function vestige.capture_nested(rel oid, tracked_id int, shape_id int, op "char", key text, new_key text,
  old_row text, new_row text, old_one anyelement, new_one anyelement) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  deepest int := vestige.deepest(tracked_id);
  depth int := pg_trigger_depth();
  next vestige.change;
  ids bigint[];
begin
  if deepest > depth and key is not null then
    begin
      next := vestige.next_change(rel, tracked_id, shape_id, op, key, coalesce(new_key, key), new_row, old_one, new_one);
    exception when program_limit_exceeded or out_of_memory or internal_error then
      next := null;  -- rows too large to be compared
    end;
    if next.room > 0 and not exists (select from vestige.change c where c.id = next.id - 1 and c.at = next.at) then
      perform vestige.write_change(tracked_id, shape_id, op, key, new_key, old_row, new_row, next.id - 1, next.at,
                                   (next.room - 1)::smallint);
      return;
    end if;
  end if;
  if depth = 1 then
    perform vestige.write_change(tracked_id, shape_id, op, key, new_key, old_row, new_row);
    return;
  end if;
  if depth > deepest then
    perform vestige.mark_nested(tracked_id, depth);
  end if;
  -- Other sessions take ids too: only those in a row are free for sure.
  for attempt in 1..5 loop
    select array_agg(nextval('vestige.change_id')) into ids from generate_series(1, 16);
    exit when ids[16] - ids[1] = 15;
  end loop;
  perform vestige.write_change(tracked_id, shape_id, op, key, new_key, old_row, new_row, ids[16], clock_timestamp(),
                               case when ids[16] - ids[1] = 15 then 15::smallint end);
end
$$;

-- The change of this transaction, already written down, that came right after a given one of the same row; null when
-- there is none. The place is right when, before it, the changes lead to the old row, and from it to the row that
-- stands in the table: there is one such place, or they do not touch the same columns. Inside a trigger the outer
-- statement's change may still be missing before it; then what follows decides alone. Where the trail's owner may not
-- read the table, what came before does.
--
-- inserted  the text of an INSERT's row, whose rows may be no rows here (typed_row)
create or replace function vestige.next_change(rel oid, tracked_id int, shape_id int, op "char", key text, new_key text,
  inserted text, old_one anyelement, new_one anyelement) returns vestige.change
language plpgsql set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  s vestige.shape;
  e record;
  old_text text;
  new_text text := inserted;
  live record;
  at_key text;
  known vestige.change[];
  right_place int;
  found vestige.change;
  root oid := coalesce(pg_partition_root(rel), rel);
  untold int[];
begin
  select * into s from vestige.shape where id = shape_id;
  if jsonb_path_exists(s.columns, '$[*].left_out') then
    return null;
  end if;
  untold := array(select i.place::int from jsonb_array_elements(s.columns) with ordinality as i(item, place) where i.item ?| array['redacted', 'encrypted']);
  if op <> 'I' then
    e := vestige.capture_expressions(vestige.comparable(s.columns), true, '($1).', '($2).');
    execute format('select %s, %s', e.old_row, e.new_row) into old_text, new_text using old_one, new_one;
  end if;
  foreach at_key in array case when key = new_key then array[key] else array[key, new_key] end loop
    known := array(
      select c from vestige.change c
      where (c.key_hash = hashtextextended(at_key, tracked_id) and c.key = at_key
             or c.id in (select m.change from vestige.moved m where m.key_hash = hashtextextended(at_key, tracked_id))
                and c.new_key = at_key)
        and c.tracked = tracked_id and c.xid = pg_current_xact_id() and c.at >= transaction_timestamp() - interval '1 day'
      order by c.id desc limit 64);
    continue when cardinality(known) = 0;
    if exists (select from unnest(known) k where k.shape <> shape_id) then
      return null;
    end if;
    live := vestige.standing_row(root, s.columns, at_key = new_key and op <> 'D', old_one, new_one);
    right_place := 0;
    for place in 0..cardinality(known) loop
      continue when not vestige.leads(known[1:place], at_key,
                                      case when op = 'D' or at_key <> new_key then null else new_text end,
                                      live.printed, true, live.told, untold);
      right_place := place;
      exit when vestige.leads(known[place + 1:], at_key, case when op = 'I' or at_key <> key then null else old_text end,
                              null, false, true, untold);
    end loop;
    if right_place > 0 and (found.id is null or known[right_place].id < found.id) then
      found := known[right_place];
    end if;
  end loop;
  return found;
end
$$;

-- Whether changes of the row at a key lead from one state of it to another. A state is a row's text; null: no row.
--
-- known     the changes, newest first
-- untold    the places of columns of which no value is recorded
-- onward    from `start` through all of them to `goal`, where that is told; otherwise back from `start`, wherever that leads
drop function if exists vestige.leads(vestige.change[], text, text, text, boolean, boolean);

create or replace function vestige.leads(known vestige.change[], at_key text, start text, goal text, onward boolean,
  goal_told boolean, untold int[]) returns boolean language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  state text[] := vestige.fields(start);
  stands boolean := start is not null;
  told boolean[] := array_fill(true, array[cardinality(coalesce(vestige.fields(start), vestige.fields(goal), '{}'))]);
  one vestige.change;
  before text[];
  after text[];
  had boolean;
  has boolean;
begin
  for i in 1..cardinality(known) loop
    one := known[case when onward then cardinality(known) + 1 - i else i end];
    had := one.op <> 'I' and one.op <> 'B' and one.key = at_key;
    has := one.op <> 'D' and coalesce(one.new_key, one.key) = at_key;
    before := vestige.fields(coalesce(one.old_row, one.new_row));
    after := vestige.fields(coalesce(one.new_row, one.old_row));
    if not onward then
      select had, has, before, after into has, had, after, before;
    end if;
    if had <> stands then
      return false;
    end if;
    stands := has;
    for f in 1..cardinality(before) loop
      continue when f = any (untold);
      if not had then
        told[f] := one.op <> 'U' or before[f] is not null or after[f] is not null;
        state[f] := after[f];
      elsif one.op <> 'U' or before[f] is not null or after[f] is not null then
        if coalesce(told[f], false) and state[f] is distinct from before[f] then
          return false;
        end if;
        told[f] := true;
        state[f] := after[f];
      end if;
    end loop;
  end loop;
  if not onward or not goal_told then
    return true;
  end if;
  if stands <> (goal is not null) then
    return false;
  end if;
  after := vestige.fields(goal);
  for f in 1..coalesce(cardinality(after), 0) loop
    if coalesce(told[f], false) and f <> all (untold) and state[f] is distinct from after[f] then
      return false;
    end if;
  end loop;
  return true;
end
$$;

-- The row that stands in a table under the key of a given one, as text; not told where the trail's owner may not read it.
create or replace function vestige.standing_row(rel oid, shape_columns jsonb, by_new boolean, old_one anyelement,
  new_one anyelement, out printed text, out told boolean) language plpgsql
set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  e record := vestige.capture_expressions(vestige.comparable(shape_columns), true, 'live.', 'live.');
  fits text;
begin
  -- By the operator of the key's index where that is for this very type, and so nothing is cast for it; else by the function
  -- that the server has for the kind, or by text.
  select string_agg(case
      when k.typtype = 'e' then format('enum_eq(live.%1$s, ($1).%1$s)', vestige.quoted(x.name))
      when u.amopopr is not null then format('live.%1$s operator(%2$s.%3$s) ($1).%1$s', vestige.quoted(x.name),
                                             vestige.quoted(n.nspname), o.oprname)
      else format('row(live.%1$s)::text = row(($1).%1$s)::text', vestige.quoted(x.name)) end, ' and ') into fits
  from jsonb_to_recordset(shape_columns) as x(name text, key int, attnum int)
    join pg_attribute a on a.attrelid = rel and a.attname = x.name
    join pg_type k on k.oid = a.atttypid
    left join lateral (
      select p.amopopr from pg_index i, unnest(i.indkey::int2[], i.indclass::oid[]) as k(attnum, class)
        join pg_opclass c on c.oid = k.class
        join pg_amop p on p.amopfamily = c.opcfamily and p.amoplefttype = c.opcintype and p.amoprighttype = c.opcintype
          and p.amopstrategy = 3
      where i.indrelid = rel and i.indisunique and k.attnum = a.attnum
        and (c.opcintype = a.atttypid or a.atttypid in ('varchar'::regtype, 'cidr'::regtype)) limit 1) u on true
    left join pg_operator o on o.oid = u.amopopr left join pg_namespace n on n.oid = o.oprnamespace
  where x.key > 0;
  execute format('select %s from %s %s as live where %s', e.new_row,
                 case when exists (select from pg_class where oid = rel and relkind = 'p') then '' else 'only' end,
                 rel::regclass, coalesce(fits, 'false'))
    into printed using case when by_new then new_one else old_one end;
  told := true;
exception when insufficient_privilege or undefined_function or datatype_mismatch or wrong_object_type then
  told := false;
end
$$;
