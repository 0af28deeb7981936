-- SQL that makes of a recorded value's text what it was: a value of its column, or JSON.

-- A value's text as JSON, as SQL: what vestige.value_json gives.
create or replace function vestige.json_expression(kind text, type text, value text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select format('coalesce((select %s from (select %s as v offset 0) x where v is not null), ''null'')', case kind
    when 'number' then 'case when v ~ ''^-?[0-9]'' then v else to_json(v)::text end'
    when 'json' then 'v'
    when 'boolean' then 'case when v in (''t'', ''true'') then ''true'' when v in (''f'', ''false'') then ''false'''
                        ' else to_json(v)::text end'
    when 'time' then 'case when v ~ ''^[0-9]'' then to_json(regexp_replace(regexp_replace(v, ''([+-][0-9][0-9])( BC)?$'', E''' ||
                     E'\\\\1:00\\\\2''), '' (?=[0-9])'', ''T''))::text else to_json(v)::text end'
    when 'cast' then format('vestige.value_json(''cast'', %L, v)', type)
    else 'to_json(v)::text' end, value)
$$;

-- A value's text as a value of a column, as SQL. Where a cast from text is a function, the type's own input is asked.
-- A domain may refuse null, which a column that was not there is: then a null of the column itself is taken.
create or replace function vestige.value_expression(rel oid, attnum int, value text) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when t.typtype = 'd' then format('case when (%s) is null then (null::%s).%I else %s end', value, rel::regclass,
                                                a.attname, spelled) else spelled end
  from pg_attribute a join pg_type t on t.oid = a.atttypid,
    lateral (select case when exists (select from pg_cast c where c.castsource = 'text'::regtype and c.casttarget = t.oid
                                      and c.castmethod = 'f')
                         then format('(array[%s]::text::%s[])[1]', value, format_type(a.atttypid, a.atttypmod))
                         else format('(%s)::%s', value, format_type(a.atttypid, a.atttypmod)) end as spelled) s
  where a.attrelid = rel and a.attnum = value_expression.attnum
$$;

-- Whether to make a value of a type from its text may call functions of an application: a domain's checks, also deep
-- inside, or a cast that somebody made. Those of a superuser, who installs extensions, are not.
create or replace function vestige.runs_functions(type oid) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  with recursive t as (
    select runs_functions.type as oid
    union
    select inner_one.oid from t join pg_type y on y.oid = t.oid, lateral (
      select y.typbasetype as oid where y.typtype = 'd'
      union all select y.typelem where y.typelem <> 0
      union all select a.atttypid from pg_attribute a where a.attrelid = y.typrelid and a.attnum > 0 and not a.attisdropped
      union all select r.rngsubtype from pg_range r where y.oid = r.rngtypid
      union all select (to_jsonb(r) ->> 'rngtypid')::oid from pg_range r where (to_jsonb(r) ->> 'rngmultitypid')::oid = y.oid) inner_one)
  select exists (
    select from (
      select case when d.refclassid = 'pg_proc'::regclass then d.refobjid
                  when d.refclassid = 'pg_operator'::regclass then (select o.oprcode from pg_operator o where o.oid = d.refobjid) end
      from t join pg_constraint c on c.contypid = t.oid join pg_depend d on d.classid = 'pg_constraint'::regclass and d.objid = c.oid
      union all
      select c.castfunc from pg_cast c join pg_type y on y.oid = runs_functions.type
      where c.castsource = 'text'::regtype and c.casttarget in (y.oid, y.typarray)) f(oid)
      join pg_proc p on p.oid = f.oid join pg_roles r on r.oid = p.proowner
    where not r.rolsuper)
$$;
