-- Putting rows of several tables back at once.

-- Refuses when rows that go would take others with them, or empty these, by foreign keys, or rows whose values that others
-- refer to change: what somebody else made since.
create or replace function vestige.undo_spares(tables jsonb, rows vestige.undo_row[]) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  q jsonb;
  child jsonb;
  f record;
  mine text;
  leaving text;
  ops "char"[];
  found bigint;
begin
  for q, ops in select x, array(select distinct r.op from unnest(rows[(x ->> 'first')::int:(x ->> 'last')::int]) r)
                from jsonb_array_elements(tables) x loop
    for f in
      select c.conrelid as rel, case when k.relkind = 'p' then '' else 'only ' end || c.conrelid::regclass as target, c.conkey, c.confkey,
             c.confdeltype in ('c', 'n', 'd') and 'I' = any (ops) as goes, c.confupdtype in ('n', 'd') and 'U' = any (ops) as changes,
             string_agg(format('live.%I = child.%I', pa.attname, ca.attname), ' and ') as links
      from pg_constraint c join pg_class k on k.oid = c.conrelid, unnest(c.conkey, c.confkey) as l(child, parent)
        join pg_attribute pa on true join pg_attribute ca on true
      where c.contype = 'f' and c.confrelid = (q ->> 'rel')::oid and (c.confdeltype in ('c', 'n', 'd') or c.confupdtype in ('n', 'd')) and c.conparentid = 0
        and pa.attrelid = c.confrelid and pa.attnum = l.parent and ca.attrelid = c.conrelid and ca.attnum = l.child
      group by c.oid, c.conrelid, k.relkind, c.conkey, c.confkey, c.confdeltype, c.confupdtype
    loop
      leaving := concat_ws(' or ', case when f.goes then 'c.op = ''I''' end, case when f.changes then
        (select format('c.op = ''U'' and (%s)', string_agg(k ->> 'differs', ' or ')) from jsonb_array_elements(q -> 'columns') k
         where (k ->> 'attnum')::smallint = any (f.confkey)) end);
      continue when leaving = '';
      if row_security_active(f.rel) or not has_table_privilege(f.rel, 'select') then
        raise exception 'undo: rows of % refer to rows of % that would go or change, and cannot be seen by %', f.rel::regclass, q ->> 'shown', current_user
          using errcode = 'VS004', hint = 'who sees all rows of ' || f.rel::regclass || ' can undo it';
      end if;
      child := (select x from jsonb_array_elements(tables) x where (x ->> 'rel')::oid = f.rel);
      mine := coalesce((
        select format(' and not exists (select from %s join %s live on %s where (c.op = ''I''%s) and live.ctid = child.ctid'
                      ' and live.tableoid = child.tableoid)', child ->> 'source', child ->> 'target', child ->> 'fits',
                      (select string_agg(format(' or c.op = ''U'' and %s', k ->> 'differs'), '') from jsonb_array_elements(child -> 'columns') k
                       where (k ->> 'attnum')::smallint = any (f.conkey)))
        where child is not null), '');
      execute format('select count(*) from %s child where exists (select from %s join %s live on %s where (%s) and %s)%s',
                     f.target, q ->> 'source', q ->> 'target', q ->> 'fits', leaving, f.links, mine) into found using rows;
      if found > 0 then
        raise exception 'undo: % rows of % refer to rows of % that would go or change, and would be changed or deleted with them', found, f.rel::regclass,
          q ->> 'shown' using errcode = 'VS004', hint = 'delete these rows or point them elsewhere first, or undo what made them as well';
      end if;
    end loop;
  end loop;
end
$$;

-- What may stand in the way of putting rows of some tables back, for people.
create or replace function vestige.undo_hint(rels oid[]) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select 'a trigger or a row-level policy of the table stands in the way' || coalesce(': ' || string_agg(distinct w.name, ', '), '')
  from (
    select format('%s of %s', quote_ident(g.tgname), g.tgrelid::regclass) as name
    from pg_trigger g join pg_proc p on p.oid = g.tgfoid
    where g.tgrelid = any (rels) and not g.tgisinternal and g.tgenabled <> 'D' and p.pronamespace <> 'vestige'::regnamespace
    union all
    select format('%s of %s', quote_ident(y.polname), y.polrelid::regclass) from pg_policy y
    where y.polrelid = any (rels) and row_security_active(y.polrelid)) w
$$;

