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
  for t in select * from vestige.tracked where untracked_at is null order by id for update loop
    perform pg_advisory_xact_lock(hashtext('vestige.refit'), t.id);
    begin
      perform vestige.refit(t.id, vestige.live_relation(t));
    exception when others then
      insert into vestige.note (message)
      values (format('capture of %I.%I was not made anew: %s', t.schema_name, t.table_name, sqlerrm));
    end;
  end loop;
end
$upgrade$;
