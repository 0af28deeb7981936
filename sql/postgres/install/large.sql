-- Rows whose values are too large to be written down. PostgreSQL forms no text above 1 GB, so the old and new values of a change
-- are kept to what is well below together; the largest are left out, and the change has a shape that says so: a column's
-- `left_out` is 1 where its old value was, 2 where the new one was, 3 where both were. No write fails for its size.
-- docs/postgres.md, "Very large values"; test/postgres_large_test.cc.

-- How many bytes of text a change's old and new values may have together. The trail's owner may set it in vestige.meta
-- (large_row), and makes capture anew then: vestige.mend().
create or replace function vestige.large_row() returns bigint language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce((select m.value::bigint from vestige.meta m where m.name = 'large_row'), 400 * 1024 * 1024)
$$;

-- How much a value of a type may come to as text: bounded, so that no row has too much of it; octets, about as many as it has
-- bytes; or what only printing it tells.
create or replace function vestige.extent(type text, base text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case
    when base = 'anyenum' then 'bounded'
    when base = '' then 'printed'
    when t.name in ('character varying', 'character') and t.width <= 10000 then 'bounded'
    when t.name in ('text', 'character varying', 'character', 'bpchar', 'bytea') then 'octets'
    when t.name in ('bit', 'bit varying') and coalesce(t.width, 1) <= 10000 and (t.name = 'bit' or t.width is not null) then 'bounded'
    when t.name in ('smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'boolean', 'oid', 'date', 'interval', 'uuid',
      'time without time zone', 'time with time zone', 'timestamp without time zone', 'timestamp with time zone', 'inet', 'cidr', 'macaddr',
      'macaddr8', 'money', 'name', '"char"', 'pg_lsn', 'xid', 'xid8', 'cid', 'tid', 'point', 'line', 'lseg', 'box', 'circle', 'int4range',
      'int8range', 'numrange', 'daterange', 'tsrange', 'tstzrange') then 'bounded'
    else 'printed' end
  from (select regexp_replace(coalesce(base, type), E'\\([^)]*\\)', '') as name,
               substring(coalesce(base, type) from E'\\(([0-9]+)\\)')::int as width) t
$$;

-- Whether a row may be too large, as SQL that costs next to nothing: nothing is printed or fetched for it. null: none ever is. What
-- is compressed, 255 times at most, is taken for as much.
--
-- sides   what stands before a column's name: 'OLD.' and 'NEW.', or 'live.'
create or replace function vestige.large_test(columns jsonb, variadic sides text[]) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  with c as (
    select vestige.extent(x.type, x.base) as extent, side.name || vestige.quoted(x.name) as value, i.place, side.place as side
    from jsonb_array_elements(columns) with ordinality as i(item, place), jsonb_to_record(i.item) as x(name text, type text, base text),
      unnest(sides) with ordinality as side(name, place)
  ), most as (
    select c.extent, greatest(vestige.large_row() / (case c.extent when 'octets' then 4 else 2040 end * count(distinct c.place)), 1) as bytes,
           string_agg(format(case c.extent when 'octets' then 'octet_length(%s)' else 'pg_column_size(%s)' end, c.value), ', '
                      order by c.place, c.side) as sizes
    from c where c.extent <> 'bounded' group by 1
  )
  select string_agg(format('greatest(%s) >= %s', sizes, bytes), ' or ' order by extent) from most
$$;

-- The condition under which a statement that captures many rows takes one, as SQL; '' when it takes all. Large ones it leaves to
-- vestige.large_rows, and says so to the one who looks afterwards (vestige.met_large). A session may say it, too, and then it is
-- looked for them in vain.
create or replace function vestige.not_large(columns jsonb) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce('case when ' || vestige.large_test(columns, 'live.') || ' then set_config(''vestige.large'', ''met'', true) = '''' else true end', '')
$$;

-- Whether large rows were met since that was last asked.
create or replace function vestige.met_large() returns boolean language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  return current_setting('vestige.large', true) = 'met' and set_config('vestige.large', '', true) = '';
end
$$;

-- The bytes of a value in a row's text; a trillion when it cannot be printed at all.
create or replace function vestige.printed_size(value anyelement) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
begin
  return octet_length(row(value)::text) - 2;
exception when others then
  return 1000000000000;
end
$$;

-- Whether two values print the same; no, when they cannot be printed.
create or replace function vestige.prints_alike(one anyelement, other anyelement) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
begin
  return record_image_eq(row(one), row(other)) or row(one)::text = row(other)::text collate "C";
exception when others then
  return false;
end
$$;

-- Which values are left out of a change so that the others fit, the largest first: for each column 1 the old one, 2 the new, 3 both.
create or replace function vestige.fitting(old_sizes bigint[], new_sizes bigint[]) returns int[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  marks int[] := array_fill(0, array[cardinality(old_sizes)]);
  most bigint := vestige.large_row();
  largest record;
begin
  loop
    select max(s.size) as size, sum(s.size) as total, (array_agg(s.place order by s.size desc))[1] as place,
           (array_agg(s.side order by s.size desc))[1] as side into largest
    from (select o as size, place, 1 as side from unnest(old_sizes) with ordinality x(o, place)
          union all select n, place, 2 from unnest(new_sizes) with ordinality x(n, place)) s;
    exit when coalesce(largest.total, 0) <= most or largest.size = 0;
    marks[largest.place] := marks[largest.place] + largest.side;
    if largest.side = 1 then
      old_sizes[largest.place] := 0;
    else
      new_sizes[largest.place] := 0;
    end if;
  end loop;
  return marks;
end
$$;

-- The query that gives what is written down of rows that may be too large: keys, rows as they are kept, which values are left out.
--
-- o, n      what stands before a column's name; source, condition: FROM and WHERE
create or replace function vestige.large_rows(s vestige.shape, op "char", o text, n text, source text, condition text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  with c as (
    select i.place, (i.item ->> 'key')::int > 0 as key, i.item ? 'redacted' as redacted, a.alike,
           case when s.whole and op = 'U' then vestige.token_of(i.item ->> 'encrypted', t.old, so.prefix, format('case when %s then %s else %s end', a.alike, sn.subject, so.subject)) end as kept,
           case when i.item ? 'redacted' then '''0''::text' else coalesce(vestige.token_of(i.item ->> 'encrypted', t.old, so.prefix, so.subject), t.old) end as old_spelled,
           case when not i.item ? 'redacted' then coalesce(vestige.token_of(i.item ->> 'encrypted', t.new, sn.prefix, sn.subject), t.new)
                when op = 'U' then '''1''::text' else '''0''::text' end as new_spelled, f.old, f.new
    from vestige.subject_of(s.columns, o) so, vestige.subject_of(s.columns, n) sn, jsonb_array_elements(s.columns) with ordinality as i(item, place),
      jsonb_to_record(i.item) as x(name text, exact boolean, base text),
      lateral (select format(vestige.spelling(x.base), o || vestige.quoted(x.name)) as old, format(vestige.spelling(x.base), n || vestige.quoted(x.name)) as new offset 0) t,
      lateral (select o || vestige.quoted(x.name) as old, n || vestige.quoted(x.name) as new) f,
      lateral (select format(case when x.exact and x.base is null then '%s is not distinct from %s' else 'vestige.prints_alike(%s, %s)' end, f.old, f.new) as alike) a
  ), u as (
    select string_agg(case when op <> 'U' or s.whole and not redacted then 'false' else alike end, ', ' order by place) as same,
           string_agg(case when key or redacted or op not in ('U', 'D') then '0' else format('case when q.same[%s] then 0 else vestige.printed_size(%s) end', place, old) end,
                      ', ' order by place) as old_sizes,
           string_agg(case when key or redacted or op not in ('U', 'I', 'B') then '0' else format('case when q.same[%s] then 0 else vestige.printed_size(%s) end', place, new) end,
                      ', ' order by place) as new_sizes,
           string_agg(format('case when not q.same[%1$s] and p.marks[%1$s] & 1 = 0 then %2$s end', place, case when kept is null then old_spelled else format('k.kept[%s]', place) end), ', ' order by place) as old_row,
           string_agg(format('case when not q.same[%1$s] and p.marks[%1$s] & 2 = 0 then %2$s end', place, case when kept is null then new_spelled else format('case when %s then k.kept[%s] else %s end', alike, place, new_spelled) end),
                      ', ' order by place) as new_row,
           -- Of what is recorded whole, the tokens of the old values: the same one stands for a new value that is the same.
           case when count(kept) > 0 then format(', lateral (select array[%s] as kept offset 0) k', string_agg(coalesce(kept, 'null::text'), ', ' order by place)) end as kept
    from c
  )
  select format('select %s as old_key, %s as new_key, %s as old_row, %s as new_row, p.marks from %s, lateral (select array[%s]::boolean[] as same offset 0) q,'
                ' lateral (select vestige.fitting(array[%s]::bigint[], array[%s]::bigint[]) as marks offset 0) p%s%s', e.old_key, e.new_key,
                case when op in ('U', 'D') then format('row(%s)::text', u.old_row) else 'null::text' end,
                case when op in ('U', 'I', 'B') then format('row(%s)::text', u.new_row) else 'null::text' end,
                source, u.same, u.old_sizes, u.new_sizes, u.kept, coalesce(' where ' || condition, ''))
  from u, vestige.capture_expressions(s.columns, true, o, n) e
$$;

-- The shape of a change of which values are left out; the same one where none is.
create or replace function vestige.shape_without(s vestige.shape, marks int[]) returns int language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  wanted jsonb;
  number int;
begin
  if marks = array_fill(0, array[cardinality(marks)]) then
    return s.id;
  end if;
  wanted := (select jsonb_agg(case when marks[i.place] > 0 then i.item || jsonb_build_object('left_out', marks[i.place]) else i.item end order by i.place)
             from jsonb_array_elements(s.columns) with ordinality as i(item, place));
  select z.id into number from vestige.shape z
  where z.tracked = s.tracked and z.signature = s.signature and z.whole = s.whole and z.columns = wanted order by z.id limit 1;
  if number is null then
    insert into vestige.shape (tracked, schema_name, table_name, columns, whole, signature, since, note)
    values (s.tracked, s.schema_name, s.table_name, wanted, s.whole, s.signature, s.since, 'values that were too large are not recorded')
    returning id into number;
  end if;
  return number;
end
$$;

-- Writes down a change of a row that may be too large.
create or replace function vestige.capture_large(rel oid, tracked_id int, shape_id int, op "char", old_one anyelement, new_one anyelement)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  s vestige.shape := vestige.shape_row(shape_id);
  r record;
  number int;
begin
  execute vestige.large_rows(s, op, '($1).', '($2).', '(select) one', null) into r using old_one, new_one;
  number := vestige.shape_without(s, r.marks);
  if number <> s.id then
    perform vestige.capture_nested(rel, tracked_id, number, op, case op when 'I' then r.new_key else r.old_key end,
      case op when 'U' then nullif(r.new_key, r.old_key) end, r.old_row, r.new_row, null::text, null::text);
  elsif op <> 'U' or r.old_row <> r.new_row then
    perform vestige.capture_nested(rel, tracked_id, number, op, case op when 'I' then r.new_key else r.old_key end,
      case op when 'U' then nullif(r.new_key, r.old_key) end, r.old_row, r.new_row, old_one, new_one);
  end if;
end
$$;

-- Writes down the large rows of a table that a statement has met and left (vestige.not_large); how many.
--
-- source   FROM; wanted: which of them, by a condition in which $3 is the tracked table
create or replace function vestige.write_large(s vestige.shape, op "char", source text, wanted text default null) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  r record;
  counted bigint := 0;
begin
  if not coalesce(vestige.met_large(), false) then
    return 0;
  end if;
  for r in execute vestige.large_rows(s, op, 'live.', 'live.', source, concat_ws(' and ', '(' || vestige.large_test(s.columns, 'live.') || ')', wanted))
           using null::int, null::int, s.tracked loop
    perform vestige.write_change(s.tracked, vestige.shape_without(s, r.marks), op, r.new_key, null, r.old_row, r.new_row);
    counted := counted + 1;
  end loop;
  return counted;
end
$$;

-- Of a column, in which shapes its values are not in the trail, or not in clear, as SQL over a change: null where they always are.
--
-- left_out  what is or'ed to the condition that a change says something of it
-- hidden    why its value is not told: redacted, encrypted, unrecorded; null where it is
-- told      what is and'ed to the condition that all values of a change are written down
-- reason    for people
create or replace function vestige.withheld(tracked_id int, column_id int, out left_out text, out hidden text, out told text, out reason text)
language sql stable set search_path = pg_catalog, pg_temp as $$
  select ' or shape = any (' || quote_literal(array_agg(l.id) filter (where l.sides > 0)) || ')',
         format('case when shape = any (%L) then ''redacted'' when shape = any (case op when ''B'' then %L else %L end::int[]) then ''unrecorded'' when shape = any (%L) then ''encrypted'' end',
                coalesce(array_agg(l.id) filter (where l.redacted), '{}'), coalesce(array_agg(l.id) filter (where l.sides & 2 = 2), '{}'),
                coalesce(array_agg(l.id) filter (where l.sides & 1 = 1), '{}'), coalesce(array_agg(l.id) filter (where l.encrypted), '{}')),
         ' and shape <> all (' || quote_literal(array_agg(l.id) filter (where l.redacted)) || ')',
         nullif(concat_ws(' or ', case when bool_or(l.redacted) then 'redacted' end, case when bool_or(l.sides > 0) then 'too large to be recorded' end), '')
  from (select z.id, (c ->> 'left_out')::int as sides, c ? 'redacted' as redacted, c ? 'encrypted' as encrypted from vestige.shape z, jsonb_array_elements(z.columns) c
        where z.tracked = tracked_id and (c ->> 'id')::int = column_id and c ?| array['left_out', 'redacted', 'encrypted']) l having count(*) > 0
$$;
