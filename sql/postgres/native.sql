-- The native engine in a database that has a trail: the function of the module vestige that records by C++.
--
-- in      a trail (install.sql), and the module where the server looks for modules; run by a superuser
-- out     vestige.capture_native(); vestige.set_engine('t', 'native') makes a table use it
-- doc     docs/native.md

create or replace function vestige.capture_native() returns trigger language c as '$libdir/vestige', 'vestige_capture';
revoke all on function vestige.capture_native() from public;
do $owner$
begin
  execute format('alter function vestige.capture_native() owner to %s',
                 (select nspowner::regrole from pg_catalog.pg_namespace where nspname = 'vestige'));
end
$owner$;

-- doctor knows it as part of the trail.
update vestige.meta
set value = (value::jsonb || jsonb_build_object('vestige.capture_native()', vestige.own_sources() -> 'vestige.capture_native()'))::text
where name = 'sources';
