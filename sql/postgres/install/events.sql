-- DDL is noticed at the next write of a table. Where event triggers are allowed, which takes a superuser, it is noticed
-- at once: shapes, names, partitions that are new. The application's DDL never fails for it.

-- The tables that a command touched, each with those that it is a part of.
create or replace function vestige.touched_tables(object_class oid, object oid) returns setof oid language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if object_class = 'pg_class'::regclass then
    return query
      with recursive up as (
        select coalesce((select i.indrelid from pg_index i where i.indexrelid = object), object) as oid
        union select i.inhparent from up join pg_inherits i on i.inhrelid = up.oid)
      select up.oid from up;
  elsif object_class = 'pg_namespace'::regclass then
    return query select c.oid from vestige.tracked t join pg_class c on c.oid = t.relation where c.relnamespace = object;
  elsif object_class = 'pg_type'::regclass then
    -- Whose columns are of it, or of a type that is made of it. That another label came to an enum changes no table.
    return query
      with recursive made as (
        select 'pg_type'::regclass::oid as class, object as oid
        union
        select case when c.relkind = 'c' then 'pg_type'::regclass::oid else d.classid end,
               case when c.relkind = 'c' then c.reltype else d.objid end
        from made m join pg_depend d on d.refclassid = 'pg_type'::regclass and d.refobjid = m.oid
          left join pg_class c on d.classid = 'pg_class'::regclass and c.oid = d.objid
        where m.class = 'pg_type'::regclass and d.classid in ('pg_type'::regclass, 'pg_class'::regclass))
      select coalesce(pg_partition_root(m.oid), m.oid) from made m where m.class = 'pg_class'::regclass;
  end if;
end
$$;

create or replace function vestige.on_ddl() returns event_trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  touched oid[];
  sound boolean;
  t record;
begin
  if exists (select from vestige.meta where name = 'own_ddl ' || pg_current_xact_id_if_assigned()) then
    -- Who may set triggers may say that of any DDL: what it left switched off is a gap all the same.
    perform vestige.note_gap(k.id, format('capture was switched off by %s (%s)', session_user, tg_tag))
    from (select distinct d.objid from pg_event_trigger_ddl_commands() d where d.classid = 'pg_class'::regclass) d
      join vestige.tracked k on k.relation = coalesce(pg_partition_root(d.objid), d.objid) and k.untracked_at is null
    where exists (select from pg_trigger g
                  where g.tgrelid = d.objid and g.tgname in ('0_vestige_change', '0_vestige_insert', '0_vestige_truncate')
                    and g.tgenabled in ('D', 'R'));
    return;
  end if;
  touched := array(select o from (select distinct d.classid, d.objid from pg_event_trigger_ddl_commands() d
                                  where d.schema_name is distinct from 'vestige') d, vestige.touched_tables(d.classid, d.objid) o);
  for t in
    select k.id, c.oid as rel, k.shape, format('%I.%I', n.nspname, c.relname) <> format('%I.%I', k.schema_name, k.table_name) as moved,
           c.relkind = 'p' or c.relhassubclass or exists (select from vestige.part p where p.tracked = k.id) as has_parts
    from vestige.tracked k join pg_class c on c.oid = k.relation join pg_namespace n on n.oid = c.relnamespace
    where k.untracked_at is null and c.oid = any (touched) order by k.id
  loop
    begin
      perform vestige.let_make_partitions(k) from vestige.tracked k where k.id = t.id and t.has_parts;
      if t.has_parts and exists (select from vestige.tracked k, vestige.moved_parts(k, t.rel) where k.id = t.id) then
        perform vestige.look_at_parts(t.id, t.rel, true);
      end if;
      perform vestige.see_switched(t.id, t.rel, tg_tag);
      continue when not t.moved and vestige.signature(t.rel) = (select s.signature from vestige.shape s where s.id = t.shape)
        and not exists (select from vestige.capture_triggers(t.id, t.rel) x
                        where x.relation <> t.rel
                          and not exists (select from pg_trigger g where g.tgrelid = x.relation and g.tgname = x.name));
      -- Where a write is about to do the same, it does.
      perform from vestige.tracked where id = t.id for update skip locked;
      continue when not found;
      -- Triggers that somebody dropped or disabled are left to doctor, which says so: what they missed must be known.
      sound := not exists (select from vestige.capture_triggers(t.id, t.rel) x where x.relation = t.rel
                           and not exists (select from pg_trigger g where g.tgrelid = t.rel and g.tgname = x.name
                                           and g.tgenabled = x.enabled));
      perform vestige.refit(t.id, t.rel, 'by ' || tg_tag, sound);
    exception when others then
      insert into vestige.note (message)
      values (format('%s of %s by %s was not taken up at once: %s', tg_tag, t.rel::regclass, session_user, sqlerrm));
    end;
  end loop;
