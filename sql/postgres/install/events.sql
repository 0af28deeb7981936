-- DDL is noticed at the next write of a table. Where event triggers are allowed, which takes a superuser, it is noticed
-- at once: shapes, names, partitions that are new. The application's DDL never fails for it.

create or replace function vestige.on_ddl() returns event_trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  touched oid[];
  everything boolean;
  sound boolean;
  t record;
begin
  select array_agg(coalesce(pg_partition_root(coalesce(i.indrelid, c.oid)), i.indrelid, c.oid)),
         bool_or(d.classid <> 'pg_class'::regclass)
    into touched, everything
  from pg_event_trigger_ddl_commands() d left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
    left join pg_index i on i.indexrelid = c.oid
  where d.schema_name is distinct from 'vestige';
  for t in
    select k.id, c.oid as rel, k.shape, format('%I.%I', n.nspname, c.relname) <> format('%I.%I', k.schema_name, k.table_name) as moved
    from vestige.tracked k join pg_class c on c.oid = k.relation join pg_namespace n on n.oid = c.relnamespace
    where k.untracked_at is null and (everything or c.oid = any (touched)) order by k.id
  loop
    begin
      continue when not t.moved and vestige.signature(t.rel) = (select s.signature from vestige.shape s where s.id = t.shape)
        and not exists (select from vestige.capture_triggers(t.id, t.rel) x
                        where x.relation <> t.rel
                          and not exists (select from pg_trigger g where g.tgrelid = x.relation and g.tgname = x.name));
      -- Where a write is about to do the same, it does.
      continue when not pg_try_advisory_xact_lock(hashtext('vestige.refit'), t.id);
      perform from vestige.tracked where id = t.id for update nowait;
      -- Triggers that somebody dropped or disabled are left to doctor, which says so: what they missed must be known.
      sound := not exists (select from vestige.capture_triggers(t.id, t.rel) x where x.relation = t.rel
                           and not exists (select from pg_trigger g where g.tgrelid = t.rel and g.tgname = x.name
                                           and g.tgenabled = x.enabled));
      perform vestige.refit(t.id, t.rel, 'by ' || tg_tag, sound);
    exception when lock_not_available then
      null;
    when others then
      insert into vestige.note (message)
      values (format('%s of %s by %s was not taken up at once: %s', tg_tag, t.rel::regclass, session_user, sqlerrm));
    end;
  end loop;
exception when others then
  null;  -- a transaction that may only read, a trail that is being taken away
end
$$;

create or replace function vestige.on_drop() returns event_trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  insert into vestige.note (message)
  select format('table %s, which is tracked, was dropped by %s', vestige.shown_name(k.schema_name, k.table_name), session_user)
  from pg_event_trigger_dropped_objects() d join vestige.tracked k on k.relation = d.objid
  where d.classid = 'pg_class'::regclass and d.objsubid = 0 and k.untracked_at is null;
exception when others then
  null;
end
$$;

do $events$
begin
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'vestige_ddl_end') then
    create event trigger vestige_ddl_end on ddl_command_end
      when tag in ('ALTER TABLE', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE INDEX', 'ALTER INDEX', 'ALTER SCHEMA',
                   'ALTER TYPE', 'ALTER DOMAIN')
      execute function vestige.on_ddl();
    alter event trigger vestige_ddl_end enable always;
  end if;
  if not exists (select from pg_catalog.pg_event_trigger where evtname = 'vestige_drop') then
    create event trigger vestige_drop on sql_drop when tag in ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED')
      execute function vestige.on_drop();
    alter event trigger vestige_drop enable always;
  end if;
exception when insufficient_privilege then
  null;  -- doctor says so
end
$events$;
