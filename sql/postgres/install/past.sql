-- Tables as they were: the live rows, and over those that were changed since, what their changes say they were.

-- A row's text as a value whose fields can be named: f1, f2, ... There are four widths; a text is filled up with empty
-- fields to the next one. The server parses it, at a hundredth of the cost of vestige.fields.
do $types$
declare
  width int;
begin
  foreach width in array array[16, 64, 256, 1600] loop
    if to_regtype(format('vestige.fields_%s', width)) is null then
      execute format('create type vestige.fields_%s as (%s)', width,
                     (select string_agg(format('f%s text', i), ', ' order by i) from generate_series(1, width) i));
    end if;
  end loop;
end
$types$;

-- The last change that the clock placed at or before a moment; 0: none. Ids and times go up together, but for sessions
-- that waited between taking the one and the other, and for clocks that were set back. So the search looks at sixteen
-- changes at a time, and reads on for a minute's changes; a clock that went back by more may give an earlier change.
create or replace function vestige.change_at(moment timestamptz) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  low bigint := (select c.id from vestige.change c order by c.id limit 1);
  high bigint := (select c.id + 1 from vestige.change c order by c.id desc limit 1);
  middle bigint;
  earliest timestamptz;
begin
  while high - low > 1000 loop
    middle := low + (high - low) / 2;
    select min(b.at) into earliest from (select c.at from vestige.change c where c.id >= middle order by c.id limit 16) b;
    if earliest > moment + interval '1 minute' or earliest is null then
      high := middle;
    else
      low := middle;
    end if;
  end loop;
  return coalesce((select c.id from vestige.change c where c.id < high and c.at <= moment order by c.id desc limit 1), 0);
end
$$;

-- The tracked table behind a relation, or an error that says why there is none.
create or replace function vestige.tracked_table(rel oid, verb text) returns vestige.tracked language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
begin
  if (select relispartition from pg_class where oid = rel) then
    raise exception '%: % is a partition', verb, rel::regclass using errcode = 'wrong_object_type',
      hint = format('ask for %s', pg_partition_root(rel));
  end if;
  select k.* into t from vestige.tracked k, pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = rel and (k.relation = rel or (k.schema_name, k.table_name) = (n.nspname, c.relname))
  order by k.untracked_at is not null, k.relation = rel desc, k.id desc limit 1;
  if t.id is null then
    raise exception '%: % is not tracked', verb, rel::regclass using errcode = 'undefined_object',
      hint = format('select vestige.track(%L)', rel::regclass);
  end if;
  return t;
end
$$;

-- The SQL that gives the rows of one table as they were just after a change.
--
-- rel      where the live rows are; null: the table is gone
-- wanted   the columns to give: [{"id": of the column in the shapes, null: it is not recorded, or was not there,
--          "live": its number in rel, null: it is gone, "shown": the name that it has, "kind", "type"}, ...]
-- result   the relation whose row type is wanted, columns by place; null: one JSON object, and the key to sort by
-- after,   only the rows under keys that changes after the one, and up to the other, name; of a row whose values were erased
-- until    the JSON is then '?'; both null: every row that is known
drop function if exists vestige.past_rows(vestige.tracked, bigint, oid, jsonb, oid);
create or replace function vestige.past_rows(t vestige.tracked, upto bigint, rel oid, wanted jsonb, result oid,
                                             after bigint, until bigint) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  s vestige.shape := vestige.shape_row(t.shape);
  keys jsonb := (select jsonb_agg(c order by (c ->> 'key')::int) from jsonb_array_elements(s.columns) c where c ->> 'key' <> '0');
  n_keys int := coalesce(jsonb_array_length(keys), 0);
  by_text boolean := false;
  moves boolean;
  erased boolean;               -- parts of changes after the moment were
  widths int[] := array[16, 64, 256, 1600];
  width int;
  padding text;
  wholes text;
  key_width int;
  key_parts text[] := '{}';     -- of the key that the row had: its text, by key column
  key_values text[] := '{}';    -- the same as values of the live columns
  joined text[] := '{}';
  join_values text[] := '{}';
  sorts text[] := '{}';
  live_sorts text[] := '{}';
  aggregates text := '';
  alone text[] := '{}';
  changed text[] := '{}';
  w record;
  field text;
  left_out text;                -- the condition that a column's value was left out of a change, and of the row before it
  hidden text;                  -- why it is not told; null where it is
  told text;                    -- and the shapes in which a value that did not change is, though all are written down
  reason text;
  plain text;
  same_kind boolean;
  other_keys int[];
  live_text text;
  null_text text;
  title text;
  fits text;
  others text;
  touched text;                 -- the keys of the rows that are wanted
  known text := '';             -- the condition that a row's values were not erased
  was text;
  stream text;
  entries text;
