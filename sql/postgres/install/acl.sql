-- Who may do what with the trail, and who has more than that, or less. An application's role needs nothing: capture runs
-- as the trail's owner. It may say its context. Readers read what was recorded, auditors everything, and they seal it;
-- admins say what is recorded, and of whose tables they are members.

-- Every right on the trail that anybody but its owner is meant to have. part: the number of a column, or 0.
create or replace function vestige.meant_rights()
returns table (class oid, object oid, part int, grantee oid, privilege text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query
  with r as (
    select o.oid, o.rolname from pg_roles o where o.rolname in ('vestige_reader', 'vestige_auditor', 'vestige_admin')
  ), f as (
    select p.* from pg_proc p where p.pronamespace = 'vestige'::regnamespace
  ), c as (
    select k.* from pg_class k where k.relnamespace = 'vestige'::regnamespace and not k.relispartition
      and (k.relkind <> 'v' or coalesce((select m.value::jsonb ? ('view vestige.' || k.relname) from vestige.meta m where m.name = 'sources'), true))
  )
  select 'pg_namespace'::regclass::oid, n.oid, 0, 0::oid, 'USAGE'::text from pg_namespace n where n.nspname = 'vestige'
  union all
  select 'pg_proc'::regclass, f.oid, 0, 0, 'EXECUTE' from f
  where f.oid = to_regprocedure('vestige.set_context(jsonb)') or f.proname in ('access', 'challenge')
  union all
  select 'pg_class'::regclass, c.oid, 0, r.oid, 'SELECT' from r, c
  where c.relkind in ('r', 'p', 'v')
    and (r.rolname <> 'vestige_reader' or c.relkind = 'v'
         or c.relname in ('change', 'context', 'moved', 'tracked', 'shape', 'meta', 'retention', 'erased', 'expired', 'expired_leaves', 'part', 'gap', 'note', 'sealer', 'checkpoint', 'bundle', 'tile', 'cursor', 'who', 'who_upto', 'encrypted_key')
         or vestige.own_columns(c.relname) is not null)
  union all
  select 'pg_proc'::regclass, f.oid, 0, r.oid, 'EXECUTE' from r, f
  where f.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
    and (f.provolatile <> 'v' and not f.prosecdef
         or f.proname in ('doctor', 'troubles', 'gaps', 'default_filled', 'capture_faults', 'who_behind')
         or r.rolname = 'vestige_admin' and f.proname in ('track', 'set_policy', 'decide_policy', 'set_triggers',
           'make_trigger', 'drop_trigger', 'own_ddl', 'lend', 'untrack', 'untrack_id', 'end_policy', 'baseline', 'baseline_rows', 'maintain', 'index_who',
           'set_retention', 'undo', 'undo_look', 'undo_apply', 'undo_at_once', 'undo_one_by_one', 'undo_steps', 'undo_changes',
           'check_constraints', 'revert', 'revert_tx', 'erase', 'erase_changes', 'erase_archived')
         or r.rolname = 'vestige_auditor' and f.proname in ('unfinished', 'index_who')
         or f.proname in ('own_table', 'record_read') or r.rolname <> 'vestige_reader' and f.proname = 'keep_table'
         or r.rolname = 'vestige_admin' and f.proname = 'record_access'
         or r.rolname <> 'vestige_reader' and f.proname in ('place_hold', 'release_hold', 'refused_hold'))
  union all
  select 'pg_class'::regclass, c.oid, 0, r.oid, p from r, c, unnest(array['INSERT', 'UPDATE', 'DELETE']) p
  where r.rolname = 'vestige_auditor' and c.relname in ('bundle', 'tile', 'sealer', 'cursor')
     -- Who looks signs, and alerts go from hand to hand: neither is taken back. What is read and which policies were changed is
     -- written down by the functions that do it.
     or r.rolname <> 'vestige_reader' and (c.relname = 'mark' or c.relname in ('review', 'archived') and p = 'INSERT'
                                           or vestige.kept_columns(c.relname) is not null
                                           or c.relname = 'alert' and p <> 'DELETE')
  union all
  select 'pg_class'::regclass, c.oid, a.attnum, r.oid, case when a.attnum = 0 then 'INSERT' else 'UPDATE' end
  from r, c, lateral (select 0 as attnum union all
                      select g.attnum from pg_attribute g where g.attrelid = c.oid and g.attname = 'note') a
  where r.rolname = 'vestige_auditor' and c.relname = 'checkpoint'
  union all
  -- An agency may ask that a disclosure to it be not told for a time; that it was asked is a change, too.
  select 'pg_class'::regclass, c.oid, g.attnum, r.oid, 'UPDATE' from r, c join pg_attribute g on g.attrelid = c.oid
  where r.rolname <> 'vestige_reader' and c.relname = 'access' and g.attname = 'suspended_until'
  union all
  select 'pg_class'::regclass, c.oid, 0, r.oid, 'SELECT' from r, c
  where r.rolname = 'vestige_auditor' and c.relname = 'change_id'
  union all
  -- PostgreSQL asks who makes a partition whether he may use the function of a row trigger that comes to it.
  select 'pg_proc'::regclass, f.oid, 0, m.grantee, 'EXECUTE' from vestige.tracked t, vestige.partition_makers(t) m
    join f on f.oid = m.routine
  where t.untracked_at is null and m.grantee <> f.proowner;
end
$$;

-- The functions that a partitioned table's owner may use. Where no event trigger tells of a new owner, anybody may: on
-- another table than its own a capture function does nothing.
create or replace function vestige.partition_makers(t vestige.tracked) returns table (routine oid, grantee oid)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select f, case when exists (select from pg_event_trigger where evtname = 'vestige_ddl_end') then c.relowner else 0 end
  from pg_class c, unnest(array[to_regproc(format('vestige.capture_%s', t.id)),
                                case when t.engine = 'native' then to_regproc('vestige.capture_native') end]::oid[]) f
  where c.oid = t.relation and c.relkind = 'p' and f is not null;
end
$$;

-- Every right on the trail that somebody but the owner of the object has.
create or replace function vestige.given_rights()
returns table (class oid, object oid, part int, grantee oid, privilege text, grantable boolean) language sql stable
set search_path = pg_catalog, pg_temp as $$
  select 'pg_namespace'::regclass::oid, n.oid, 0, a.grantee, a.privilege_type, a.is_grantable
  from pg_namespace n, aclexplode(n.nspacl) a where n.nspname = 'vestige' and a.grantee <> n.nspowner
  union all
  select 'pg_class'::regclass, c.oid, 0, a.grantee, a.privilege_type, a.is_grantable
  from pg_class c, aclexplode(c.relacl) a where c.relnamespace = 'vestige'::regnamespace and a.grantee <> c.relowner
  union all
  select 'pg_class'::regclass, c.oid, t.attnum, a.grantee, a.privilege_type, a.is_grantable
  from pg_class c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
  where c.relnamespace = 'vestige'::regnamespace and a.grantee <> c.relowner
  union all
  select 'pg_proc'::regclass, p.oid, 0, a.grantee, a.privilege_type, a.is_grantable
  from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  where p.pronamespace = 'vestige'::regnamespace and a.grantee <> p.proowner
$$;

-- What differs between the two, with the statement that puts it right.
--
-- strict    also what does nobody harm and may have been given on purpose: to a role by its name, to call a function that
--           only reads, with the caller's rights, and to read which tables are tracked (docs/postgres.md, "Roles")
-- excess    somebody has a right that is not meant; else one is missing
create or replace function vestige.wrong_rights(strict boolean)
returns table (excess boolean, object text, class oid, grantee text, privilege text, statement text) language sql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  with d as (
    select true as excess, g.class, g.object, g.part, g.grantee, g.privilege
    from vestige.given_rights() g left join vestige.meant_rights() m using (class, object, part, grantee, privilege)
    where m is null or g.grantable
    union
    select false, m.class, m.object, m.part, m.grantee, m.privilege
    from vestige.meant_rights() m left join vestige.given_rights() g using (class, object, part, grantee, privilege)
    where g is null
  ), n as (
    select d.*, case when d.grantee = 0 then 'public' else d.grantee::regrole::text end as to_whom,
           case d.class when 'pg_namespace'::regclass then 'vestige' when 'pg_proc'::regclass then d.object::regprocedure::text
                        else d.object::regclass::text end as named,
           case when d.class = 'pg_namespace'::regclass then 'schema'
                when d.class = 'pg_proc'::regclass then 'routine'
                when (select relkind from pg_class where oid = d.object) = 'S' then 'sequence' else 'table' end as kind,
           (select format(' (%I)', a.attname) from pg_attribute a
            where d.part <> 0 and a.attrelid = d.object and a.attnum = d.part) as col
    from d
  )
  select n.excess, n.named, n.class, n.to_whom, n.privilege,
         case when n.excess then format('revoke %s%s on %s %s from %s cascade', n.privilege, n.col, n.kind, n.named, n.to_whom)
              else format('grant %s%s on %s %s to %s', n.privilege, n.col, n.kind, n.named, n.to_whom) end
  from n
  where strict or not n.excess or n.grantee = 0 or not (
    n.class = 'pg_proc'::regclass and (select not p.prosecdef and p.provolatile <> 'v' from pg_proc p where p.oid = n.object)
    or n.class = 'pg_class'::regclass and n.privilege = 'SELECT'
       and n.object in (select c.oid from pg_class c where c.relnamespace = 'vestige'::regnamespace
                        and c.relname in ('tracked', 'shape', 'erased')))
  order by n.excess desc, n.class, n.object, n.grantee
$$;

-- Gives and takes until nothing differs; how many statements that took.
create or replace function vestige.set_rights(strict boolean) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  one text;
  done bigint := 0;
begin
  -- Taking comes first: it takes a right and the option to grant it together, where only the option is too much.
  for pass in 1..2 loop
    for one in select w.statement from vestige.wrong_rights(strict) w where w.excess = (pass = 1) loop
      execute one;
      done := done + 1;
    end loop;
  end loop;
  return done;
end
$$;

-- Takes every right on a new table of the trail from everybody: the default privileges of its owner may give some.
create or replace function vestige.keep_to_owner(rel regclass) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  one text;
begin
  for one in
    select distinct format('revoke all on %s from %s cascade', rel, case a.grantee when 0 then 'public' else a.grantee::regrole::text end)
    from pg_class c, aclexplode(c.relacl) a where c.oid = rel and a.grantee <> c.relowner
  loop
    execute one;
  end loop;
end
$$;

-- What is to be said of rights on the trail.
create or replace function vestige.rights_findings()
returns table (severity text, code text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  fix text := 'vestige doctor --fix';
begin
  return query
  with w as (select x.*, case x.grantee when 'public' then 'anybody' else x.grantee end as who from vestige.wrong_rights(false) x)
  select case when bool_or(w.privilege <> 'SELECT') then 'error' else 'warning' end, 'rights',
         case when bool_or(w.privilege <> 'SELECT')
              then format('%s may %s %s: history is not safe from %s', w.grantee, lower(string_agg(distinct w.privilege, ', ')), w.object, w.who)
              else format('%s may read %s, and is not meant to', w.grantee, w.object) end, fix, true
  from w where w.excess and w.class = 'pg_class'::regclass group by w.grantee, w.who, w.object
  union all
  select 'error', 'rights', format('%s may create objects in schema vestige', w.grantee), fix, true
  from w where w.excess and w.class = 'pg_namespace'::regclass and w.privilege = 'CREATE'
  union all
  select 'error', 'rights', format('%s may call %s of the trail, and is not meant to: %s', w.grantee,
         case count(distinct w.object) when 1 then 'a function' else format('%s functions', count(distinct w.object)) end,
         array_to_string((array_agg(distinct w.object order by w.object))[1:3], ', ') || case when count(distinct w.object) > 3 then ', ...' else '' end),
         fix, true
  from w where w.excess and w.class = 'pg_proc'::regclass group by w.grantee
  union all
  select 'error', 'rights', 'an application''s role cannot say its context: the grant that lets it was taken away', fix, true
  from w where not w.excess and w.grantee = 'public' and (w.class = 'pg_namespace'::regclass or w.object like '%set_context(%')
  having count(*) > 0
  union all
  select 'error', 'rights', 'an application''s role cannot bind a signature to its transaction: the grant that lets it was taken away', fix, true
  from w where not w.excess and w.grantee = 'public' and w.object like '%.challenge(%' having count(*) > 0
  union all
  select 'error', 'rights', 'an application''s role cannot report its reads: the grant that lets it was taken away', fix, true
  from w where not w.excess and w.grantee = 'public' and w.object like '%.access(%' having count(*) > 0
  union all
  select 'error', 'rights', format('%s may not make partitions of a tracked table: %s', w.who, string_agg(w.object, ', ')), fix, true
  from w where not w.excess and w.object ~ 'capture_[0-9n]' group by w.who
  union all
  select 'warning', 'rights', format('%s lacks %s rights that it is meant to have: %s, ...', w.grantee, count(*),
         (array_agg(w.statement order by w.statement))[1]), fix, true
  from w where not w.excess and w.grantee <> 'public' and w.object !~ 'capture_[0-9n]' group by w.grantee;
end
$$;
