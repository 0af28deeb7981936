-- What a table looks like, and how DDL is noticed.

-- The columns of a table as they stand, in order, with what capture and readers need to know of each:
--   kind      how a value stands in JSON: number, boolean, json, time, cast (by to_json), text
--   exact     values that are equal print the same, so that = (of an enum, enum_eq) tells whether a column changed
--   settings  what its text depends on: z(one) d(atestyle) i(ntervalstyle) f(loat digits) b(ytea) m(onetary) q(uotes)
--   plain     a cast to text prints it as a row does, and = compares that byte by byte; no function of an
--             application's runs
--   base      what stands behind a domain, which may refuse the null of a field that is left empty; '' for a type that
--             is not the server's own: capture may not be allowed to name it, and takes its text
create or replace function vestige.live_columns(rel oid)
returns table (attnum int, name text, type text, kind text, exact boolean, settings text, virtual boolean,
               plain boolean, base text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: names
#variable_conflict use_column
begin
  return query
  with recursive base as (
    select a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attgenerated,
           t.oid, t.typtype, t.typbasetype, t.typelem, t.typcategory, t.typnamespace, a.atttypmod as typmod
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = rel and a.attnum > 0 and not a.attisdropped
    union all
    select b.attnum, b.attname, b.atttypid, b.atttypmod, b.attcollation, b.attgenerated,
           t.oid, t.typtype, t.typbasetype, t.typelem, t.typcategory, t.typnamespace, d.typtypmod
    from base b join pg_type d on d.oid = b.oid join pg_type t on t.oid = d.typbasetype
    where b.typtype = 'd'
  ), known as (
    select b.*, format_type(b.oid, null) as base, b.typnamespace = 'pg_catalog'::regnamespace as builtin,
           case when b.typcategory = 'A' and b.typelem <> 0 then format_type(b.typelem, null)
                else format_type(b.oid, null) end as leaf,
           coalesce((select collisdeterministic from pg_collation where oid = b.attcollation), true) as exact_text
    from base b where b.typtype <> 'd'
  )
  select k.attnum::int, k.attname::text, format_type(k.atttypid, k.atttypmod),
    case
      when k.typtype = 'e' then 'text'
      when k.typcategory = 'A' and k.leaf in ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision',
        'boolean', 'text', 'character varying', 'uuid', 'date', 'timestamp without time zone',
        'timestamp with time zone', 'jsonb') then 'cast'
      when not k.builtin then 'text'
      when k.base in ('smallint', 'integer', 'bigint', 'numeric', 'real', 'double precision') then 'number'
      when k.base = 'boolean' then 'boolean'
      when k.base = 'jsonb' then 'json'
      when k.base in ('timestamp without time zone', 'timestamp with time zone') then 'time'
      else 'text'
    end,
    k.typtype = 'e' or k.builtin and (
      k.base in ('smallint', 'integer', 'bigint', 'boolean', 'date', 'time without time zone',
        'timestamp without time zone', 'timestamp with time zone', 'uuid', 'bytea', 'oid', '"char"', 'name', 'money',
        'macaddr', 'macaddr8', 'bit', 'bit varying', 'pg_lsn', 'xid8')
      or k.base in ('text', 'character varying') and k.exact_text
      or k.base = 'character' and k.exact_text and k.typmod >= 0
      or k.base = 'numeric' and k.typmod >= 0),
    case
      when k.typtype = 'e' then ''
      when k.leaf in ('smallint', 'integer', 'bigint', 'boolean', 'numeric', 'text', 'character varying', 'character',
        'uuid', 'oid', '"char"', 'name', 'json', 'jsonb', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'bit varying',
        'pg_lsn', 'xid', 'xid8', 'tsvector', 'tsquery', 'time without time zone', 'time with time zone', 'xml',
        'int4range', 'int8range', 'numrange', 'int4multirange', 'int8multirange', 'nummultirange') then ''
      when k.leaf in ('date', 'timestamp without time zone', 'daterange', 'tsrange') then 'd'
      when k.leaf in ('timestamp with time zone', 'tstzrange') then 'zd'
      when k.leaf = 'interval' then 'i'
      when k.leaf in ('real', 'double precision') then 'f'
      when k.leaf = 'bytea' then 'b'
      when k.leaf = 'money' then 'm'
      else 'zdifbmq'
    end,
    k.attgenerated = 'v',
    k.builtin and k.typtype = 'b' and k.exact_text and not exists (
      select from pg_cast f where f.castsource = k.oid and f.casttarget = 'text'::regtype and f.castmethod = 'f'
        and k.base not in ('character varying', 'name')),
    case when k.oid = k.atttypid and k.typtype = 'e' then 'anyenum' when k.oid = k.atttypid then null when k.builtin then format_type(k.oid, k.typmod) else '' end
  from known k order by k.attnum;
