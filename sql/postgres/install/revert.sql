-- Undoing a transaction.

-- Undoes the changes of a transaction to one table by one statement for each kind of change; false: nothing was done,
-- since the case is not as plain as that: every row changed once, keys as they were, the table unaltered since, and every
-- row as the change left it.
--
-- steps    look: whether it is plain; I, U, D: undoes INSERTs, UPDATEs, DELETEs, which were looked at
create or replace function vestige.undo_at_once(t vestige.tracked, ids bigint[], steps text[]) returns boolean language plpgsql
set search_path = pg_catalog, pg_temp set jit = off as $$  -- pinned: values
declare
  s vestige.shape := vestige.shape_row(t.shape);
  rel oid := t.relation;
  source text;
  fits text;
  same_changed text;
  same_all text;
  sets text;
  names text;
  news text;
  width int;
  counts record;
  touched bigint;
begin
  select count(*) filter (where op = 'I') as i, count(*) filter (where op = 'U') as u, count(*) filter (where op = 'D') as d,
         count(*) as all_of_them, count(distinct key) as keys, bool_and(new_key is null and shape = t.shape and op in ('I', 'U', 'D')
           and (old_row is not null or new_row is not null)) as plain
    into counts from vestige.change where id = any (ids) and tracked = t.id;
  if not counts.plain or counts.keys < counts.all_of_them or s.whole or vestige.signature(rel) <> s.signature
     or (select relkind from pg_class where oid = rel) is distinct from 'r' then
    return false;
  end if;
  select min(v) into width from unnest(array[16, 64, 256, 1600]) v where v >= jsonb_array_length(s.columns);
  source := format($q$(select c.op, c.key, k.parts, (left(c.old_row, -1) || %1$L)::vestige.fields_%2$s as o,
      (left(c.new_row, -1) || %1$L)::vestige.fields_%2$s as n
    from unnest($1) i(id) join vestige.change c on c.id = i.id and c.tracked = %3$s,
      lateral (select %4$s as parts) k offset 0) c$q$,
    repeat(',', width - jsonb_array_length(s.columns)) || ')', width, t.id,
    case when (select count(*) from jsonb_array_elements(s.columns) x where x ->> 'key' <> '0') = 1 then 'array[c.key]'
         else 'vestige.fields(c.key)' end);
  select string_agg(format('live.%I = %s', a.attname, vestige.value_expression(rel, a.attnum, format('c.parts[%s]', x ->> 'key'))), ' and ')
           filter (where x ->> 'key' <> '0'),
         string_agg(format('((c.o).f%1$s is null and (c.n).f%1$s is null or %2$s is not distinct from (c.n).f%1$s)', place, printed), ' and '),
         string_agg(format('%2$s is not distinct from (c.n).f%1$s', place, printed), ' and '),
         string_agg(format('%2$I = case when (c.o).f%1$s is null and (c.n).f%1$s is null then live.%2$I else %3$s end', place,
                           a.attname, vestige.value_expression(rel, a.attnum, format('(c.o).f%s', place))), ', ')
           filter (where a.attgenerated = '' and x ->> 'key' = '0'),
         string_agg(quote_ident(a.attname), ', ' order by place) filter (where a.attgenerated = ''),
         string_agg(vestige.value_expression(rel, a.attnum, format('(c.o).f%s', place)), ', ' order by place)
           filter (where a.attgenerated = '')
    into fits, same_changed, same_all, sets, names, news
  from jsonb_array_elements(s.columns) with ordinality as i(x, place)
    join pg_attribute a on a.attrelid = rel and a.attnum = (x ->> 'attnum')::int,
    lateral (select format(case when (x ->> 'plain')::boolean then 'live.%1$I::text'
                           else 'case when live.%1$I is distinct from null then concat(live.%1$I) end' end, a.attname) as printed) p;
  -- Every row as the change left it, and so it stays until the end.
  if 'look' = any (steps) then
    execute format('select count(*) from (select from %s join only %s live on %s'
                   ' where c.op = ''U'' and %s or c.op = ''I'' and %s for update of live) x', source, rel::regclass, fits,
                   same_changed, same_all)
      into touched using ids;
    if touched <> counts.i + counts.u then
      return false;
    end if;
    if counts.d > 0 then
      execute format('select count(*) from %s join only %s live on %s where c.op = ''D''', source, rel::regclass, fits)
        into touched using ids;
      if touched > 0 then
        return false;
      end if;
    end if;
  end if;
  counts.all_of_them := 0;
  if counts.i > 0 and 'I' = any (steps) then
    execute format('delete from only %s live using %s where c.op = ''I'' and %s', rel::regclass, source, fits) using ids;
    get diagnostics touched = row_count;
    counts.all_of_them := counts.i - touched;
  end if;
  if counts.u > 0 and sets is not null and 'U' = any (steps) then
    execute format('update only %s live set %s from %s where c.op = ''U'' and %s', rel::regclass, sets, source, fits) using ids;
    get diagnostics touched = row_count;
    counts.all_of_them := counts.all_of_them + counts.u - touched;
  end if;
  if counts.d > 0 and 'D' = any (steps) then
    execute format('insert into %s (%s)%s select %s from %s where c.op = ''D''', rel::regclass, names,
      case when exists (select from pg_attribute where attrelid = rel and attidentity = 'a') then ' overriding system value' else '' end,
      news, source) using ids;
    get diagnostics touched = row_count;
    counts.all_of_them := counts.all_of_them + counts.d - touched;
  end if;
  if counts.all_of_them <> 0 then
    raise exception 'revert: % changes of % were not undone', counts.all_of_them, rel::regclass
      using errcode = 'VS003', hint = 'a trigger or a row-level policy of the table stands in the way';
  end if;
  return true;
