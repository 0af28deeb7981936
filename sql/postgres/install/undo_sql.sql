-- The SQL that undoes rows of a table: looks at them, puts them back, looks again, and prints it for people.

-- The condition that a column of the key holds a value, given as text, as SQL. A type that came with an extension has an
-- operator of its own, which is not on the pinned path: that of the key's index, which only a superuser can have made.
create or replace function vestige.key_condition(rel oid, attnum int, printed text, value text) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  with recursive y as (
    select a.attname, a.attnum, t.oid, t.typtype, t.typbasetype, t.typcategory, t.typnamespace
    from pg_attribute a join pg_type t on t.oid = a.atttypid where a.attrelid = rel and a.attnum = key_condition.attnum
    union all
    select y.attname, y.attnum, t.oid, t.typtype, t.typbasetype, t.typcategory, t.typnamespace
    from y join pg_type t on t.oid = y.typbasetype where y.typtype = 'd')
  select case
      when y.typtype <> 'b' or y.typcategory = 'A' or y.typnamespace = 'pg_catalog'::regnamespace
      then format('live.%I = %s', y.attname, vestige.value_expression(rel, y.attnum, value))
      when o.name is null then format('%s collate "C" = %s', printed, value)
      else format('(live.%I)::%s %s (%s)::%2$s', y.attname, format_type(y.oid, null), o.name,
                  vestige.value_expression(rel, y.attnum, value)) end
  from y left join lateral (
    select format('operator(%I.%s)', n.nspname, o.oprname) as name
    from pg_index i, unnest(i.indkey::int2[], i.indclass::oid[]) as k(attnum, class)
      join pg_opclass c on c.oid = k.class
      join pg_amop p on p.amopfamily = c.opcfamily and p.amoplefttype = y.oid and p.amoprighttype = y.oid and p.amopstrategy = 3
      join pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
      join pg_operator o on o.oid = p.amopopr join pg_namespace n on n.oid = o.oprnamespace
    where i.indrelid = rel and i.indisunique and k.attnum = y.attnum limit 1) o on true
  where y.typtype <> 'd'
$$;

drop function if exists vestige.undo_sql(vestige.tracked, int[], int, int);

-- What the statements of a table are made of. Its rows are elements first to last of $1, an array of vestige.undo_row; the
-- ones that stand in the table are `live`, those of $1 are `c`, whose fields are (c.o).f1, (c.n).f1, ...
--
-- key_ids   of the key that the changes' rows have, which may have been another than the table has today; without: whole rows
-- absent    columns that the table did not have when its rows were deleted or inserted: a row that comes back has their defaults
-- out       source (of c), target (of live), fits (c to live), plain and undone (c and live, if there is one: as the changes
--           left it, as it was before them), moves (c goes to another key), live_row, and for each column: name, set, insert, print; notes
create or replace function vestige.undo_sql(t vestige.tracked, key_ids int[], first int, last int, absent int[] default '{}') returns jsonb language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  rel oid := vestige.live_relation(t);
  s vestige.shape := vestige.shape_row(t.shape);
  shown text;
  target text;
  width int;
  key_width int;
  padding text := ')';
  parts text[] := '{}';
  fits text[] := '{}';
  prints text[] := '{}';
  told text[] := '{}';
  alike text[] := '{}';
  before_ text[] := '{}';
  after_ text[] := '{}';
  gone text[] := '{}';
  moves text[] := '{}';
  columns jsonb := '[]';
  identity boolean := false;
  f record;
  source text;
