
-- What pg_dump keeps of the extension's tables: everything that was recorded. What the script itself writes down is
-- there again after create extension; but for the salt of the subjects, which an older release wrote down here, and which must never be
-- another one. What the trail made itself later is no member, and dumped as any table.
do $dump$
declare
  kept pg_catalog.regclass;
  known text := (select pg_catalog.format('where name not in (%s)', pg_catalog.string_agg(pg_catalog.quote_literal(name), ', '))
                 from vestige.meta where name <> 'subject_salt');
begin
  for kept in
    select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'vestige' and c.relkind in ('r', 'S')
      and exists (select from pg_catalog.pg_depend d join pg_catalog.pg_extension e on e.oid = d.refobjid and e.extname = 'vestige'
                  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e'
                    and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass)
  loop
    perform pg_catalog.pg_extension_config_dump(kept,
      case when kept = 'vestige.meta'::pg_catalog.regclass then known else '' end);
  end loop;
end
$dump$;

-- Tables that are tracked from now on are recorded by this engine.
alter table vestige.tracked alter column engine set default 'native';
