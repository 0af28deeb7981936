-- Whether capture stands.

-- What is wrong with the capture of a tracked table, in a few words; null when nothing is.
create or replace function vestige.trouble(tracked_id int) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  s vestige.shape;
  rel oid;
begin
  select * into t from vestige.tracked where id = tracked_id;
  select * into s from vestige.shape where id = t.shape;
  select c.oid into rel from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname = t.schema_name and c.relname = t.table_name;
  if rel is null then
    select c.oid into rel from pg_class c where c.oid = t.relation and c.relkind in ('r', 'p');
    return case when rel is null then 'the table is gone' else 'the table was renamed to ' || rel::regclass end;
  elsif not exists (select from pg_trigger where tgrelid = rel and tgname = '0_vestige_change'
                    and tgfoid = to_regproc('vestige.capture_' || tracked_id))
     or not exists (select from pg_trigger where tgrelid = rel and tgname = '0_vestige_truncate') then
    return 'triggers missing';
  elsif exists (select from pg_trigger where tgrelid = rel and (tgname like '0\_vestige\_%' and tgenabled = 'D'
                  or tgname in ('0_vestige_change', '0_vestige_truncate') and tgenabled <> 'A')) then
    return 'triggers disabled';
  elsif (select prosrc from pg_proc where oid = to_regproc('vestige.capture_' || tracked_id))
        is distinct from vestige.capture_source(rel, t, s) then
    return case when vestige.signature(rel) <> s.signature then 'the table was altered; the next write takes it up'
                else 'the capture function was altered' end;
  end if;
  return null;
end
$$;
