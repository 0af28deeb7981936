-- What is out of order with the trail, what that means, and repairs.

-- The trail's own functions and views, each with a fingerprint; those that are generated for a table are left out.
create or replace function vestige.own_sources() returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  select jsonb_object_agg(o.name, o.print) from (
    select p.oid::regprocedure::text as name,
           md5(concat_ws('|', p.prosrc, p.prosecdef, p.provolatile, p.proleakproof, p.proconfig, l.lanname, p.proretset)) as print
    from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace = 'vestige'::regnamespace and p.proname !~ '^(capture|insert)_[0-9]+$|^encrypted(_of)?$'
    union all
    select 'view ' || c.oid::regclass, md5(pg_get_viewdef(c.oid)) from pg_class c
    where c.relnamespace = 'vestige'::regnamespace and c.relkind = 'v') o
$$;

-- The tables of the trail that must have guards, and whether each guard stands.
create or replace function vestige.guards() returns table (relation regclass, name name, stands boolean) language sql stable
set search_path = pg_catalog, pg_temp as $$
  select k.relation, g.name, exists (select from pg_trigger x where x.tgrelid = k.relation and x.tgname = g.name
    and x.tgfoid = 'vestige.refuse'::regproc and x.tgenabled = 'A' and x.tgqual is null
    and x.tgtype = case when g.name = 'never_truncate' then 2 + 32 when k.relation in ('vestige.tracked'::regclass, 'vestige.gap'::regclass) then 1 + 2 + 8
                        when k.relation in (to_regclass('vestige.checkpoint'), to_regclass('vestige.encrypted_key')) then 1 + 2 + 4 + 8 + 16
                        else 1 + 2 + 8 + 16 end)
  from (select to_regclass(c) as relation from unnest(array['vestige.change', 'vestige.moved', 'vestige.context',
          'vestige.shape', 'vestige.tracked', 'vestige.checkpoint', 'vestige.erased', 'vestige.gap', 'vestige.encrypted_key']) c where to_regclass(c) is not null
        union all select i.inhrelid from pg_inherits i where i.inhparent = 'vestige.change'::regclass) k,
    unnest(array['append_only', 'never_truncate']::name[]) g(name)
$$;

-- Capture triggers that record nothing, since their table is not tracked here: in a copy of the schema alone, and on
-- partitions that were detached.
create or replace function vestige.idle_triggers() returns table (relation regclass, name name) language sql stable
set search_path = pg_catalog, pg_temp as $$
  with ours as materialized (
    select g.tgrelid, g.tgname, coalesce(pg_partition_root(g.tgrelid)::oid, g.tgrelid) as root,
           coalesce(substring(p.proname from '^(?:capture|insert)_([0-9]+)$'), substring(encode(g.tgargs, 'escape') from '^[0-9]+'))::numeric as id
    from pg_trigger g join pg_proc p on p.oid = g.tgfoid join pg_class c on c.oid = g.tgrelid
    where p.pronamespace = 'vestige'::regnamespace and c.relnamespace <> 'vestige'::regnamespace and g.tgparentid = 0)
  select o.tgrelid::regclass, o.tgname
  from ours o left join vestige.tracked t on t.id = case when o.id < 2147483648 then o.id::int end and t.untracked_at is null
  where t.id is null or t.relation is distinct from o.root and vestige.live_relation(t) is distinct from o.root
$$;

-- Capture functions that no table is tracked by, and that no trigger fires: what a copy of the schema alone leaves when its triggers go.
create or replace function vestige.idle_functions() returns setof regprocedure language sql stable
set search_path = pg_catalog, pg_temp as $$
  select p.oid::regprocedure from pg_proc p, lateral (select substring(p.proname from '^(?:capture|insert)_([0-9]+)$')::numeric as id) n
  where p.pronamespace = 'vestige'::regnamespace and n.id is not null and p.prorettype = 'trigger'::regtype
    and not exists (select from vestige.tracked t where t.id = case when n.id < 2147483648 then n.id::int end and t.untracked_at is null)
    and not exists (select from pg_trigger g where g.tgfoid = p.oid)
