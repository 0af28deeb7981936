-- Takes the native engine out of a database whose trail stays: afterwards nothing there needs the module vestige, and so no dump,
-- no standby and no restored server does.
--
-- in      a trail whose tables the portable engine records, and whose indexes are btrees: call vestige.set_indexes('btree'),
--         by itself, before; run by a superuser, in a transaction
-- out     the trail as install.sql makes it; no extension, access methods or functions of the module
-- doc     docs/native.md

set local search_path = pg_catalog, pg_temp;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;

-- What still needs the module is somebody else's, or was not changed back.
do $left$
declare
  used text;
begin
  select string_agg(needed, ', ' order by needed) into used from (
    select format('index %s', c.oid::regclass) as needed from pg_class c join pg_am m on m.oid = c.relam
    where m.amname in ('vestige_runs', 'vestige_order')
    union all
    select format('trigger %I on %s', g.tgname, g.tgrelid::regclass) from pg_trigger g
    where g.tgfoid = to_regprocedure('vestige.capture_native()') and g.tgparentid = 0) x;
  if used is not null then
    raise exception 'take the native engine out: it is still needed by %', used using errcode = 'dependent_objects_still_exist',
      hint = 'vestige init --portable changes what is the trail''s own; drop the rest, or make btrees of it';
  end if;
end
$left$;

-- The extension lets everything go that it brought; then it is empty.
do $extension$
declare
  member text;
begin
  for member in
    select format('alter extension vestige drop %s %s', i.type, i.identity)
    from pg_extension e
      join pg_depend d on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
        and d.deptype = 'e'
      cross join lateral pg_identify_object(d.classid, d.objid, d.objsubid) i
    where e.extname = 'vestige'
    order by d.classid, d.objid
  loop
    execute member;
  end loop;
end
$extension$;
drop extension if exists vestige;

alter table vestige.tracked alter column engine set default 'portable';
update vestige.tracked set engine = 'portable' where engine = 'native';
drop procedure if exists vestige.set_indexes(text);
do $methods$
declare
  gone text;
begin
  for gone in
    select format('drop operator family %I.%I using %I', n.nspname, f.opfname, m.amname)
    from pg_am m join pg_opfamily f on f.opfmethod = m.oid join pg_namespace n on n.oid = f.opfnamespace
    where m.amname in ('vestige_runs', 'vestige_order')
    union all
    select format('drop access method %I', m.amname) from pg_am m where m.amname in ('vestige_runs', 'vestige_order')
  loop
    execute gone || case when gone like 'drop operator%' then ' cascade' else '' end;
  end loop;
end
$methods$;
drop function if exists vestige.runs_method(internal), vestige.order_method(internal), vestige.capture_native(),
  vestige.native_token(text, text), vestige.native_recipient(text);

-- What is encrypted is encrypted by pgcrypto from now on: nothing is to be lost for want of it.
do $encrypted$
declare
  class text;
  now record;
begin
  for class in
    select distinct c ->> 'encrypted' from vestige.tracked t join vestige.shape s on s.id = t.shape, jsonb_array_elements(s.columns) c
    where t.untracked_at is null and c ? 'encrypted' order by 1
  loop
    now := vestige.encrypting_trouble(class);
    if now.trouble is not null then
      raise exception 'take the native engine out: values of class % could not be encrypted without it: %', class, now.trouble
        using errcode = 'object_not_in_prerequisite_state', hint = now.remedy;
    end if;
  end loop;
  if to_regprocedure('vestige.encrypted(text,text)') is not null then
    perform vestige.make_encrypted();
  end if;
end
$encrypted$;

-- doctor expects them no longer.
update vestige.meta
set value = (select jsonb_object_agg(own.key, own.value) from jsonb_each(value::jsonb) own
             where own.key !~ '^vestige\.(capture_native|native_token|native_recipient|runs_method|order_method|set_indexes)\(')::text
where name = 'sources';
