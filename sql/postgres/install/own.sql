-- The trail's own tables: what people do with the trail, recorded and sealed as an application's tables are. Each is made when
-- it is first written to (vestige/trail/tracking.h, own).

create or replace function vestige.own_columns(name text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case name when 'mark' then 'name text primary key, change bigint not null' end
$$;

-- returns   the id of the tracked table
create or replace function vestige.own_table(name text) returns int language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  known int;
begin
  if vestige.own_columns(name) is null then
    raise exception 'the trail has no table % of its own', name using errcode = 'invalid_parameter_value';
  end if;
  for pass in 1..2 loop
    select t.id into known from vestige.tracked t
    where (t.schema_name, t.table_name) = ('vestige', own_table.name) and t.untracked_at is null;
    if known is not null then
      return known;
    end if;
    perform from vestige.meta m where m.name = 'schema_version' for update;  -- one at a time
  end loop;
  execute format('create table if not exists vestige.%I (%s)', name, vestige.own_columns(name));
  known := vestige.set_policy(format('vestige.%I', name)::regclass, '{}');
  perform vestige.set_rights(false);
  return known;
end
$$;