end
$$;

-- The changes of a transaction, newest first.
create or replace function vestige.changes_of(tx bigint) returns bigint[] language sql stable
set search_path = pg_catalog, pg_temp as $$
  select array(select c.id
               from (select vestige.tx_end(changes_of.tx) as upto) e, vestige.context x, vestige.change c
               where x.tx = changes_of.tx and x.id >= changes_of.tx and x.id < e.upto
                 and c.context = x.id and c.xid = x.xid and c.id >= changes_of.tx and c.id < e.upto order by c.id desc)
$$;

-- Undoes a transaction's changes if that is plain (undo_at_once): how many, or 0. Of several tables in the order that their
-- foreign keys want: what refers goes before what it refers to, and comes back after it. Where that is none, nothing is done.
create or replace function vestige.revert_at_once(ids bigint[]) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  tables int[];
  step text;
  one record;
begin
  select array_agg(distinct c.tracked) into tables from vestige.change c where c.id = any (ids);
  if cardinality(ids) < 2
     or exists (select from vestige.tracked k where k.id = any (tables) and k.untracked_at is not null) then
    return 0;
  elsif cardinality(tables) = 1 then
    return case when vestige.undo_at_once((select k from vestige.tracked k where k.id = tables[1]), ids, '{look,I,U,D}')
                then cardinality(ids) else 0 end;
  end if;
  begin
    foreach step in array array['look', 'I', 'U', 'D'] loop
      for one in
        with recursive depth as (
          select k.id, k.relation, 0 as rank from vestige.tracked k where k.id = any (tables)
          union
          select k.id, k.relation, d.rank + 1 from depth d join pg_constraint f on f.contype = 'f' and f.confrelid = d.relation
            join vestige.tracked k on k.relation = f.conrelid and k.id = any (tables)
          where f.conrelid <> f.confrelid and d.rank < cardinality(tables))
        select (select k from vestige.tracked k where k.id = c.tracked) as of_table, array_agg(c.id) as its
        from vestige.change c where c.id = any (ids) group by c.tracked
        order by (select max(d.rank) from depth d where d.id = c.tracked) * case step when 'I' then -1 else 1 end
      loop
        if not vestige.undo_at_once(one.of_table, one.its, array[step]) then
          return 0;
        end if;
      end loop;
    end loop;
  exception when integrity_constraint_violation or sqlstate 'VS003' then
    return 0;
  end;
  return cardinality(ids);
end
$$;

-- Undoes what a transaction did, all of it or nothing; how many changes. Rows that have changed since are a conflict
-- (SQLSTATE VS002); with `force` they get their old values all the same, and only a row that is gone is one.
create or replace function vestige.revert(tx bigint, force boolean default false) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  ids bigint[] := vestige.changes_of(tx);
  given text := current_setting('vestige.context', true);
  fields jsonb := vestige.given_fields(given);
  c vestige.change;
  u record;
  number bigint;
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
  set constraints all deferred;
  undone := vestige.revert_at_once(ids);
  if undone = 0 then
    foreach number in array ids loop
      u := vestige.undo(number, force);
      if u.done = 'conflict' then
        select * into c from vestige.change x where x.id = number;
        conflicts := conflicts || format('change %s (%s %s): %s', number,
          (select vestige.shown_name(k.schema_name, k.table_name) from vestige.tracked k where k.id = c.tracked),
          vestige.key_json(c.tracked, coalesce(c.new_key, c.key)), u.conflict);
      elsif u.done = 'applied' then
        undone := undone + 1;
      end if;
    end loop;
    if cardinality(conflicts) > 0 then
      raise exception 'revert of tx %: % of its changes cannot be undone, nothing was changed: %', tx, cardinality(conflicts),
          array_to_string(conflicts[1:10], '; ')
        using errcode = 'VS002', hint = case when force then 'a row that is gone cannot be forced'
                                        else 'vestige.revert(tx, force => true) puts the old values back all the same' end;
    end if;
  end if;
  set constraints all immediate;
  perform set_config('vestige.context', coalesce(given, ''), true);
  return undone;
end
$$;
