-- The native engine in a database that has a trail: the function of the module vestige that records by C++, and the
-- indexes of the module that cost a write next to nothing.
--
-- in      a trail (install.sql), and the module where the server looks for modules; run by a superuser, in one
--         transaction: psql -1 -f native.sql
-- out     vestige.capture_native(); vestige.set_engine('t', 'native') makes a table use it. The index methods
--         vestige_runs and vestige_order: those of the trail when it is empty, else after call vestige.set_indexes('runs')
-- doc     docs/native.md

set local search_path = pg_catalog, pg_temp;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;

do $check$
begin
  if current_setting('search_path') <> 'pg_catalog, pg_temp' then
    raise exception 'the native engine is installed in one transaction, and there is none' using hint = 'psql -1 -f native.sql';
  end if;
end
$check$;

create or replace function vestige.capture_native() returns trigger language c as '$libdir/vestige', 'vestige_capture';
revoke all on function vestige.capture_native() from public;
-- The trail's owner passes it on to owners of partitioned tables.
do $owner$
begin
  execute (select format('grant execute on function vestige.capture_native() to %s with grant option', nspowner::regrole)
           from pg_catalog.pg_namespace where nspname = 'vestige');
end
$owner$;

create or replace function vestige.runs_method(internal) returns index_am_handler language c as '$libdir/vestige', 'vestige_runs';
create or replace function vestige.order_method(internal) returns index_am_handler language c as '$libdir/vestige', 'vestige_order';
revoke all on function vestige.runs_method(internal), vestige.order_method(internal) from public;

-- A token of a value (sql/postgres/install/encrypt.sql), null where the module cannot make one; whether it can for a recipient.
create or replace function vestige.native_token(class text, value text) returns text language c strict as '$libdir/vestige', 'vestige_token';
create or replace function vestige.native_recipient(public text) returns boolean language c strict immutable as '$libdir/vestige', 'vestige_recipient';
revoke all on function vestige.native_token(text, text), vestige.native_recipient(text) from public;

do $methods$
begin
  if not exists (select from pg_catalog.pg_am where amname = 'vestige_runs') then
    create access method vestige_runs type index handler vestige.runs_method;
    create operator class vestige.hash_runs default for type bigint using vestige_runs as operator 1 pg_catalog.=;
  end if;
  if not exists (select from pg_catalog.pg_am where amname = 'vestige_order') then
    create access method vestige_order type index handler vestige.order_method;
    create operator class vestige.id_order default for type bigint using vestige_order as
      operator 1 pg_catalog.<, operator 2 pg_catalog.<=, operator 3 pg_catalog.=, operator 4 pg_catalog.>=, operator 5 pg_catalog.>,
      operator 1 pg_catalog.< (bigint, int), operator 2 pg_catalog.<= (bigint, int), operator 3 pg_catalog.= (bigint, int),
      operator 4 pg_catalog.>= (bigint, int), operator 5 pg_catalog.> (bigint, int);
  end if;
end
$methods$;

-- Makes the two indexes of vestige.change of another kind. A partition at a time, whose writers wait meanwhile; one that
-- has such an index already, made by create index concurrently, is passed over. Call it by itself: it commits.
--
-- kind      runs: those of the module; btree: PostgreSQL's, which any server has
-- It commits, so it cannot pin a search path: every name in it says where it is from.
create or replace procedure vestige.set_indexes(kind text) language plpgsql as $$
declare
  part pg_catalog.regclass;
  named pg_catalog.text;
  over pg_catalog.text;
  method pg_catalog.text;
begin
  if kind is null or not kind operator(pg_catalog.=) any (array['runs', 'btree']) then
    raise exception 'set_indexes: there is no kind %', kind using errcode = 'invalid_parameter_value',
      hint = 'it is runs or btree';
  end if;
  foreach named in array array['change_key', 'change_order'] loop
    over := case when named operator(pg_catalog.=) 'change_key' then 'key_hash' else 'id' end;
    method := case when kind operator(pg_catalog.=) 'btree' then 'btree' when named operator(pg_catalog.=) 'change_key' then 'vestige_runs' else 'vestige_order' end;
    continue when exists (
      select from pg_catalog.pg_class c join pg_catalog.pg_am m on m.oid operator(pg_catalog.=) c.relam
      where c.oid operator(pg_catalog.=) pg_catalog.format('vestige.%I', named)::pg_catalog.regclass and m.amname operator(pg_catalog.=) method);
    for part in select inhrelid from pg_catalog.pg_inherits where inhparent operator(pg_catalog.=) 'vestige.change'::pg_catalog.regclass loop
      continue when exists (
        select from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indexrelid
          join pg_catalog.pg_am m on m.oid operator(pg_catalog.=) c.relam join pg_catalog.pg_attribute a on a.attrelid operator(pg_catalog.=) i.indrelid
            and a.attnum operator(pg_catalog.=) i.indkey[0]
        where i.indrelid operator(pg_catalog.=) part and m.amname operator(pg_catalog.=) method and a.attname operator(pg_catalog.=) over and i.indisvalid);
      execute pg_catalog.format('create index on %s using %I (%I)', part, method, over);
      commit;
    end loop;
    -- Those of the partitions become its own.
    execute pg_catalog.format('drop index vestige.%I', named);
    execute pg_catalog.format('create index %I on vestige.change using %I (%I)', named, method, over);
    commit;
  end loop;
end
$$;
revoke all on procedure vestige.set_indexes(text) from public;

do $indexes$
begin
  if not exists (select from vestige.change)
     and exists (select from pg_catalog.pg_class c join pg_catalog.pg_am m on m.oid = c.relam
                 where c.oid = 'vestige.change_key'::pg_catalog.regclass and m.amname = 'btree') then
    drop index vestige.change_key, vestige.change_order;
    create index change_key on vestige.change using vestige_runs (key_hash);
    create index change_order on vestige.change using vestige_order (id);
  end if;
end
$indexes$;

-- All of it is its owner's.
do $owner$
declare
  one regprocedure;
begin
  foreach one in array array['vestige.capture_native()', 'vestige.runs_method(internal)', 'vestige.order_method(internal)',
                             'vestige.native_token(text,text)', 'vestige.native_recipient(text)', 'vestige.set_indexes(text)']::regprocedure[] loop
    execute format('alter routine %s owner to %s', one,
                   (select nspowner::regrole from pg_catalog.pg_namespace where nspname = 'vestige'));
  end loop;
end
$owner$;

-- Within the script of an extension nothing is replaced that is not of it: doctor says what is to be made anew.
do $encrypted$
begin
  perform vestige.set_rights(false);
  if to_regprocedure('vestige.encrypted(text,text)') is not null then
    begin
      perform vestige.make_encrypted();
    exception when object_not_in_prerequisite_state then
      null;
    end;
  end if;
end
$encrypted$;

-- doctor knows them as part of the trail.
update vestige.meta
set value = (value::jsonb || (select jsonb_object_agg(own.key, own.value) from jsonb_each(vestige.own_sources()) own
                              where own.key ~ E'^vestige\\.(capture_native|native_token|native_recipient|runs_method|order_method|set_indexes)\\('))::text
where name = 'sources';
