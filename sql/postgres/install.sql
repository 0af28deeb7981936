-- The trail of a PostgreSQL database, 13 to 18: everything that Vestige puts there.
--
-- in      any database; an ordinary role that may create a schema, and that owns the tables it tracks
-- out     schema vestige, version 1 (vestige.meta); nothing is tracked yet. Runs again without harm.
-- run     by `vestige init`, or psql -1 -f install.sql; in one transaction, which it refuses to do without
-- doc     docs/postgres.md; why rows are kept as the text of their values, in docs/decisions/0003

-- Nobody's functions and operators but the server's are met here.
set local search_path = pg_catalog, pg_temp;
set local standard_conforming_strings = on;
set local quote_all_identifiers = off;
-- What is not there yet is not worth forty lines.
set local client_min_messages = warning;

do $check$
declare
  present int;
  other text;
begin
  if current_setting('search_path') <> 'pg_catalog, pg_temp' then
    raise exception 'the trail is installed in one transaction, and there is none' using hint = 'psql -1 -f install.sql';
  end if;
  if current_setting('server_version_num')::int < 130000 then
    raise exception 'vestige needs PostgreSQL 13 or later, this is %', current_setting('server_version');
  end if;
  if to_regclass('vestige.meta') is not null then
    execute 'select value::int from vestige.meta where name = ''schema_version''' into present;
    if present > 1 then
      raise exception 'the trail has version %, this script knows version 1', present
        using hint = 'use the vestige that installed it, or a newer one';
    end if;
  elsif to_regnamespace('vestige') is not null and exists (
      select from pg_catalog.pg_class where relnamespace = to_regnamespace('vestige')) then
    raise exception 'schema vestige has objects that are not a trail'
      using hint = 'rename it: the trail needs this name';
  end if;
  if to_regnamespace('vestige') is null then
    begin
      if pg_catalog.pg_has_role(to_regrole('vestige_owner'), 'usage') then
        create schema vestige authorization vestige_owner;
      end if;
    exception when insufficient_privilege then
      null;
    end;
    create schema if not exists vestige;
  else
    select o::regrole into other
    from (select nspowner from pg_catalog.pg_namespace where nspname = 'vestige'
          union all select proowner from pg_catalog.pg_proc where pronamespace = to_regnamespace('vestige')) x(o)
    where not pg_catalog.pg_has_role(o, 'usage') limit 1;
    if other is not null then
      raise exception 'the trail belongs to %, and % is no member of it', other, current_user
        using hint = format('be one for as long as this takes: grant %s to %I', other, current_user);
    end if;
  end if;
end
$check$;

\ir install/store.sql
\ir install/retention.sql
\ir install/shape.sql
\ir install/expressions.sql
\ir install/recipient.sql
\ir install/encrypt.sql
\ir install/subject.sql
\ir install/encrypt_natively.sql
\ir install/large.sql
\ir install/commented.sql
\ir install/context.sql
\ir install/order.sql
\ir install/capture.sql
\ir install/renames.sql
\ir install/engine.sql
\ir install/fit.sql
\ir install/triggers.sql
\ir install/anew.sql
\ir install/truncate.sql
\ir install/trial.sql
\ir install/own.sql
\ir install/access.sql
\ir install/track.sql
\ir install/encodings.sql
\ir install/read.sql
\ir install/rows.sql
\ir install/value_expression.sql
\ir install/past.sql
\ir install/as_of.sql
\ir install/audit.sql
\ir install/undo_rows.sql
\ir install/undo_sql.sql
\ir install/undo_apply.sql
\ir install/undo_besides.sql
\ir install/undo.sql
\ir install/revert.sql
\ir install/maintain.sql
\ir install/standing.sql
\ir install/parts.sql
\ir install/evidence.sql
\ir install/who.sql
\ir install/hold.sql
\ir install/erase.sql
\ir install/expire.sql
\ir install/feed.sql
\ir install/doctor.sql
\ir install/events.sql
\ir install/roles.sql
\ir install/acl.sql
\ir install/pins.sql
\ir install/owner.sql
\ir install/upgrade.sql
\ir install/rights.sql
