-- Before a table's triggers stand, what captures it is run once: what nobody thought of is refused by `track`, with its reason,
-- and not by the application's next write.

-- Runs a table's capture on a table of the same columns that is never there: everything is taken back. An UPDATE of no row would
-- compile nothing, and rows of the table itself would fire the application's triggers. What is only written down is left out, so
-- that no id is taken. Where the trail's owner may not make that table, there is no trial.
create or replace function vestige.try_capture(tracked_id int, rel oid) returns void language plpgsql
set search_path = pg_catalog, pg_temp set row_security = off set check_function_bodies = off as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  settings text;
  trial text := format('vestige.trial_%s', tracked_id);
  made oid;
  place text;
begin
  select * into t from vestige.tracked where id = tracked_id;
  select * into s from vestige.shape where id = t.shape;
  t.policy := t.policy - 'require';
  settings := vestige.capture_settings(t, s);
  begin
    execute format('create table %s as table %s with no data', trial, vestige.quoted_relation(rel));
    made := trial::regclass;
    s.signature := vestige.signature(made);
    perform vestige.make_function(format('trial_%s', tracked_id), settings,
      regexp_replace(vestige.capture_source(made, t, s), E'\n  if nested then\n.*', E'\n  return null;\nend\n'));
    execute format('create trigger rows after insert or update or delete on %1$s for each row execute function %1$s()', trial);
    if vestige.by_statement(t, rel) then
      perform vestige.make_function(format('trial_rows_%s', tracked_id), settings, format($source$
declare
  one record;
begin
  for one in %s loop
    null;
  end loop;
  for one in %s loop
    null;
  end loop;
  return null;
end
$source$, substring(vestige.inserted_statement(s, '0', '') from 'select .*'), vestige.inserted_rows(s, vestige.typed_row(made))));
      execute format('create trigger statements after insert on %s referencing new table as inserted for each statement'
                     ' execute function vestige.trial_rows_%s()', trial, tracked_id);
    end if;
    -- A row of the table, or else one of nulls, which an outer join makes: of a null that is written down a domain's checks
    -- would ask the application's functions.
    execute format('insert into %s select r.* from (select) one left join (select * from only %s limit 1) r on true',
                   trial, vestige.quoted_relation(rel));
    execute (select format('update %s set %s', trial, string_agg(format('%1$s = %1$s', vestige.quoted(c ->> 'name')), ', '))
             from jsonb_array_elements(s.columns) c having count(*) > 0);
    execute format('delete from %s', trial);
    raise exception using errcode = 'VS000';
  exception when sqlstate 'VS000' then
    return;
  when others then
    get stacked diagnostics place = pg_exception_context;
    -- What fails elsewhere is no fault of what captures: a right that is missing, a type that allows no null.
    if place ~ format(E'vestige[.]trial_(rows_)?%s[(][)]', tracked_id) then
      raise exception 'track %: what would capture it does not run: %', rel::regclass, sqlerrm
        using errcode = sqlstate, hint = 'its writes would fail, so it is not tracked; leave out what it names (exclude), and report it';
    end if;
  end;
end
$$;
