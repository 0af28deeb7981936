-- The trail of a PostgreSQL database, 13 to 18: everything that Vestige puts there.
--
-- in      any database; an ordinary role that may create a schema, and that owns the tables it tracks
-- out     schema vestige, version 1 (vestige.meta); nothing is tracked yet. Runs again without harm.
-- run     by `vestige init`, or psql -1 -f install.sql; in one transaction
-- doc     docs/postgres.md; why rows are kept as the text of their values, in docs/decisions/0003

do $check$
declare
  present int;
begin
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
end
$check$;

create schema if not exists vestige;

\ir install/store.sql
\ir install/retention.sql
\ir install/shape.sql
\ir install/expressions.sql
\ir install/commented.sql
\ir install/context.sql
\ir install/order.sql
\ir install/capture.sql
\ir install/renames.sql
\ir install/engine.sql
\ir install/fit.sql
\ir install/anew.sql
\ir install/truncate.sql
\ir install/track.sql
\ir install/read.sql
\ir install/rows.sql
\ir install/past.sql
\ir install/as_of.sql
\ir install/audit.sql
\ir install/revert.sql
\ir install/undo.sql
\ir install/maintain.sql
\ir install/standing.sql
\ir install/evidence.sql
\ir install/erase.sql
\ir install/doctor.sql
\ir install/events.sql
\ir install/roles.sql
\ir install/upgrade.sql
\ir install/rights.sql
