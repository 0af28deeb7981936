-- A trail that stood already: what it lacks, by version, and capture made anew for every table, so that it is what this
-- script makes. Writes go on meanwhile.

do $upgrade$
declare
  present int := (select value::int from vestige.meta where name = 'schema_version');
  t vestige.tracked;
begin
  if present < 1 then
    alter table vestige.tracked add column if not exists places jsonb;
    alter table vestige.tracked add column if not exists engine text not null default 'portable'
      check (engine in ('portable', 'native'));
    update vestige.meta set value = '1' where name = 'schema_version';
  end if;
  drop function if exists vestige.writers(), vestige.enable_part(regclass, name);
  -- Nobody looked at partitions before: what stands is taken as known.
  if not exists (select from vestige.part) then
    for t in select k.* from vestige.tracked k join pg_catalog.pg_class c on c.oid = k.relation where k.untracked_at is null loop
      perform vestige.know_parts(t.id, t.relation);
    end loop;
  end if;
  for t in select * from vestige.tracked where untracked_at is null order by id for update loop
    begin
      perform vestige.refit(t.id, vestige.live_relation(t));
    exception when others then
      insert into vestige.note (message)
      values (format('capture of %I.%I was not made anew: %s', t.schema_name, t.table_name, sqlerrm));
    end;
  end loop;
end
$upgrade$;
