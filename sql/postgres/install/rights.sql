-- What the trail is made of, so that doctor sees what was altered since. Nobody but who is meant to has any right on it,
-- whatever default privileges gave. Rights that a DBA gave on purpose to read a part of it are left where a trail stood already.
do $rights$
declare
  fresh boolean := not exists (select from vestige.meta where name = 'sources');
begin
  insert into vestige.meta values ('sources', vestige.own_sources()::text),
    ('sources_server', current_setting('server_version_num')::int / 10000)
  on conflict (name) do update set value = excluded.value;
  perform vestige.set_rights(fresh);
end
$rights$;

-- A publication for all tables must not make erasing, or the trail's own housekeeping, fail.
do $identity$
declare
  one regclass;
begin
  for one in
    select c.oid from pg_catalog.pg_class c
    where c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r', 'p') and c.relreplident <> 'f'
      and not exists (select from pg_catalog.pg_index i where i.indrelid = c.oid and i.indisprimary)
  loop
    execute format('alter table %s replica identity full', one);
  end loop;
end
$identity$;

-- The first partitions, or those that are missing. Writes go on without; doctor says when they are.
do $partitions$
begin
  perform vestige.maintain(3);
exception when lock_not_available then
  null;
end
$partitions$;