begin
  if rel is null then
    raise exception 'undo changes of %.%: the table is gone', t.schema_name, t.table_name using errcode = 'undefined_table';
  end if;
  shown := rel::regclass::text;
  target := case when (select relkind from pg_class where oid = rel) = 'p' then '' else 'only ' end || shown;
  select min(v) into width from unnest(array[16, 64, 256, 1600]) v where v >= jsonb_array_length(s.columns);
  select min(v) into key_width from unnest(array[16, 64, 256, 1600]) v where v >= cardinality(key_ids);
  padding := repeat(',', width - jsonb_array_length(s.columns)) || ')';
  for f in
    select i.place, (i.item ->> 'id')::int as id, i.item ->> 'name' as name, array_position(key_ids, (i.item ->> 'id')::int) as key, a.attnum, a.attname, a.attgenerated,
           a.attidentity, format_type(a.atttypid, a.atttypmod) as type, (i.item ->> 'id')::int = any (absent) as absent,
           quote_literal((a.attmissingval::text::text[])[1]) as filled,
           case when y.typnamespace = 'pg_catalog'::regnamespace and y.typtype = 'b' and (i.item ->> 'plain')::boolean
                then format('live.%I::text', a.attname)
                else format('case when live.%1$I is distinct from null then concat(live.%1$I) end', a.attname) end as printed
    from jsonb_array_elements(s.columns) with ordinality as i(item, place)
      left join pg_attribute a on a.attrelid = rel and not a.attisdropped and a.attnum > 0
        and case when t.relation = rel then a.attnum = (i.item ->> 'attnum')::int else a.attname = i.item ->> 'name' end
      left join pg_type y on y.oid = a.atttypid
    order by i.place
  loop
    prints := prints || coalesce(f.printed, 'null::text');
    columns := columns || jsonb_build_object('place', f.place, 'id', f.id, 'name', coalesce(f.attname, f.name), 'attnum', f.attnum,
      'written', f.attnum is not null and f.attgenerated = '', 'absent', f.absent, 'always', coalesce(f.attidentity = 'a', false),
      'stands', case when f.attnum is not null then format('%s is not distinct from (c.o).f%s', f.printed, f.place) else 'true' end,
      'differs', format('(c.o).f%1$s is distinct from (c.n).f%1$s', f.place),
      'value', vestige.value_expression(rel, f.attnum, format('(c.o).f%s', f.place)),
      'print', format('format(%L, (c.o).f%s)', '%L::' || replace(f.type, '%', '%%'), f.place));
    if f.attnum is null then
      gone := gone || f.name;
      continue;
    end if;
    if f.attgenerated = '' then
      told := told || format('%s is not distinct from %s', f.printed, case when f.absent and f.filled is not null
                             then format('coalesce((c.n).f%s, %s)', f.place, f.filled) else format('(c.n).f%s', f.place) end);
      identity := identity or f.attidentity = 'a';
      before_ := before_ || format('((c.o).f%1$s is not distinct from (c.n).f%1$s or %2$s is not distinct from (c.o).f%1$s)', f.place, f.printed);
      after_ := after_ || format('((c.o).f%1$s is not distinct from (c.n).f%1$s or %2$s is not distinct from (c.%3$s).f%1$s)', f.place, f.printed,
                                 case when f.attidentity = 'a' then 'o' else 'n' end);  -- which no UPDATE changes
      if not f.absent then
        alike := alike || format('%s is not distinct from (c.o).f%s', f.printed, f.place);
      end if;
    end if;
    if f.key > 0 then
      moves := moves || format('(c.o).f%1$s is distinct from (c.n).f%1$s', f.place);
      parts[f.key] := case when cardinality(key_ids) = 1 then 'c.key' else format('(c.k).f%s', f.key) end;
      fits[f.key] := vestige.key_condition(rel, f.attnum, f.printed, parts[f.key]);
      -- For people: live.id = '7'::integer.
      parts[f.key] := format('format(%L, %s)', format('live.%s = ', replace(quote_ident(f.attname), '%', '%%')) || '%L::' || replace(f.type, '%', '%%'), parts[f.key]);
    elsif cardinality(key_ids) = 0 then
      parts[f.place] := format('format(%L, (c.n).f%s)', format('live.%s is not distinct from ', replace(quote_ident(f.attname), '%', '%%'))
                               || '%L::' || replace(f.type, '%', '%%'), f.place);
    end if;
  end loop;
  if cardinality(array_remove(fits, null)) < cardinality(key_ids) then
    raise exception 'undo changes of %: a column of the key that their rows had is gone', shown
      using errcode = 'object_not_in_prerequisite_state', hint = 'vestige.history shows the changes';
  end if;
  source := format('select x.*, (left(old_row, -1) || %1$L)::vestige.fields_%2$s as o, (left(new_row, -1) || %1$L)::vestige.fields_%2$s as n%3$s'
                   ' from unnest($1[%4$s:%5$s]) with ordinality x(op, key, old_row, new_row, changes, place)',
    padding, width,
    case when cardinality(key_ids) > 1
         then format(', (left(key, -1) || %L)::vestige.fields_%s as k', repeat(',', key_width - cardinality(key_ids)) || ')', key_width) end,
    first, last);
  if cardinality(key_ids) = 0 then
    -- Of rows that are equal, as many as there are changes, whichever.
    fits := array['live.tableoid = c.part and live.ctid = c.spot'];
    source := format('select y.*, p.part, p.spot from (select z.*, row_number() over (partition by key collate "C" order by place) as nth from (%s) z) y'
      ' left join (select live.tableoid as part, live.ctid as spot, row(%s)::text collate "C" as whole,'
      ' row_number() over (partition by row(%2$s)::text collate "C" order by live.tableoid, live.ctid) as nth from %s as live) p'
      ' on p.whole = y.key collate "C" and p.nth = y.nth', source, array_to_string(prints, ', '), target);
  end if;
  return jsonb_build_object('tracked', t.id, 'rel', rel, 'shown', shown, 'keys', key_ids, 'columns', columns, 'first', first, 'last', last,
    'target', target, 'source', format('(%s offset 0) c', source), 'fits', array_to_string(fits, ' and '), 'identity', identity,
    'gone', array_to_json(gone), 'moves', coalesce(nullif(array_to_string(moves, ' or '), ''), 'false'), 'where', array_to_string(array_remove(parts, null), ', '), 'padding', padding, 'fields', format('vestige.fields_%s', width), 'live_row', format('row(%s)::text', array_to_string(prints, ', ')),
    'plain', format('case c.op when ''U'' then live.ctid is not null and %s when ''I'' then live.ctid is not null and %s else live.ctid is null end',
                    array_to_string(after_, ' and '), array_to_string(told, ' and ')),
    'undone', format('case c.op when ''U'' then live.ctid is not null and %s when ''I'' then live.ctid is null else live.ctid is not null and %s end',
                     array_to_string(before_, ' and '), array_to_string(alike, ' and ')));
