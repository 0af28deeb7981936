-- Everything in the schema belongs to the schema's owner, whoever ran the script: vestige_owner, where that role stands
-- and the installer is a member of it, or else who installed the trail first (docs/decisions/0006). What event triggers
-- call stays with the superuser who made them.
do $owner$
declare
  trail_owner text := (select nspowner::regrole from pg_catalog.pg_namespace where nspname = 'vestige');
  one text;
begin
  for one in
    select format('alter %s %s', case c.relkind when 'v' then 'view' when 'S' then 'sequence' when 'c' then 'type' else 'table' end,
                  c.oid::regclass)
    from pg_catalog.pg_class c
    where c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r', 'p', 'v', 'S', 'c') and c.relowner <> to_regrole(trail_owner)
      and not exists (select from pg_catalog.pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid
                      and d.deptype in ('a', 'i') and c.relkind = 'S')
    union all
    select 'alter routine ' || p.oid::regprocedure from pg_catalog.pg_proc p
    where p.pronamespace = 'vestige'::regnamespace and p.proowner <> to_regrole(trail_owner)
      and not exists (select from pg_catalog.pg_event_trigger e where e.evtfoid = p.oid and e.evtowner = p.proowner)
  loop
    execute format('%s owner to %s', one, trail_owner);
  end loop;
  for one in
    select format('alter function %s owner to %s', p.oid::regprocedure, e.evtowner::regrole)
    from pg_catalog.pg_event_trigger e join pg_catalog.pg_proc p on p.oid = e.evtfoid
    where p.pronamespace = 'vestige'::regnamespace and p.proowner <> e.evtowner
      and pg_catalog.pg_has_role(e.evtowner, 'usage')
  loop
    execute one;
  end loop;
end
$owner$;