end
$$;

-- The columns as statements see them, though a transaction's snapshot may be older than the last ALTER TABLE: from
-- the server's own caches, not by a query of the catalogs.
create or replace function vestige.latest_columns(rel oid) returns table (attnum int, name text, type text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: names
declare
  places int[] := '{}';
  names text[] := '{}';
  types text[];
  spelled text[];
begin
  begin
    for place in 1..1600 loop
      spelled := (pg_identify_object_as_address('pg_class'::regclass, rel, place)).object_names;
      exit when spelled is null;
      continue when spelled[3] = format('........pg.dropped.%s........', place);
      places := places || place;
      names := names || spelled[3];
    end loop;
  exception when others then
    null;  -- PostgreSQL 13: there is no such column
  end;
  if cardinality(names) > 0 then
    begin
      execute format('select array[%s] from (select (null::%s).*) x',
                     (select string_agg(format('format_type(pg_typeof(x.%I), null)', n), ', ' order by place)
                      from unnest(names) with ordinality as u(n, place)), rel::regclass) into types;
    exception when insufficient_privilege then
      -- A schema that the trail's owner may not use. What the catalogs say is right for all but old snapshots.
      types := array(select format_type(a.atttypid, null) from unnest(places) with ordinality as u(attnum, place)
                       left join pg_attribute a on a.attrelid = rel and a.attnum = u.attnum order by place);
    end;
  end if;
  return query select * from unnest(places, names, types);
end
$$;

-- Whether the catalogs, as this transaction sees them, say of a table's columns what holds.
create or replace function vestige.up_to_date(rel oid) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
begin
  return (select not exists (
    select from vestige.latest_columns(rel) l
      full join (select a.attnum::int, a.attname::text as name, format_type(a.atttypid, null) as type
                 from pg_attribute a where a.attrelid = rel and a.attnum > 0 and not a.attisdropped) c
        using (attnum, name, type)
    where l is null or c is null));
end
$$;

-- A fingerprint of everything that a table's capture function depends on; 0 when there is no such table. The upper
-- half is what statements see, the lower half what the catalogs say besides.
create or replace function vestige.signature(rel oid) returns bigint language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((
    select (hashtext((select coalesce(string_agg(concat_ws(':', l.attnum, l.name, l.type), ',' order by l.attnum), '')
                      from vestige.latest_columns(rel) l))::bigint << 32) | (hashtext(concat_ws('/', n.nspname, c.relname,
      (select string_agg(concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, a.attcollation,
                                   a.attgenerated, a.attnotnull), ',' order by a.attnum)
       from pg_attribute a where a.attrelid = rel and a.attnum > 0 and not a.attisdropped),
      (select string_agg(concat_ws(':', i.indkey, i.indnkeyatts, i.indisprimary, i.indimmediate), ',' order by i.indexrelid)
       from pg_index i where i.indrelid = rel and i.indisunique and i.indisvalid and i.indpred is null)))::bigint
        & 4294967295)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = rel), 0);
end
$$;

-- The same, for capture functions only, which call it with a constant. It is called immutable so that it is
-- computed once for each plan; and since the constant is a regclass, PostgreSQL discards the plan whenever the
-- table is altered, by whichever session. So a change of the table is noticed at the next write, and looking
-- costs nothing (docs/decisions/0003).
create or replace function vestige.standing(rel regclass) returns bigint language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  return vestige.signature(rel);
end
$$;