exception when others then
  null;  -- a transaction that may only read, a trail that is being taken away
end
$$;

-- Capture that somebody switched off is a gap from now on. What ENABLE TRIGGER made of it (all of them fire, but none when a
-- replica writes) is put right at once.
create or replace function vestige.see_switched(tracked_id int, rel oid, tag text) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  x record;
  switched_off boolean := false;
begin
  perform vestige.own_ddl(true);
  for x in
    select w.relation, w.name, w.enabled, g.tgenabled from vestige.capture_triggers(tracked_id, rel) w
      join pg_trigger g on g.tgrelid = w.relation and g.tgname = w.name
    where g.tgenabled <> w.enabled and not exists (select from pg_trigger p where p.oid = g.tgparentid and p.tgenabled = g.tgenabled)
  loop
    if x.tgenabled = 'D' or x.tgenabled = 'R' then
      switched_off := true;
    else
      perform vestige.enable_part(x.relation, x.name, x.enabled);
    end if;
  end loop;
  perform vestige.own_ddl(false);
  if switched_off then
    perform vestige.note_gap(tracked_id, format('capture was switched off by %s (%s)', session_user, tag));
  end if;
end
$$;

-- REASSIGN OWNED, of which no event tells, gave partitioned tables to somebody who may be about to make a partition.
create or replace function vestige.on_ddl_start() returns event_trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from vestige.meta where name = 'own_ddl ' || pg_current_xact_id_if_assigned()) then
    return;
  end if;
  perform vestige.let_make_partitions(t) from vestige.tracked t join pg_class c on c.oid = t.relation and c.relkind = 'p'
  where t.untracked_at is null;
exception when others then
  null;
end
$$;

create or replace function vestige.on_drop() returns event_trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  t record;  -- no type of the trail, which may be what is dropped
begin
  insert into vestige.note (message)
  select format('table %s, which is tracked, was dropped by %s', vestige.shown_name(k.schema_name, k.table_name), session_user)
  from pg_event_trigger_dropped_objects() d join vestige.tracked k on k.relation = d.objid
  where d.classid = 'pg_class'::regclass and d.objsubid = 0 and k.untracked_at is null;
  for t in
    select distinct k.* from pg_event_trigger_dropped_objects() d join vestige.part p on p.relation = d.objid
      join vestige.tracked k on k.id = p.tracked join pg_class c on c.oid = k.relation
    where d.classid = 'pg_class'::regclass and d.objsubid = 0 and k.untracked_at is null
  loop
    perform vestige.look_at_parts(t.id, t.relation, true);
  end loop;
exception when others then
  null;
end
$$;

do $events$
declare
  e record;
begin
  for e in
    select * from (values
      ('vestige_ddl_end', 'ddl_command_end', 'on_ddl', array['ALTER TABLE', 'CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO',
         'CREATE INDEX', 'ALTER INDEX', 'ALTER SCHEMA', 'ALTER TYPE', 'ALTER DOMAIN']),
      ('vestige_ddl_start', 'ddl_command_start', 'on_ddl_start', array['CREATE TABLE', 'ALTER TABLE']),
      ('vestige_drop', 'sql_drop', 'on_drop', array['DROP TABLE', 'DROP SCHEMA', 'DROP OWNED'])) v(name, event, routine, tags)
  loop
    continue when exists (select from pg_catalog.pg_event_trigger x where x.evtname = e.name and x.evttags @> e.tags);
    execute format('drop event trigger if exists %I', e.name);
    execute format('create event trigger %I on %s when tag in (%s) execute function vestige.%I()', e.name, e.event,
                   (select string_agg(quote_literal(tag), ', ') from unnest(e.tags) tag), e.routine);
    execute format('alter event trigger %I enable always', e.name);
  end loop;
exception when insufficient_privilege then
  null;  -- doctor says so
end
$events$;