-- Refuses where a rule makes something else of what would be written.
--
-- events   2: UPDATE, 3: INSERT, 4: DELETE
create or replace function vestige.undo_unruled(rel oid, shown text, events "char"[]) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  found record;
begin
  select w.rulename, case w.ev_type when '2' then 'UPDATE' when '3' then 'INSERT' else 'DELETE' end as event into found
  from pg_rewrite w
  where w.ev_class = rel and w.ev_type = any (events)
    and w.ev_enabled in ('A', case when current_setting('session_replication_role') = 'replica' then 'R' else 'O' end)
  order by w.rulename limit 1;
  if found is not null then
    raise exception 'undo: rule % of % makes something else of its %', quote_ident(found.rulename), shown, found.event
      using errcode = 'VS003', hint = format('in one transaction: alter table %s disable rule %I; vestige.revert; enable it again', shown,
                                             found.rulename);
  end if;
end
$$;

-- Puts the rows back: all tables by one statement, so that foreign keys are checked when everything stands again.
--
-- path    the search_path of the session, which the application's triggers are to have
create or replace function vestige.undo_apply(tables jsonb, rows vestige.undo_row[], path text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  q jsonb;
  parts text[] := '{}';
  counts text[] := '{}';
  wanted bigint[] := '{}';
  shown text[] := '{}';
  rels oid[] := '{}';
  had record;
  differ boolean[];
  sets text;
  after_ text;
  place int := 0;
  statement text;
  touched bigint[];
  work refcursor;
begin
  for q in select x from jsonb_array_elements(tables) x order by (x ->> 'first')::int loop
    place := place + 1;
    after_ := '';
    select count(*) filter (where r.op = 'I') as i, count(*) filter (where r.op = 'U') as u, count(*) filter (where r.op = 'D') as d into had
    from unnest(rows[(q ->> 'first')::int:(q ->> 'last')::int]) r;
    perform vestige.undo_unruled((q ->> 'rel')::oid, q ->> 'shown', array[case when had.u > 0 then '2' end, case when had.d > 0 then '3' end,
                                                                          case when had.i > 0 then '4' end]::"char"[]);
    if had.i > 0 then
      parts := parts || format('d%s as (delete from %s live using %s where c.op = ''I'' and %s returning 1)', place, q ->> 'target',
                               q ->> 'source', q ->> 'fits');
      counts := counts || format('(select count(*) from d%s)', place);
      wanted := wanted || had.i;
      shown := shown || (q ->> 'shown');
      rels := rels || (q ->> 'rel')::oid;
      after_ := format(', (select count(*) from d%s) gone', place);
    end if;
    if had.u > 0 then
      execute format('select array[%s] from %s where c.op = ''U''',
                     (select string_agg(format('bool_or(%s)', k ->> 'differs'), ', ' order by (k ->> 'place')::int)
                      from jsonb_array_elements(q -> 'columns') k), q ->> 'source') into differ using rows;
      sets := (select string_agg(format('%1$I = case when %2$s then %3$s else live.%1$I end', k ->> 'name', k ->> 'differs', k ->> 'value'), ', ')
               from jsonb_array_elements(q -> 'columns') k where (k ->> 'written')::boolean and differ[(k ->> 'place')::int]);
      if sets is not null then
        parts := parts || format('u%s as (update %s live set %s from %s%s where c.op = ''U'' and %s returning 1)', place, q ->> 'target',
                                 sets, q ->> 'source', after_, q ->> 'fits');
        counts := counts || format('(select count(*) from u%s)', place);
        wanted := wanted || had.u;
        shown := shown || (q ->> 'shown');
        rels := rels || (q ->> 'rel')::oid;
        after_ := after_ || format(', (select count(*) from u%s) changed', place);
      end if;
    end if;
    if had.d > 0 then
      parts := parts || (
        select format('i%s as (insert into %s (%s)%s select %s from %s%s where c.op = ''D'' returning 1)', place, q ->> 'shown',
                      string_agg(quote_ident(k ->> 'name'), ', ' order by (k ->> 'place')::int),
                      case when (q ->> 'identity')::boolean then ' overriding system value' else '' end,
                      string_agg(k ->> 'value', ', ' order by (k ->> 'place')::int), q ->> 'source', after_)
        from jsonb_array_elements(q -> 'columns') k where (k ->> 'written')::boolean and not (k ->> 'absent')::boolean);
      counts := counts || format('(select count(*) from i%s)', place);
      wanted := wanted || had.d;
      shown := shown || (q ->> 'shown');
      rels := rels || (q ->> 'rel')::oid;
    end if;
  end loop;
  if cardinality(parts) = 0 then
    return;
  end if;
  statement := format('with %s select array[%s]', array_to_string(parts, ', '), array_to_string(counts, ', '));
  -- The statement means what it means here; what fires by it sees the path that the session has.
  open work no scroll for execute statement using rows;
  perform set_config('search_path', path, true);
  fetch work into touched;
  perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  close work;
  for i in 1..cardinality(wanted) loop
    if touched[i] is distinct from wanted[i] then
      raise exception 'revert: % changes of % were not undone', abs(wanted[i] - touched[i]), shown[i]
        using errcode = 'VS003', hint = vestige.undo_hint(array[rels[i]]);
    end if;
  end loop;
exception when data_exception then
  raise exception 'undo: a recorded value does not fit its column any more: %', sqlerrm using errcode = 'VS003',
    hint = 'the column''s type, or a trigger, has changed since; vestige.history shows the changes';
end
$$;

-- A key of several columns as vestige.row_of prints it.
create or replace function vestige.one_key(key text, width int) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case when width < 2 then key else vestige.row_of(vestige.fields(key)) end
$$;

-- The rows under the keys that they have when they are put back. A row that goes, and leaves its key to another, is no goal.
create or replace function vestige.undo_goal(tables jsonb, inout rows vestige.undo_row[]) returns vestige.undo_row[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  q jsonb;
  r vestige.undo_row;
  parts text[];
  o text[];
  n text[];
  moves boolean;
  ids int[];
  gone int;
begin
  for q in select x from jsonb_array_elements(tables) x where x -> 'keys' <> '[]' loop
    ids := array(select (c ->> 'place')::int from jsonb_array_elements_text(q -> 'keys') with ordinality as k(id, place)
                   join jsonb_array_elements(q -> 'columns') c on (c ->> 'id')::int = k.id::int order by k.place);
    execute format('select exists (select from %s where c.op = ''U'' and (%s))', q ->> 'source',
      (select string_agg(c ->> 'differs', ' or ') from jsonb_array_elements(q -> 'columns') c where (c ->> 'place')::int = any (ids)))
      into moves using rows;
    continue when not moves;
    for i in (q ->> 'first')::int..(q ->> 'last')::int loop
      r := rows[i];
      continue when r.op is distinct from 'U';
      o := vestige.fields(r.old_row);
      n := vestige.fields(r.new_row);
      parts := case when cardinality(ids) = 1 then array[r.key] else vestige.fields(r.key) end;
      for k in 1..cardinality(ids) loop
        if o[ids[k]] is distinct from n[ids[k]] then
          parts[k] := o[ids[k]];
        end if;
      end loop;
      r.key := case when cardinality(ids) = 1 then parts[1] else vestige.row_of(parts) end;
      rows[i] := r;
    end loop;
    for gone in
      select (q ->> 'first')::int + g.place::int - 1
      from (select x.place, x.op, count(*) filter (where x.op <> 'I') over (partition by vestige.one_key(x.key, cardinality(ids)) collate "C") as takes
            from unnest(rows[(q ->> 'first')::int:(q ->> 'last')::int]) with ordinality x(op, key, old_row, new_row, changes, place)
            where x.op is not null) g
      where g.op = 'I' and g.takes > 0
    loop
      r := rows[gone];
      r.op := null;
      rows[gone] := r;
    end loop;
  end loop;
end
$$;

drop function if exists vestige.undo_wrong(jsonb, vestige.undo_row[]);

-- How many rows are not there, or there, against what they should be; how many are there with other values, of which tables, in
-- which columns. vain: no row that was to have other values has one of them.
create or replace function vestige.undo_amiss(tables jsonb, rows vestige.undo_row[], out amiss bigint, out other bigint, out shown text,
  out columns text[], out vain boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  q jsonb;
  found record;
  good boolean;
  names text[] := '{}';
  off text[];
begin
  amiss := 0;
  other := 0;
  columns := '{}';
  vain := true;
  for q in select x from jsonb_array_elements(tables) x where x -> 'keys' <> '[]' loop
    execute format('select count(*) filter (where %s) as amiss, count(*) filter (where not (%1$s)) as other from %s left join %s live on %s'
                   ' where c.op is not null and (%s) is not true',
                   case when q ? 'besides' then 'false' else '(c.op = ''I'') = (live.ctid is not null)' end,
                   q ->> 'source', q ->> 'target', q ->> 'fits', q ->> 'undone')
      into found using rows;
    amiss := amiss + found.amiss;
    other := other + found.other;
    if found.amiss + found.other = 0 then
      vain := false;
      continue;
    end if;
    if array_position(names, q ->> 'shown') is null then
      names := names || (q ->> 'shown');
      shown := concat_ws(', ', shown, q ->> 'shown');
    end if;
    execute format('select coalesce(bool_or(c.op = ''U'' and (%s)), false), array[%s] from %s join %s live on %s where c.op is not null',
                   (select string_agg(format('%s and %s', k ->> 'differs', k ->> 'stands'), ' or ') from jsonb_array_elements(q -> 'columns') k
                    where (k ->> 'written')::boolean),
                   (select string_agg(format('case when bool_or((c.op = ''D'' and %s or c.op = ''U'' and %s) and not (%s)) then %L end', case when (k ->> 'absent')::boolean then 'false' else 'true' end,
                                             k ->> 'differs', k ->> 'stands', k ->> 'name'), ', ') from jsonb_array_elements(q -> 'columns') k where (k ->> 'written')::boolean),
                   q ->> 'source', q ->> 'target', q ->> 'fits') into good, off using rows;
    vain := vain and not good;
    columns := columns || array_remove(off, null);
  end loop;
end
$$;

-- What is done, as statements that people can read and run, one a row: as foreign keys want it where an order can be had.
create or replace function vestige.undo_patch(tables jsonb, rows vestige.undo_row[]) returns setof text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  one record;
  found text;
begin
  for one in
    with recursive of_table as (
      select x as q, (x ->> 'rel')::oid as rel,
             array(select distinct r.op::text from unnest(rows[(x ->> 'first')::int:(x ->> 'last')::int]) r where r.op is not null) || array['M'] as ops
      from jsonb_array_elements(tables) x
    ), depth as (
      select t.rel, 0 as rank from of_table t
      union
      select f.conrelid, d.rank + 1 from depth d join pg_constraint f on f.contype = 'f' and f.confrelid = d.rel
        join of_table t on t.rel = f.conrelid
      where f.conrelid <> f.confrelid and d.rank < jsonb_array_length(tables)
    ), ranked as (
      select t.*, (select max(d.rank) from depth d where d.rel = t.rel) as rank,
             exists (select from pg_constraint f join of_table p on p.rel = f.confrelid
                     where f.contype = 'f' and f.conrelid = t.rel and 'I' = any (p.ops)) as leaves
      from of_table t)
    -- What leaves rows that go comes first; then they go, what has another key (M) makes room, rows come back, and then the
    -- others can point to them.
    select r.q, o.op, case when o.op = 'M' then format('c.op = ''U'' and (%s)', r.q ->> 'moves')
                           when o.op = 'U' then format('c.op = ''U'' and not (%s)', r.q ->> 'moves') end as chosen
    from ranked r, unnest(r.ops) o(op) where o.op <> 'M' or 'U' = any (r.ops)
    order by case when o.op = 'U' and r.leaves then 0 when o.op = 'I' then 1 when o.op = 'M' and 'D' = any (r.ops) then 2 when o.op = 'D' then 3 else 4 end,
             case when o.op = 'I' then - r.rank else r.rank end, (r.q ->> 'first')::int
  loop
    found := case when one.q -> 'keys' = '[]'
      then format($q$concat('live.ctid = (select live.ctid from %s live where ', concat_ws(' and ', %s), ' limit 1)')$q$,
                  one.q ->> 'target', one.q ->> 'where')
      else format($q$concat_ws(' and ', %s)$q$, one.q ->> 'where') end;
    return query execute (
      select case one.op
        when 'I' then format('select concat(%L, %s) from %s where c.op = ''I'' order by c.place',
                             format('delete from %s as live where ', one.q ->> 'shown'), found, one.q ->> 'source')
        when 'D' then format('select concat(%L, concat_ws(%L, %s), %L) from %s where c.op = ''D'' order by c.place%s',
                    format('insert into %s (%s)%s values (', one.q ->> 'shown', names,
                           case when (one.q ->> 'identity')::boolean then ' overriding system value' else '' end),
                    ', ', prints, ')', one.q ->> 'source',
                    case when exists (select from pg_constraint f where f.contype = 'f' and f.confdeltype = 'c'
                                      and f.conrelid = (one.q ->> 'rel')::oid and f.confrelid = f.conrelid) then ' desc' else '' end)
        else format('select concat(%L, %s, %L, %s) from %s where %s and (%s) order by c.place',
                    format('update %s as live set ', one.q ->> 'shown'), changed, ' where ', found, one.q ->> 'source', one.chosen, differ) end
      from (select string_agg(quote_ident(k ->> 'name'), ', ' order by (k ->> 'place')::int) filter (where not (k ->> 'absent')::boolean) as names,
                   string_agg(k ->> 'print', ', ' order by (k ->> 'place')::int) filter (where not (k ->> 'absent')::boolean) as prints,
                   string_agg(k ->> 'differs', ' or ') as differ,
                   format('concat_ws(%L, %s)', ', ', string_agg(format('case when %s then concat(%L, %s) end', k ->> 'differs',
                          quote_ident(k ->> 'name') || ' = ', k ->> 'print'), ', ' order by (k ->> 'place')::int)) as changed
            from jsonb_array_elements(one.q -> 'columns') k where (k ->> 'written')::boolean) x) using rows;
  end loop;
end
$$;