begin
  if n_keys = 0 then
    raise exception 'read %.% at a moment: it is tracked without a key', t.schema_name, t.table_name
      using errcode = 'object_not_in_prerequisite_state',
            hint = 'vestige.history shows its changes; give it a primary key, or track it with a key over a unique constraint';
  end if;
  other_keys := array(
    select p.id from vestige.shape p where p.tracked = t.id and
      (select jsonb_agg(x -> 'id' order by (x ->> 'key')::int) from jsonb_array_elements(p.columns) x where x ->> 'key' <> '0')
      is distinct from (select jsonb_agg(x -> 'id' order by (x ->> 'key')::int) from jsonb_array_elements(keys) x));
  if cardinality(other_keys) > 0 and exists (
      select from vestige.change c where c.tracked = t.id and c.id > upto and c.op <> 'T' and c.shape = any (other_keys)) then
    raise exception 'read %.% at a moment: its key had other columns since', t.schema_name, t.table_name
      using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.history shows its changes';
  end if;
  moves := exists (select from vestige.moved m where m.change > upto)
    and exists (select from vestige.change c where c.tracked = t.id and c.id > upto and c.new_key is not null);
  erased := exists (select from vestige.erased e join vestige.change c on c.id = e.erased
                    where e.erased > upto and c.tracked = t.id and e.parts !~ '^context=');
  if erased then
    raise warning 'read %.% at a moment: later changes were erased: what their rows were is not known, and is left out',
      t.schema_name, t.table_name;
  end if;

  -- How the rows of each shape are read.
  select min(v) into width from unnest(widths) v
  where v >= (select max(jsonb_array_length(columns)) from vestige.shape where tracked = t.id);
  select case when count(*) = 1 then quote_literal(min(pad))
              else 'case ' || string_agg(format('when shape = any (%L) then %L', shapes, pad), ' ') || ' end' end
    into padding
  from (select repeat(',', width - jsonb_array_length(columns)) || ')' as pad, array_agg(id) as shapes
        from vestige.shape where tracked = t.id group by 1) p;
  wholes := (select format(' or shape = any (%L)', array_agg(id)) from vestige.shape where tracked = t.id and whole having count(*) > 0);

  -- The key: the text that the change has, and what it is in the live table.
  select min(v) into key_width from unnest(widths) v where v >= n_keys;
  for w in
    select k.place, k.item ->> 'type' as type, a.attnum, a.attname, a.attcollation, format_type(a.atttypid, a.atttypmod) as live_type,
           (k.item ->> 'exact')::boolean as exact, b.builtin,
           (select format('%I.%I', n.nspname, l.collname) from pg_collation l join pg_namespace n on n.oid = l.collnamespace
            where l.oid = a.attcollation) as collation
    from jsonb_array_elements(keys) with ordinality as k(item, place)
      left join jsonb_array_elements(wanted) x on (x ->> 'id')::int = (k.item ->> 'id')::int
      left join pg_attribute a on a.attrelid = rel and a.attnum = (x ->> 'live')::int
      left join lateral (select y.typnamespace = 'pg_catalog'::regnamespace as builtin
                         from pg_type y where y.oid = a.atttypid) b on true
    order by k.place
  loop
    key_parts := key_parts || case when n_keys = 1 then 't.key' else format('(t.was).f%s', w.place) end;
    if rel is not null and w.attnum is null then
      raise exception 'read %.% at a moment: a column of its key is gone', t.schema_name, t.table_name
        using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.history shows its changes';
    end if;
    if rel is null then
      sorts := sorts || (key_parts[w.place] || coalesce('::' || vestige.plain_type(w.type), ''));
      continue;
    end if;
    by_text := by_text or not coalesce(w.exact and w.builtin, false);
    plain := vestige.plain_type(w.live_type);
    if plain is null then
      sorts := sorts || key_parts[w.place];
      live_sorts := live_sorts || format('concat(live.%I)', w.attname);
    else
      sorts := sorts || (format('(%s)::%s', key_parts[w.place], plain) || coalesce(' collate ' || w.collation, ''));
      live_sorts := live_sorts || format('live.%I::%s', w.attname, plain);
    end if;
    continue when not (w.exact and w.builtin);
    joined := joined || format('live.%I = t.k%s%s', w.attname, w.place, case when w.attcollation <> 0 then ' collate "C"' else '' end);
    join_values := join_values || format('%s as k%s', vestige.value_expression(rel, w.attnum,
      case when n_keys = 1 then 't.stands' else format('(t.now).f%s', w.place) end), w.place);
  end loop;

  for w in
    select x.*, i.place, a.attname, k.key from jsonb_array_elements(wanted) with ordinality as i(item, place),
      jsonb_to_record(i.item) as x(id int, live int, shown text, kind text, type text)
      left join pg_attribute a on a.attrelid = rel and a.attnum = x.live
      left join lateral (select (c ->> 'key')::int as key from jsonb_array_elements(keys) c where (c ->> 'id')::int = x.id) k
        on true
    order by i.place
  loop
    was := null;
    hidden := null;
    told := null;
    same_kind := true;
    if w.key > 0 then
      was := key_parts[w.key];
    elsif w.id is not null then
      -- Where the column stands in the rows of each shape, and how its text was shown there.
      select case when count(*) = 1 and not bool_or(partial) then min(f.field)
                  else 'case ' || string_agg(format('when shape = any (%L) then %s', shapes, f.field), ' ') || ' end' end,
             bool_and(f.same_kind)
        into field, same_kind
      from (select format('(o).f%s', p.n) as field, array_agg(z.id) as shapes, bool_and(p.item ->> 'kind' = w.kind) as same_kind,
                   count(*) < (select count(*) from vestige.shape where tracked = t.id) as partial
            from vestige.shape z, jsonb_array_elements(z.columns) with ordinality as p(item, n)
            where z.tracked = t.id and (p.item ->> 'id')::int = w.id group by 1) f;
      select x.* into left_out, hidden, told, reason from vestige.withheld(t.id, w.id) x;
      left_out := format('op in (''D'', ''B'') or %s is not null or %s is not null%s%s', field, replace(field, '(o).f', '(n).f'),
                         case when told is null then wholes else ' or (' || substr(wholes, 5) || told || ')' end, left_out);
      aggregates := aggregates || format(E',\n      array_agg(%1$s) filter (where %2$s) as a%3$s', field, left_out, w.place)
        || case when hidden is null then '' else format(E',\n      array_agg(%s) filter (where %s) as u%s', hidden, left_out, w.place) end;
      was := case when hidden is null or result is null then format('t.a%s[1]', w.place)
                  else format('case when t.u%1$s[1] is null then t.a%1$s[1] when t.u%1$s[1] = ''encrypted'' then vestige.not_in_clear(t.a%1$s[1], %2$L, %3$L) end', w.place, vestige.shown_name(t.schema_name, t.table_name), w.shown) end;
    end if;
    -- What stands in a row that was left alone, and in one that was changed: the first value that a change took away.
    if result is not null then
      null_text := format('(null::%s).%I', result::regclass, w.shown);
      live_text := case when w.attname is null or w.id is null and coalesce(w.kind, '') <> 'unnoticed' then null_text
                        else format('live.%I', w.attname) end;
      alone := alone || live_text;
      changed := changed || case
        when w.id is null or w.attname is null then live_text
        when w.key > 0 then vestige.value_expression(rel, w.live, was)
        else format('case when t.a%s is null then %s else %s end', w.place, live_text,
                    vestige.value_expression(rel, w.live, was)) end;
      if reason is not null then
        raise warning 'read %.% at a moment: values of % that were % are shown as null',
          t.schema_name, t.table_name, w.shown, reason;
      end if;
    else
      title := quote_literal(case when w.place > 1 then ',' else '' end || to_json(w.shown) || ':');
      was := vestige.json_expression(case when same_kind then w.kind else 'text' end, w.type, was);
      if hidden is not null then
        was := format('case t.u%1$s[1] when ''unrecorded'' then %2$L when ''redacted'' then %3$L when ''encrypted'' then vestige.value_json(''encrypted'', null, t.a%1$s[1]) else %4$s end', w.place,
                      vestige.value_json('unrecorded', null, null), vestige.value_json('redacted', null, null), was);
      end if;
      if w.attname is not null then
        live_text := vestige.json_expression(w.kind, w.type,
          format('case when live.%1$I is distinct from null then concat(live.%1$I) end', w.attname));
        alone := alone || title || live_text;
      end if;
      changed := changed || case
        when w.key > 0 then format('%s, %s', title, was)
        when w.attname is null then format('case when t.a%s is not null then concat(%s, %s) end', w.place, title, was)
        else format('%s, case when t.a%s is null then %s else %s end', title, w.place, live_text, was) end;
    end if;
  end loop;

  -- The changes after the moment, by the key that their row had then.
  stream := format($q$select key, id, op, shape, new_key, key collate "C" as was_key,
          case op when 'B' then new_row else old_row end as before, case op when 'U' then new_row end as after
        from vestige.change where tracked = %s and id > %s and op in ('I', 'U', 'D', 'B') and key is not null$q$, t.id, upto);
  if moves then
    -- Under each key one row after the other: the one that was there at the moment has part 0; a row that comes begins
    -- a new part. A change of the key leads from a part of one key to a part of another.
    stream := format($q$with recursive later as materialized (%s),
        event as (
          select k, id, arrives, sum(begins) over (partition by k order by id) as part
          from (select key as k, id, false as arrives, case op when 'I' then 1 else 0 end as begins from later
                union all select new_key, id, true, 1 from later where new_key is not null) e),
        step as (
          select l.k as from_key, l.part as from_part, a.k as to_key, a.part as to_part
          from event l join event a on a.id = l.id and a.arrives and not l.arrives),
        row_part as (
          select distinct k collate "C" as was_key, k, part from event where part = 0
          union all
          select p.was_key, s.to_key, s.to_part from row_part p join step s on s.from_key = p.k and s.from_part = p.part)
        select l.key, l.id, l.op, l.shape, l.new_key, p.was_key, l.before, l.after
        from later l join event e on e.id = l.id and not e.arrives join row_part p on p.k = e.k and p.part = e.part$q$, stream);
  end if;
  entries := format($q$select was_key as key, %s as stands, (array_agg(op))[1] as first%s
    from (select * from (%s) c order by was_key, id offset 0) c,
      lateral (select (left(before, -1) || %s)::vestige.fields_%s as o, (left(after, -1) || %s)::vestige.fields_%s as n offset 0) p
    group by was_key$q$,
    case when moves then '(array_agg(case when op <> ''D'' then coalesce(new_key, key) end))[count(*)]' else 'was_key' end,
    aggregates || case when erased then $q$,
      coalesce(min(id) filter (where op in ('U', 'D', 'B') and before is null)
        <= coalesce(min(id) filter (where op in ('I', 'D', 'B')), 9223372036854775807), false) as unknown$q$ else '' end,
    stream, padding, width, padding, width);
  if moves then
    -- Keys that are of other rows now, or of none.
    entries := format($q$with entry as materialized (%s)
    select * from entry union all
    select k, k, 'I'%s from (select key as k from vestige.change where tracked = %s and id > %s and key is not null
                           union select new_key from vestige.change where tracked = %s and id > %s and new_key is not null) e
    where not exists (select from entry where stands = k)$q$, entries,
      (select coalesce(string_agg(', null::text[]', ''), '')
       from regexp_matches(aggregates, 'array_agg', 'g')) || case when erased then ', false' else '' end, t.id, upto, t.id, upto);
  end if;
  if n_keys > 1 then
    entries := format('select t.*, (left(t.key, -1) || %1$L)::vestige.fields_%2$s as was,'
                      ' (left(t.stands, -1) || %1$L)::vestige.fields_%2$s as now from (%3$s) t offset 0',
                      repeat(',', key_width - n_keys) || ')', key_width, entries);
  end if;
  if erased and until is null then
    known := ' and not t.unknown';
  end if;
  if until is not null then
    touched := format($q$select key collate "C" as stands from vestige.change
        where tracked = %1$s and id > %2$s and id <= %3$s and key is not null
      union select new_key collate "C" from vestige.change
        where tracked = %1$s and id > %2$s and id <= %3$s and new_key is not null$q$, t.id, after, until);
    known := format(' and t.key collate "C" in (select stands from (%s) w)', touched);
  end if;
  if result is null then
    -- A function takes 100 arguments at most, and a column may be two of them.
    select coalesce(string_agg(format('concat(%s)', members), ' || ' order by part), '''''') into plain
    from (select string_agg(one, ', ' order by place) as members, place / 40 as part
          from unnest(alone) with ordinality as a(one, place) group by 2) s;
    alone := array[format('''{'' || %s || ''}'' as json', plain)] || live_sorts;
    select coalesce(string_agg(format('concat(%s)', members), ' || ' order by part), '''''') into plain
    from (select string_agg(one, ', ' order by place) as members, place / 40 as part
          from unnest(changed) with ordinality as a(one, place) group by 2) s;
    changed := array[format(case when erased and until is not null then 'case when t.unknown then ''?'' else ''{'' || %s || ''}'' end as json'
                            else '''{'' || %s || ''}'' as json' end, plain)] || sorts;
  end if;
  if rel is null then
    return format(E'select %s\nfrom (%s) t where t.first <> ''I''%s', array_to_string(changed, ', '), entries, known);
  end if;
  if by_text then
    fits := format('(%s) collate "C" = t.stands collate "C"', (vestige.capture_expressions(
      (select jsonb_agg(to_jsonb(l) || jsonb_build_object('key', k -> 'key') order by (k ->> 'key')::int)
       from jsonb_array_elements(keys) k join jsonb_array_elements(wanted) x on x ->> 'id' = k ->> 'id'
         join vestige.live_columns(rel) l on l.attnum = (x ->> 'live')::int), true, 'live.', 'live.')).new_key);
    join_values := '{}';
  else
    fits := array_to_string(joined, ' and ');
  end if;
  join_values := array['t.*'] || join_values;
  -- The live rows of keys that no change names; then the rows that changes tell of, with what these leave open as it is.
  others := format('select key as stands from vestige.change where tracked = %s and id > %s and key is not null%s', t.id, upto,
    case when moves then format(' union all select new_key from vestige.change where tracked = %s and id > %s'
                                ' and new_key is not null', t.id, upto) else '' end);
  if n_keys > 1 then
    others := format('select stands, (left(stands, -1) || %L)::vestige.fields_%s as now from (%s) t offset 0',
                     repeat(',', key_width - n_keys) || ')', key_width, others);
    touched := format('select stands, (left(stands, -1) || %L)::vestige.fields_%s as now from (%s) t offset 0',
                      repeat(',', key_width - n_keys) || ')', key_width, touched);
  end if;
  return format(E'select %1$s from %2$s as live\nwhere not exists (select from (select %3$s from (%4$s) t) t where %5$s)%9$s\n'
                'union all\nselect %6$s\nfrom (select %3$s from (\n    %7$s) t offset 0) t left join %2$s as live on %5$s\n'
                'where t.first <> ''I''%8$s',
    array_to_string(alone, ', '),
    case when (select relkind from pg_class where oid = rel) = 'p' then '' else 'only ' end || rel::regclass,
    array_to_string(join_values, ', '), others, fits, array_to_string(changed, ', '), entries, known,
    case when until is null then ''
         else format(' and exists (select from (select %s from (%s) t) t where %s)', array_to_string(join_values, ', '), touched,
                     fits) end);
end
$$;
