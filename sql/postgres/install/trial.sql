-- Before a table's triggers stand, what captures it is run once: what nobody thought of is refused by `track`, with its reason,
-- and not by the application's next write. `doctor` does the same for tables that stand.

-- A DO statement that runs what captures a table, for each operation, on a row of it, or on one of nulls; '' where the trail's
-- owner may not name the table. What is only written down is left out, so that no id is taken. As a trigger of a table made for it
-- it would do the same; but PostgreSQL keeps what a session planned for a function until the session ends, and looks it all through
-- at every DDL: to track hundreds of tables took several times as long. Of a DO statement it keeps nothing.
create or replace function vestige.capture_trial(rel oid, t vestige.tracked, s vestige.shape) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  if not has_schema_privilege((select relnamespace from pg_class where oid = rel), 'usage') then
    return '';
  end if;
  -- Only a table has a tableoid: nothing that took its name is read.
  return format($source$
#variable_conflict use_column
declare
  new %1$s;
  old %1$s;
  tg_op text;
  tg_relid oid := %2$s;
  one record;
begin
  begin
    select r.* into new from (select) nothing left join (select * from only %1$s x where x.tableoid = %2$s limit 1) r on true;
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
    replace(replace(split_part(vestige.capture_body(rel, t, s, 'exit captured'), E'\n  if nested', 1) || E'\n  exit captured;\nend',
                    E'\n#variable_conflict use_column', ''),
            format('vestige.standing(''%s''::regclass)', rel), format('(%s)', s.signature)),
    case when vestige.by_statement(t, rel) then format(E'\n  for one in with inserted as (select (new).*) %s loop\n    null;\n  end loop;',
                                                       vestige.inserted_rows(s, vestige.typed_row(rel))) else '' end);
end
$$;

-- What keeps a table's capture from running, and its code; null when nothing does, or when it cannot be tried: where somebody holds
-- the table, the trail's owner may not read it, or the transaction is read-only, and it would write down a data key. Everything is
-- taken back, the lock on the table, too.
create or replace function vestige.capture_fault(rel oid, t vestige.tracked, s vestige.shape, out fault text, out code text)
language plpgsql set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan set row_security = off set check_function_bodies = off as $$  -- pinned: values
declare
  trial text;
  place text;
begin
  t.policy := t.policy - 'require';
  trial := vestige.capture_trial(rel, t, s);
  if trial <> '' then
    execute format('lock table only %s in access share mode nowait', vestige.quoted_relation(rel));
    execute format('do %L', trial);
  end if;
  raise exception using errcode = 'VS000';
exception when sqlstate 'VS000' then
  null;
when others then
  get stacked diagnostics place = pg_exception_context;
  if split_part(place, 'vestige.capture_fault(', 1) ~ 'inline_code_block'
      and not (sqlstate = '25006' and current_setting('transaction_read_only')::boolean) then
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

-- The tracked tables whose capture does not run as they stand, though somebody else's write may be the next to find out, and what
-- keeps it from that: as the trail's owner, like capture itself, whoever asks. On a standby there are no writes.
create or replace function vestige.capture_faults() returns table (tracked int, fault text) language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  k record;
  t vestige.tracked;
  s vestige.shape;
  now record;
begin
  if pg_is_in_recovery() then
    return;
  end if;
  for k in
    select t, s, vestige.live_relation(t) as rel from vestige.tracked t join vestige.shape s on s.id = t.shape
    where t.untracked_at is null order by t.id
  loop
    continue when k.rel is null;
    t := k.t;
    s := k.s;
    s.signature := vestige.signature(k.rel);
    -- Of one that was altered the next write makes capture anew.
    if t.relation <> k.rel or s.signature <> (k.s).signature then
      now := vestige.shape_now(t, k.rel, true);
      s.columns := now.recorded;
      s.whole := now.keep_whole;
      t.policy := vestige.carried_policy(t, k.rel);
      t.when_types := vestige.carried_types(t, k.rel);
    end if;
    return query select t.id, f.fault from vestige.capture_fault(k.rel, t, s) f where f.fault is not null;
  end loop;
end
$$;
