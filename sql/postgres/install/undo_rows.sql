-- What is to be undone, row by row: several changes of one row are one here, however often its key changed between them.
-- docs/decisions/0015; test/postgres_undo_test.cc.

-- op       what it undoes: I (the row goes), U (fields get their old values), D (the row comes back); null: nothing is left to do
-- key      of the row now, or of the one that went; for a table without a key the whole row, null for one that went
-- old_row  what it was, new_row what the changes left, as vestige.change has them, by the table's columns of today; in a U
--          the fields that differ are the ones to put back
do $types$
begin
  if to_regtype('vestige.undo_row') is null then
    create type vestige.undo_row as (op "char", key text, old_row text, new_row text, changes bigint[]);
  end if;
end
$types$;

-- Fields as a row's text that vestige.fields reads back.
create or replace function vestige.row_of(fields text[]) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select '(' || string_agg(case when f is null then '' else '"' || replace(replace(f, E'\\', E'\\\\'), '"', '""') || '"' end, ','
                           order by place) || ')'
  from unnest(fields) with ordinality as x(f, place)
$$;

-- A value as a message has it.
create or replace function vestige.excerpt(value text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case when value is null then 'null' when octet_length(value) > 200 then left(value, 57) || '...' else value end
$$;

-- What one row's changes come to, newest first: each is undone over what undoing the newer ones gives. What cannot be, since
-- somebody else changed the row between them, is a conflict: of the changes so many places down the list, in these columns.
--
-- force     the old values are put back all the same
create or replace function vestige.undo_together(inout r vestige.undo_row, ops "char"[], keys text[], olds text[], news text[],
  names text[], force boolean, out places int[], out whats text[], out wheres text[]) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  o text[] := vestige.fields(r.old_row);
  n text[] := vestige.fields(r.new_row);
  po text[];
  pn text[];
  off text[];
  said text;
  hard boolean;
begin
  for i in 2..cardinality(ops) loop
    po := vestige.fields(olds[i]);
    pn := vestige.fields(news[i]);
    off := '{}';
    said := null;
    hard := false;
    if r.op in ('U', 'D') and ops[i] = 'U' then
      for j in 1..cardinality(pn) loop
        if po[j] is distinct from pn[j] and (r.op = 'D' or o[j] is distinct from n[j]) and o[j] is distinct from pn[j]
           and o[j] is distinct from po[j] then
          off := off || names[j];
          said := concat_ws('; ', said, format('%s has changed since: %s expected, %s found', names[j], vestige.excerpt(pn[j]),
                                               vestige.excerpt(o[j])));
          continue when not force;
        end if;
        if po[j] is distinct from pn[j] then
          if r.op = 'U' and o[j] is not distinct from n[j] then
            n[j] := pn[j];
          end if;
          o[j] := po[j];
        end if;
      end loop;
    elsif r.op in ('U', 'D') and ops[i] = 'I' then
      for j in 1..cardinality(pn) loop
        if (r.op = 'D' or o[j] is distinct from n[j]) and o[j] is distinct from pn[j] then
          off := off || names[j];
        end if;
      end loop;
      if cardinality(off) > 0 then
        said := array_to_string(off, ', ') || ' changed since the row was inserted';
      end if;
      if said is null or force then
        for j in 1..cardinality(pn) loop
          if r.op = 'U' and o[j] is not distinct from n[j] then
            n[j] := pn[j];
          end if;
        end loop;
        r.op := case r.op when 'U' then 'I' else 'N' end;
        o := null;
      end if;
    elsif r.op = 'U' then
      said := 'a row with this key is there again';
      hard := true;
    elsif r.op = 'D' then
      for j in 1..cardinality(po) loop
        if o[j] is distinct from po[j] then
          off := off || names[j];
        end if;
      end loop;
      if cardinality(off) > 0 then
        said := 'a row with this key is there again';
      end if;
      if said is null or force then
        o := po;
      end if;
    elsif ops[i] = 'U' then
      said := 'the row is gone';
      hard := true;
    elsif ops[i] = 'D' then
      r.op := case r.op when 'I' then 'U' else 'D' end;
      o := po;
    end if;
    if r.op in ('D', 'N') then
      r.key := keys[i];
    end if;
    if said is not null then
      places := places || i;
      whats := whats || (case when hard then '!' else '' end || said);
      wheres := wheres || array_to_json(off)::text;
    end if;
  end loop;
  r.old_row := vestige.row_of(o);
  r.new_row := vestige.row_of(n);
  if r.op = 'N' then
    r.op := null;
  end if;
end
$$;

-- A row that goes from under a key and another that comes back under it are one, which gets its old values.
create or replace function vestige.undo_merged(rows vestige.undo_row[]) returns vestige.undo_row[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  one record;
  r vestige.undo_row;
begin
  for one in
    select i.place as goes, d.place as comes
    from unnest(rows) with ordinality i(op, key, old_row, new_row, changes, place)
      join unnest(rows) with ordinality d(op, key, old_row, new_row, changes, place) on d.key = i.key collate "C"
    where i.op = 'I' and d.op = 'D'
  loop
    r := rows[one.goes];
    r.old_row := (rows[one.comes]).old_row;
    r.op := case when r.old_row is distinct from r.new_row then 'U' end;
    r.changes := array(select c from unnest(r.changes || (rows[one.comes]).changes) c order by c desc);
    rows[one.goes] := r;
    rows[one.comes] := null;
  end loop;
  return array(select row(x.op, x.key, x.old_row, x.new_row, x.changes)::vestige.undo_row
               from unnest(rows) with ordinality x(op, key, old_row, new_row, changes, place)
               where x.changes is not null order by x.place);
end
$$;

-- Which columns' ids a shape's key has.
create or replace function vestige.key_ids(columns jsonb) returns int[] language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(array_agg((c ->> 'id')::int order by (c ->> 'key')::int), '{}') from jsonb_array_elements(columns) c where c ->> 'key' <> '0'
$$;

drop function if exists vestige.row_of_today(vestige.tracked, text, text[]);

-- The SQL that gives a change's row by the table's columns of today, those that it did not have empty.
--
-- side     old_row or new_row, of vestige.change as c
-- wanted   the names of the columns to undo; null: all
-- force    also those whose new value was too large to be recorded
create or replace function vestige.row_of_today(t vestige.tracked, side text, wanted text[], force boolean) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  with today as (
    select i.place, (i.item ->> 'id')::int as id, wanted is null or i.item ->> 'name' = any (wanted) as taken
    from vestige.shape s, jsonb_array_elements(s.columns) with ordinality as i(item, place) where s.id = t.shape
  ), shape as (
    select z.id, array(select case when x.item ?| array['redacted', 'encrypted'] or x.item ? 'left_out' and not (force and (x.item ->> 'left_out')::int = 2) then 0 else (x.item ->> 'id')::int end
                       from jsonb_array_elements(z.columns) with ordinality as x(item, place) order by x.place) as ids
    from vestige.shape z where z.tracked = t.id
  )
  select case when bool_and(plain) then 'c.' || side
              else 'case ' || string_agg(format('when c.shape = any (%L) then %s', shapes, said), ' ') || ' end' end
  from (select case when m.plain then 'c.' || side
                    else format('(select row(%s)::text from (select vestige.fields(c.%s) as f offset 0) f where c.%2$s is not null)',
                                m.fields, side) end as said, bool_and(m.plain) as plain, array_agg(s.id) as shapes
        from shape s, lateral (
          select bool_and(d.taken) and s.ids = array_agg(d.id order by d.place) as plain,
                 string_agg(case when d.taken and d.id = any (s.ids) then format('f[%s]', array_position(s.ids, d.id))
                                 else 'null::text' end, ', ' order by d.place) as fields
          from today d) m
        group by 1) x
$$;

-- The rows of one table that some of its changes touched.
--
-- wanted    the names of the columns to undo, of UPDATEs; null: all, of all changes
-- out       the rows; conflicts between the changes themselves: of which change, what, in which columns
create or replace function vestige.undo_rows(t vestige.tracked, ids bigint[], wanted text[], force boolean,
  out rows vestige.undo_row[], out conflicted bigint[], out whats text[], out wheres text[]) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  names text[] := array(select i.item ->> 'name' from vestige.shape s, jsonb_array_elements(s.columns) with ordinality as i(item, place)
                        where s.id = t.shape order by i.place);
  keyless boolean := (select vestige.key_ids(s.columns) = '{}' from vestige.shape s where s.id =
                      (select max(c.shape) from vestige.change c where c.id = any (ids) and c.tracked = t.id));
  taken text[] := case when keyless then null else wanted end;
  befores text[];
  before int[];
  line int[];
  lines int := 0;
  moves boolean;
  one record;
  done record;
  head vestige.undo_row;
  found vestige.undo_row[];
begin
  execute format($q$
    select array_agg(row(c.op, case when not %1$L then coalesce(c.new_key, c.key) when c.op <> 'D' then c.n end, c.o, c.n,
                         array[c.id])::vestige.undo_row order by c.id desc),
           array_agg(case when %1$L then c.o else c.key end order by c.id desc), bool_or(c.new_key is not null)
    from (select c.id, c.op, c.key, c.new_key, %2$s as o, %3$s as n from unnest($1) i(id) join vestige.change c on c.id = i.id
          where c.tracked = $2 and c.op in ('I', 'U', 'D') and ($3 is null or c.op = 'U')) c
    where c.op <> 'U' or c.new_key is not null or c.o is distinct from c.n$q$,
      keyless, vestige.row_of_today(t, 'old_row', taken, force), vestige.row_of_today(t, 'new_row', taken, force))
    into rows, befores, moves using ids, t.id, wanted;
  if not keyless and not moves and (select count(*) = count(distinct k collate "C") from unnest(befores) k) then
    return;
  end if;
  -- A change finds the row under one key and leaves it under another. Under a key rows come and go like brackets: the one
  -- that goes is the one that came last. Without a key, the whole row is what it is found by.
  select array_agg(x.older order by x.place) into before
  from (
    select e.place, max(case when not e.comes then e.older end) as older
    from (
      select e.place, e.comes, case when lag(e.comes) over w then lag(e.place) over w end as older
      from (
        select e.*, sum(case when comes then 1 else -1 end) over (partition by k order by place desc, comes)
                    + case when comes then 0 else 1 end as level
        from (select r.place::int as place, p.comes, p.k collate "C" as k
              from unnest(rows, befores) with ordinality as r(op, key, old_row, new_row, changes, before, place),
                lateral (values (false, r.before), (true, r.key)) p(comes, k)
              where p.k is not null) e) e
      window w as (partition by k, level order by place desc, comes)) e
    group by e.place) x;
  for i in 1..coalesce(cardinality(rows), 0) loop
    if line[i] is null then
      lines := lines + 1;
      line[i] := lines;
    end if;
    if before[i] is not null then
      line[before[i]] := line[i];
    end if;
  end loop;
  for one in
    select array_agg(x.op order by x.place) as ops, array_agg(x.key order by x.place) as keys,
           array_agg(x.before order by x.place) as befores, array_agg(x.old_row order by x.place) as olds,
           array_agg(x.new_row order by x.place) as news, array_agg(x.changes[1] order by x.place) as changes
    from unnest(rows, befores, line) with ordinality as x(op, key, old_row, new_row, changes, before, line, place)
    group by x.line order by x.line
  loop
    head := row(one.ops[1], one.keys[1], one.olds[1], one.news[1], one.changes);
    if cardinality(one.ops) > 1 then
      done := vestige.undo_together(head, one.ops, case when keyless then array_fill(null::text, array[cardinality(one.ops)])
                                                        else one.befores end, one.olds, one.news, names, force);
      head := done.r;
      for i in 1..coalesce(cardinality(done.places), 0) loop
        conflicted := conflicted || one.changes[done.places[i]];
        whats := whats || done.whats[i];
        wheres := wheres || done.wheres[i];
        if not force or done.whats[i] like '!%' then
          head.changes := array_remove(head.changes, one.changes[done.places[i]]);
        end if;
      end loop;
    end if;
    if keyless and wanted is not null then
      head.old_row := (select vestige.row_of(array_agg(case when names[f.place] = any (wanted) then f.v end order by f.place))
                       from unnest(vestige.fields(head.old_row)) with ordinality as f(v, place));
      head.new_row := (select vestige.row_of(array_agg(case when names[f.place] = any (wanted) then f.v end order by f.place))
                       from unnest(vestige.fields(head.new_row)) with ordinality as f(v, place));
    end if;
    if head.op = 'U' and head.old_row is not distinct from head.new_row then
      head.op := null;
    end if;
    found := found || head;
  end loop;
  rows := case when keyless then found else vestige.undo_merged(found) end;
end
$$;
