-- Before a table's triggers stand, what captures it is run once: what nobody thought of is refused by `track`, with its reason,
-- and not by the application's next write. `doctor` does the same for tables that stand.

-- A DO statement that runs what captures a table, for each operation, on a row of it, or on one of nulls; '' where the trail's
-- owner may not name the table. What is only written down is left out, so that no id is taken. As a trigger of a table made for it
-- it would do the same; but PostgreSQL keeps what a session planned for a function until the session ends, and looks it all through
-- at every DDL: to track hundreds of tables took several times as long. Of a DO statement it keeps nothing.
create or replace function vestige.capture_trial(rel oid, t vestige.tracked, s vestige.shape) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when has_schema_privilege(c.relnamespace, 'usage') then format($source$
#variable_conflict use_column
declare
  new %1$s;
  old %1$s;
  tg_op text;
  tg_relid oid := %2$s;
  one record;
begin
  begin
    select r.* into new from (select) nothing left join (select * from only %1$s limit 1) r on true;
  exception when others then
    null;  -- who may not read it tries a row of nulls
  end;
  old := new;
  foreach tg_op in array array['INSERT', 'UPDATE', 'DELETE'] loop
    <<captured>>%3$s;
  end loop;%4$s
end
$source$,
    vestige.quoted_relation(rel), rel,
    replace(regexp_replace(vestige.capture_body(rel, t, s, 'exit captured'), E'\n  if nested then\n.*', E'\n  exit captured;\nend'),
            E'\n#variable_conflict use_column', ''),
    case when vestige.by_statement(t, rel) then format(E'\n  for one in with inserted as (select (new).*) %s loop\n    null;\n  end loop;',
                                                       vestige.inserted_rows(s, vestige.typed_row(rel))) else '' end) else '' end
  from pg_class c where c.oid = rel
$$;

-- What keeps a table's capture from running, and its code; null when nothing does.
create or replace function vestige.capture_fault(rel oid, t vestige.tracked, s vestige.shape, out fault text, out code text)
language plpgsql set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  trial text;
  place text;
begin
  t.policy := t.policy - 'require';
  trial := vestige.capture_trial(rel, t, s);
  if trial <> '' then
    execute format('do %L', trial);
  end if;
exception when others then
  get stacked diagnostics place = pg_exception_context;
  if split_part(place, 'vestige.capture_fault(', 1) ~ 'inline_code_block' then
    fault := sqlerrm;
    code := sqlstate;
  end if;
end
$$;

-- Refuses a table whose capture does not run.
create or replace function vestige.try_capture(tracked_id int, rel oid) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  f record;
begin
  select x.* into f from vestige.tracked t join vestige.shape s on s.id = t.shape, vestige.capture_fault(rel, t, s) x
  where t.id = tracked_id;
  if f.fault is not null then
    raise exception 'track %: what would capture it does not run: %', rel::regclass, f.fault
      using errcode = f.code, hint = 'its writes would fail, so it is not tracked; leave out what it names (exclude), and report it';
  end if;
end
$$;