end
$$;

-- Locks the rows that stand, and finds which are not as the changes left them: what can be put back of these all the same,
-- and what cannot be. In `rows` stays what is to be done.
--
-- mode      refuse, skip, force
-- out       of the rows that conflict: the last change, what, in which columns, and whether force helps
create or replace function vestige.undo_look(q jsonb, inout rows vestige.undo_row[], mode text, out conflicted bigint[],
  out whats text[], out wheres text[], out undone bigint) language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  one record;
  r vestige.undo_row;
  o text[];
  n text[];
  v text[];
  off text[];
  said text;
  column_ jsonb;
  j int;
  fixed boolean;
  mover vestige.undo_row;
  movers jsonb;
  hides text := case when row_security_active((q ->> 'rel')::oid) then ', or row-level security hides it' else '' end;
  key_places int[] := array(select (c ->> 'place')::int from jsonb_array_elements(q -> 'columns') c where q -> 'keys' @> (c -> 'id'));
begin
  undone := 0;
  if q -> 'keys' = '[]' then
    execute format('lock table %s in share row exclusive mode', q ->> 'target');
  else
    execute format('select count(*) from (select from %s join %s live on %s where c.op is not null for update of live) x',
                   q ->> 'source', q ->> 'target', q ->> 'fits') into j using rows;
  end if;
  for one in execute format('select place, undone, live_row, there, spot from (select c.op, c.place, %s as plain, %s as undone,'
                            ' case when live.ctid is not null then %s end as live_row, count(live.ctid) over (partition by c.place) as there,'
                            ' concat(live.tableoid, live.ctid) as spot from %s left join %s live on %s where c.op is not null) x'
                            ' where plain is not true or there > 1 order by op = ''D'', place',
                            q ->> 'plain', q ->> 'undone', q ->> 'live_row', q ->> 'source', q ->> 'target', q ->> 'fits') using rows
  loop
    j := (q ->> 'first')::int + one.place - 1;
    r := rows[j];
    continue when r.op is null;
    v := vestige.fields(one.live_row);
    off := '{}';
    said := null;
    fixed := false;
    if r.op = 'D' and one.there = 1 and q -> 'keys' <> '[]' then
      -- Who stands under the key may be about to leave it.
      if movers is null then
        execute format('select coalesce(jsonb_object_agg(concat(live.tableoid, live.ctid), c.place), ''{}'') from %s join %s live on %s'
                       ' where c.op = ''U'' and (%s)', q ->> 'source', q ->> 'target', q ->> 'fits', q ->> 'moves') into movers using rows;
      end if;
      mover := rows[(q ->> 'first')::int + (movers ->> one.spot)::int - 1];
      if mover.op = 'U' then
        o := vestige.fields(mover.old_row);
        n := vestige.fields(mover.new_row);
        continue when exists (select from unnest(key_places) k where o[k] is distinct from n[k]);
      end if;
    end if;
    if one.there > 1 then
      said := 'several rows have this key';
    elsif one.undone and not (r.op = 'I' and hides <> '') then
      undone := undone + cardinality(r.changes);
      r.op := null;
    elsif r.op <> 'D' and v is null then
      said := case when q -> 'keys' = '[]' then 'no row is as the change left it' else 'the row is gone' end || hides;
    else
      o := vestige.fields(r.old_row);
      n := vestige.fields(r.new_row);
      for column_ in select * from jsonb_array_elements(q -> 'columns') loop
        if not (column_ ->> 'written')::boolean then
          n[(column_ ->> 'place')::int] := o[(column_ ->> 'place')::int];
          continue;
        end if;
        declare
          k int := (column_ ->> 'place')::int;
          expected text := case when r.op = 'D' then o[k] else n[k] end;
        begin
          if (column_ ->> 'always')::boolean and r.op <> 'I' and v[k] is distinct from o[k] and (r.op = 'D' or o[k] is distinct from n[k]) then
            fixed := true;
            off := off || (column_ ->> 'name');
            said := concat_ws('; ', said, format('%s is generated always as identity: %s cannot be given back', column_ ->> 'name',
                                                 vestige.excerpt(o[k])));
            n[k] := o[k];
          elsif r.op = 'U' and o[k] is not distinct from n[k] or v[k] is not distinct from expected then
            continue;
          elsif r.op = 'U' and v[k] is not distinct from o[k] then
            n[k] := o[k];
          else
            off := off || (column_ ->> 'name');
            said := concat_ws('; ', said, format('%s has changed since: %s expected, %s found', column_ ->> 'name',
                                                 vestige.excerpt(expected), vestige.excerpt(v[k])));
            if mode = 'force' then
              n[k] := v[k];
            elsif r.op = 'U' then
              n[k] := o[k];
            end if;
          end if;
        end;
      end loop;
      if r.op = 'D' then
        said := 'a row with this key is there again';
        n := v;
      elsif r.op = 'I' then
        said := array_to_string(off, ', ') || ' changed since the row was inserted';
      end if;
      if r.op = 'I' then
        r.op := case when mode = 'force' then r.op end;
      elsif mode = 'force' or r.op = 'U' and o is distinct from n then
        r.op := 'U';
        r.old_row := vestige.row_of(o);
        r.new_row := vestige.row_of(n);
      else
        r.op := null;
      end if;
    end if;
    if said is not null then
      if one.there > 1 or v is null then
        said := '!' || said;
        r.op := null;
      elsif fixed then
        said := '!' || said;
      end if;
      conflicted := conflicted || r.changes[1];
      whats := whats || said;
      wheres := wheres || array_to_json(off)::text;
    end if;
    rows[j] := r;
  end loop;
end
$$;
