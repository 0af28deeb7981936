-- Who may do what with the trail. Its owner is the role that installed it. The roles belong to the whole server, so they
-- are made when the installer may, shared by all its databases, and left there when a trail is taken away.

do $roles$
declare
  named text;
begin
  foreach named in array array['vestige_reader', 'vestige_auditor', 'vestige_admin'] loop
    continue when to_regrole(named) is not null;
    begin
      execute format('create role %I nologin', named);
    exception when insufficient_privilege or duplicate_object or unique_violation then
      null;  -- doctor says what is missing
    end;
  end loop;
end
$roles$;

-- Raises unless the session may decide what becomes of a table's history: as its owner, or the trail's.
create or replace function vestige.check_owner(rel oid, attempt text) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if not pg_has_role(session_user, (select nspowner from pg_namespace where nspname = 'vestige'), 'member')
     and not coalesce((select pg_has_role(session_user, c.relowner, 'member') from pg_class c where c.oid = rel), false) then
    raise exception '% %: % owns neither the table nor the trail', attempt, rel::regclass, session_user
      using errcode = 'insufficient_privilege', hint = 'the table''s owner can, as a member of vestige_admin';
  end if;
end
$$;

-- A condition runs inside capture, with the rights of the trail's owner.
create or replace function vestige.check_condition_owner(rel oid, condition text, before text) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if condition is distinct from before and condition is not null
     and not pg_has_role(session_user, (select nspowner from pg_namespace where nspname = 'vestige'), 'member') then
    raise exception 'track %: a condition runs with the rights of the trail''s owner, so that only the owner may set one', rel::regclass
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

-- How long history of a name is kept; null: the name goes. Of it so long in the database, and not gone from there before an archive has it.
drop function if exists vestige.set_retention(text, text);
create or replace function vestige.set_retention(name text, keep text, hot text default null, archive boolean default false)
returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if keep is null then
    delete from vestige.retention r where r.name = set_retention.name;
  elsif keep !~ '^(forever|[1-9][0-9]{0,4} (day|week|month|year)s?)$' then
    raise exception 'set_retention: % is no period', keep using errcode = 'invalid_parameter_value',
      hint = 'write it as 90 days, 18 months, 7 years or forever';
  elsif hot !~ '^[1-9][0-9]{0,4} (day|week|month|year)s?$' then
    raise exception 'set_retention: % is no period', hot using errcode = 'invalid_parameter_value',
      hint = 'write it as 90 days, 18 months or 7 years';
  elsif hot is not null and not archive then
    raise exception 'set_retention: what is not archived is kept in the database alone' using errcode = 'invalid_parameter_value',
      hint = 'archive => true';
  else
    insert into vestige.retention values (set_retention.name, set_retention.keep, set_retention.hot, set_retention.archive)
    on conflict on constraint retention_pkey do update set keep = excluded.keep, hot = excluded.hot, archive = excluded.archive;
  end if;
end
$$;