$$;

-- Whether changes are in the default partition, which nobody may read by itself.
create or replace function vestige.default_filled() returns boolean language sql stable security definer
set search_path = pg_catalog, pg_temp as $$
  select exists (select from vestige.change_default)
$$;

-- What is to be said of the trail as a whole.
create or replace function vestige.trail_findings()
returns table (severity text, code text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
  powerful boolean := (select rolsuper from pg_roles where oid = trail_owner);
  newest timestamptz := (select max(upto) from vestige.partitions());
  period interval := ('1 ' || (select value from vestige.meta where name = 'partition_width'))::interval;
  fix text := 'vestige doctor --fix';
begin
  return query select 'error', 'trail-altered', format('the trail''s own %s is not as vestige made it', coalesce(now.key, was.key)),
      'vestige init makes it anew', false
    from jsonb_each_text((select value::jsonb from vestige.meta where name = 'sources')) was
      full join jsonb_each_text(vestige.own_sources()) now using (key)
    -- Another release of the server may print a view in another way.
    where was.value is distinct from now.value
      and (coalesce(now.key, was.key) not like 'view %'
           or (select value from vestige.meta where name = 'sources_server') = current_setting('server_version_num')::int / 10000 || '')
    order by 3;
  return query select 'error', 'trail-altered', format('the guard %s of %s is missing or disabled: history may have been changed',
      g.name, g.relation), fix, true
    from vestige.guards() g where not g.stands;
  return query select 'error', 'trail-altered', format('%s of the trail''s tables and functions do not belong to its owner %s', count(*),
      trail_owner::regrole), 'vestige init makes it anew', false
    from (select from pg_class c where c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r', 'p', 'v', 'S')
            and c.relowner <> trail_owner
          union all select from pg_proc p where p.pronamespace = 'vestige'::regnamespace and p.proowner <> trail_owner
            and p.prorettype <> 'event_trigger'::regtype and p.proname !~ '^(capture|insert)_[0-9]+$') o
    having count(*) > 0;
  return query select r.* from vestige.rights_findings() r;
  return query select 'warning', 'triggers-idle', format('capture triggers stand on %s and record nothing: the table is not tracked here'
      ' (a copy of the schema without its data), or it is a partition no longer', i.relation),
      format('vestige track %s records it; vestige doctor --fix takes the triggers away', i.relation), true
    from (select distinct x.relation from vestige.idle_triggers() x) i;
  return query select 'warning', 'functions-idle', format('capture functions stand and no table is tracked by them: %s',
      string_agg(i::text, ', ' order by i::text)), fix || ' drops them', true
    from vestige.idle_functions() i having count(*) > 0;
  return query select 'warning', 'rights', format('%s has the rights of the trail''s owner and can rewrite history', m.member::regrole),
      format('revoke %s from %s', trail_owner::regrole, m.member::regrole), false
    from pg_auth_members m where m.roleid = trail_owner;
  return query select 'warning', 'index-invalid', format('index %s is not valid: looking a row up may take long', i.indexrelid::regclass),
      format('reindex index %s', i.indexrelid::regclass), false
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where c.relnamespace = 'vestige'::regnamespace and not i.indisvalid;
  return query select 'warning', 'unreadable', format('%s changes could not be read, or in part, when they were sealed: those parts are'
      ' sealed as null', s.unreadable), 'vestige verify names them; find out who wrote to the trail, or which part of the disk is bad', false
    from vestige.sealer s where s.unreadable > 0;
  if vestige.who_behind() > 1000000 then
    return query select 'note', 'who-index', format('what somebody did is looked for in %s changes one by one: so many are not indexed by who made them',
      vestige.who_behind()), 'vestige seal and vestige.maintain() index them; vestige doctor --fix does it now', true;
  end if;
  if vestige.default_filled() then
    return query select 'warning', 'partition-default',
      'changes are in the default partition; nothing is lost, but retention cannot drop it', fix, true;
  end if;
  if newest is null or newest < clock_timestamp() + period then
    return query select case when newest > clock_timestamp() then 'note' else 'warning' end, 'partition-ahead',
      format('partitions are made up to %s only; after that, changes go to the default partition',
             coalesce(to_char(newest at time zone 'UTC', 'YYYY-MM-DD'), 'now')),
      'vestige doctor --fix; have cron call vestige.maintain()', true;
  end if;
  if not exists (select from pg_event_trigger e where e.evtname = 'vestige_ddl_end') then
    return query select 'note', 'event-trigger',
      'there are no event triggers, which need a superuser: DDL is noticed at the next write, and a new partition gets its'
      ' TRUNCATE trigger from doctor --fix; until then its TRUNCATE alone is not recorded', null, false;
  else
    return query select 'warning', 'event-trigger', format('event trigger %s is disabled: DDL is noticed at the next write', e.evtname),
      format('alter event trigger %s enable always', e.evtname), false
    from pg_event_trigger e where e.evtname in ('vestige_ddl_start', 'vestige_ddl_end', 'vestige_drop') and e.evtenabled <> 'A';
  end if;
  return query select 'note', 'roles', format('there is no role %s: %s', r.name, r.meaning), 'vestige init, as a role that may create roles',
      false
    from (values ('vestige_reader', 'who shall read the trail needs grants one by one'),
                 ('vestige_auditor', 'who shall verify the trail needs grants one by one'),
                 ('vestige_admin', 'only the owner of the trail can set policies')) r(name, meaning)
    where to_regrole(r.name) is null;
  return query select 'note', 'owner', format('%s owns the trail and tracked tables, and logs in: a session of its could switch capture'
      ' off, or rewrite history; doctor finds the first, a seal the second', trail_owner::regrole),
      'let the application log in as a role that owns neither, or give the trail to a role vestige_owner', false
    from pg_roles o where o.oid = trail_owner and o.rolcanlogin and not o.rolsuper
      and exists (select from vestige.tracked t join pg_class c on c.oid = t.relation
                  where t.untracked_at is null and c.relowner = trail_owner);
  return query select 'note', 'owner', format('%s owns tracked tables and logs in: a session of its could switch their capture off, and'
      ' doctor would find it', o.rolname), 'let the application log in as a role that does not own its tables', false
    from pg_roles o where o.oid <> trail_owner and o.rolcanlogin and not o.rolsuper
      and exists (select from vestige.tracked t join pg_class c on c.oid = t.relation
                  where t.untracked_at is null and c.relowner = o.oid);
  return query select 'note', 'ddl', format('%s: %s', to_char(n.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), n.message), null, false
    from vestige.note n order by n.at desc limit 10;
end
$$;

-- Everything that doctor has to say, gravest first.
create or replace function vestige.doctor()
returns table (severity text, code text, "table" text, message text, remedy text, fixable boolean) language sql stable
set search_path = pg_catalog, pg_temp as $$
  select f.* from (
    select severity, code, null as "table", message, remedy, fixable from vestige.trail_findings()
    union all
    select f.severity, f.code, vestige.shown_name(t.schema_name, t.table_name), f.message, f.remedy, f.fixable
    from vestige.table_findings(null) f join vestige.tracked t on t.id = f.tracked
    union all
    select 'error', 'capture-fails', vestige.shown_name(t.schema_name, t.table_name),
      format('what captures its changes does not run, and the next write of it will fail: %s', f.fault),
      format('vestige track %1$s again without what that names (--exclude), or vestige untrack %1$s; and report it',
             vestige.shown_name(t.schema_name, t.table_name)), false
    from vestige.capture_faults() f join vestige.tracked t on t.id = f.tracked) f
  order by array_position(array['error', 'warning', 'note'], f.severity), f."table" nulls first, f.code, f.message
$$;

-- Repairs what is safe. Never touches the history.
create or replace function vestige.mend() returns void language plpgsql
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  t vestige.tracked;
  g record;
  rel oid;
  codes text[];
begin
  for g in select distinct relation, name from vestige.guards() where not stands loop
    -- A partition's row trigger is its parent's.
    if g.name = 'append_only' and exists (select from pg_inherits where inhrelid = g.relation) then
      execute format('alter table %s enable always trigger append_only', g.relation);
      continue;
    end if;
    perform vestige.drop_trigger(g.relation, g.name);
    execute format('create trigger %I before %s on %s for each %s execute function vestige.refuse()', g.name,
      case when g.name = 'never_truncate' then 'truncate' when g.relation in ('vestige.tracked'::regclass, 'vestige.gap'::regclass) then 'delete'
           when g.relation in (to_regclass('vestige.checkpoint'), to_regclass('vestige.encrypted_key')) then 'insert or update or delete'
           else 'update or delete' end, g.relation, case when g.name = 'never_truncate' then 'statement' else 'row' end);
    execute format('alter table %s enable always trigger %I', g.relation, g.name);
  end loop;
  perform vestige.set_rights(false);
  perform vestige.drop_trigger(i.relation, i.name) from vestige.idle_triggers() i join pg_class c on c.oid = i.relation
  where pg_has_role(c.relowner, 'usage');
  for g in select i as routine from vestige.idle_functions() i loop
    execute format('drop function %s', g.routine);
  end loop;
  for t in
    select * from vestige.tracked where id in (select f.tracked from vestige.table_findings(null) f where f.fixable) order by id
  loop
    codes := array(select code from vestige.table_findings(array[t.id]) f where f.fixable);
    continue when codes = '{}';
    -- One that cannot be mended must not keep the others from it.
    begin
      rel := vestige.live_relation(t);
      perform vestige.drop_trigger(x.relation, x.name)
      from vestige.capture_triggers(t.id, rel) x join pg_trigger y on y.tgrelid = x.relation and y.tgname = x.name
      where codes && array['triggers-altered', 'triggers-disabled'] and y.tgparentid = 0
        and (y.tgenabled <> x.enabled or (y.tgqual is not null) <> (x.name = '0_vestige_apply') or not vestige.qualified(y.oid) or y.tgattr::text <> '' or y.tgtype <> x.kind);
      perform vestige.refit(t.id, rel, case when codes && array['triggers-missing', 'triggers-disabled', 'triggers-altered',
        'function-altered'] then 'capture was out of order: changes before this may not be in the trail' end);
      if codes && array['triggers-missing', 'triggers-disabled', 'triggers-altered', 'function-altered'] then
        perform vestige.note_gap(t.id, 'capture was out of order: changes before this may not be in the trail');
      end if;
      update vestige.gap set accepted = clock_timestamp() where tracked = t.id and accepted is null;
      -- What comes to partitions from the table is theirs only as far as each of them lets it.
      perform vestige.enable_part(x.relation, x.name, x.enabled) from vestige.capture_triggers(t.id, rel) x
        join pg_trigger y on y.tgrelid = x.relation and y.tgname = x.name where y.tgenabled <> x.enabled;
    exception when others then
      insert into vestige.note (message) values (format('mend %I.%I: %s', t.schema_name, t.table_name, sqlerrm));
    end;
  end loop;
end
$$;

-- enabled   A(lways), O(rigin), R(eplica), as pg_trigger says it
create or replace function vestige.enable_part(part regclass, trigger_name name, enabled "char") returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  execute format('alter table %s enable %s trigger %I', part, case enabled when 'A' then 'always' when 'R' then 'replica' else '' end,
                 trigger_name);
end
$$;
