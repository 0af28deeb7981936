-- An application's role needs nothing: capture runs as the owner of the trail. It may say its
-- context; everything else is for the owner, and for those whom the owner lets in.
revoke all on all tables in schema vestige from public;
revoke all on all sequences in schema vestige from public;
revoke all on all functions in schema vestige from public;
grant usage on schema vestige to public;
grant execute on function vestige.set_context(jsonb) to public;

-- Readers read what was recorded, auditors everything, and they seal it; admins say what is recorded, and of whose tables they are members.
do $grants$
declare
  role_name text;
  given text;
begin
  for role_name in
    select r from unnest(array['vestige_reader', 'vestige_auditor', 'vestige_admin']) r where to_regrole(r) is not null
  loop
    for given in
      select format('select on %s', c.oid::regclass) from pg_catalog.pg_class c
      where c.relnamespace = 'vestige'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
        and (role_name <> 'vestige_reader' or c.relkind = 'v'
             or c.relname in ('change', 'context', 'moved', 'tracked', 'shape', 'meta', 'retention', 'erased'))
      union all
      select format('execute on function %s', p.oid::regprocedure) from pg_catalog.pg_proc p
      where p.pronamespace = 'vestige'::regnamespace and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
        and (p.provolatile <> 'v' and not p.prosecdef
             or role_name = 'vestige_admin' and p.proname in ('track', 'set_policy', 'decide_policy', 'set_triggers',
               'make_trigger', 'drop_trigger', 'lend', 'untrack', 'untrack_id', 'end_policy', 'baseline', 'baseline_rows', 'maintain',
               'set_retention', 'undo', 'undo_look', 'undo_apply', 'undo_at_once', 'undo_one_by_one',
               'undo_changes', 'check_constraints', 'revert', 'revert_tx', 'erase', 'erase_changes'))
    loop
      execute format('grant %s to %I', given, role_name);
    end loop;
  end loop;
  if to_regrole('vestige_auditor') is not null then
    grant insert, update, delete on vestige.bundle, vestige.tile, vestige.sealer to vestige_auditor;
    grant insert, update (note) on vestige.checkpoint to vestige_auditor;
    grant select on sequence vestige.change_id to vestige_auditor;
    grant execute on function vestige.unfinished(xid8) to vestige_auditor;
  end if;
end
$grants$;

-- The first partitions, or those that are missing. Writes go on without; doctor says when they are.
do $partitions$
begin
  perform vestige.maintain(3);
exception when lock_not_available then
  null;
end
$partitions$;

-- What the trail is made of, so that doctor sees what was altered since.
insert into vestige.meta values ('sources', vestige.own_sources()::text),
  ('sources_server', current_setting('server_version_num')::int / 10000)
on conflict (name) do update set value = excluded.value;
