-- Whether the capture of a table stands. What doctor, status and track say of it is found out here.

-- The table that a tracked one is now: the one that has its capture trigger, or else its name, or else was it last time. Never
-- a view that took its name, whose functions would run as whoever looks.
create or replace function vestige.live_relation(t vestige.tracked) returns oid language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(
    (select g.tgrelid from pg_trigger g join pg_class c on c.oid = g.tgrelid and c.relkind in ('r', 'p')
     where g.tgrelid = t.relation and g.tgname = '0_vestige_change' and g.tgparentid = 0
       and vestige.captures(g.tgfoid, g.tgargs, t.id)),
    (select g.tgrelid from pg_trigger g join pg_class c on c.oid = g.tgrelid and c.relkind in ('r', 'p')
     where g.tgname = '0_vestige_change' and g.tgparentid = 0 and vestige.captures(g.tgfoid, g.tgargs, t.id) limit 1),
    (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = t.schema_name and c.relname = t.table_name and c.relkind in ('r', 'p')),
    (select c.oid from pg_class c where c.oid = t.relation and c.relkind in ('r', 'p')))
$$;

-- The triggers that capture needs on a table and its partitions, and how each must stand. tgtype is PostgreSQL's: 1 for
-- each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
create or replace function vestige.capture_triggers(tracked_id int, rel oid)
returns table (relation regclass, name name, function_name text, kind int, enabled "char") language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query with part as (
    select c.oid from (select rel as relid union select p.relid from pg_partition_tree(rel) p) r
      join pg_class c on c.oid = r.relid where c.relkind in ('r', 'p')
  ), engine as (
    select case when t.engine = 'native' and to_regproc('vestige.capture_native') is not null then 'capture_native'
                else format('capture_%s', t.id) end as function_name
    from vestige.tracked t where t.id = tracked_id
  ), by_statement as (
    select to_regproc(format('vestige.insert_%s', tracked_id)) is not null
      and not exists (select from pg_trigger g where g.tgrelid = rel and g.tgname = '0_vestige_change' and g.tgtype & 4 = 4)
      as yes
  )
  select p.oid::regclass, '0_vestige_change'::name, e.function_name,
         case when b.yes then 1 + 8 + 16 else 1 + 4 + 8 + 16 end, 'A'::"char" from part p, by_statement b, engine e
  union all
  select p.oid::regclass, '0_vestige_truncate', 'capture_truncate', 2 + 32, 'A' from part p
  union all
  select rel::regclass, x.* from by_statement b,
    (values ('0_vestige_insert'::name, format('insert_%s', tracked_id), 4, 'O'::"char"),
            ('0_vestige_apply'::name, format('capture_%s', tracked_id), 1 + 4, 'R'::"char")) x
  where b.yes;
end
$$;

-- Whether a capture trigger's condition, if it has one, is the one that capture gives it.
create or replace function vestige.qualified(capture_trigger oid) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  select g.tgqual is null or pg_get_triggerdef(g.oid)
    like '% FOR EACH ROW WHEN ((current_setting(''session_replication_role''::text) = ''replica''::text)) EXECUTE %'
  from pg_trigger g where g.oid = capture_trigger
$$;

-- What is wrong with one of a table's capture functions; null when nothing is. `source`: its text as it should be.
create or replace function vestige.function_trouble(function_name text, source text, settings text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select case
    when p.oid is null then 'is missing'
    when p.prosrc <> source then 'has another text'
    when not p.prosecdef then 'does not run with the rights of the trail''s owner'
    when p.proowner <> (select nspowner from pg_namespace where nspname = 'vestige') then 'does not belong to the trail''s owner'
    when not 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}'))
      or cardinality(p.proconfig) <> (select count(*) from regexp_matches(settings, E'\\mset ', 'g')) then 'has other settings'
  end
  from (select to_regproc('vestige.' || function_name) as oid) f left join pg_proc p on p.oid = f.oid
$$;

-- What is to be said of a tracked table.
--
-- brief     for status; null: capture is as it should be all the same
-- fixable   vestige.mend() repairs it
create or replace function vestige.table_findings(tracked_id int)
returns table (severity text, code text, brief text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  s vestige.shape;
  rel oid;
  shown text;
  found text;
  part text;
  made_of text;
  again text;
  missing text;
  disabled text;
  misshapen text;
  by_statement boolean;
  altered boolean;
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
begin
  select * into t from vestige.tracked where id = tracked_id;
  select * into s from vestige.shape where id = t.shape;
  shown := vestige.shown_name(t.schema_name, t.table_name);
  again := format('vestige track %s again, with a policy that fits', shown);
  rel := vestige.live_relation(t);
  if rel is null then
    return query select 'error', 'table-missing', 'table missing', format('table %s is gone; its history stays readable', shown),
      format('vestige untrack %s; vestige track its successor, if it has one', shown), false;
    return;
  end if;
  select vestige.shown_name(n.nspname, c.relname) into found from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = rel;
  if found <> shown then
    return query select 'warning', 'table-renamed', 'renamed to ' || found,
      format('table %s was renamed to %s; it is found under the former name until its next change', shown, found)
      || case when to_regclass(format('%I.%I', t.schema_name, t.table_name)) is null then ''
              else '; the table that has this name now is another one' end,
      'vestige doctor --fix', true;
  end if;
  select string_agg(n.named, ', ' order by n.named) filter (where g.oid is null),
    string_agg(n.named, ', ' order by n.named) filter (where g.tgenabled <> x.enabled),
    string_agg(n.named, ', ' order by n.named) filter (where g.oid is not null and (
      g.tgfoid is distinct from to_regproc('vestige.' || x.function_name) or g.tgtype <> x.kind
      or (g.tgqual is not null) <> (x.name = '0_vestige_apply') or g.tgattr::text <> ''
      or g.tgqual is not null and not vestige.qualified(g.oid))),
    bool_or(x.name = '0_vestige_insert')
  into missing, disabled, misshapen, by_statement
  from vestige.capture_triggers(t.id, rel) x left join pg_trigger g on g.tgrelid = x.relation and g.tgname = x.name,
    lateral (select case when x.relation = rel then x.name else format('%s on %s', x.name, x.relation) end as named) n;
  if missing is not null then
    return query select 'error', 'triggers-missing', 'triggers missing',
      format('capture triggers are missing: %s; changes since they went are not in the trail', missing), 'vestige doctor --fix', true;
  end if;
  if disabled is not null then
    return query select 'error', 'triggers-disabled', 'triggers disabled',
      format('capture triggers are not enabled as they should be: %s; changes meanwhile are not in the trail', disabled),
      'vestige doctor --fix', true;
  end if;
  if misshapen is not null then
    return query select 'error', 'triggers-altered', 'triggers altered',
      format('capture triggers are not as vestige made them: %s; changes meanwhile may not be in the trail', misshapen),
      'vestige doctor --fix', true;
  end if;
  return query select case when g.accepted then 'note' else 'error' end, 'gap', null::text,
    format('%s (%s)', g.message, to_char(g.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')),
    case when g.accepted then null else 'vestige doctor --fix takes it as known; at and as_of go on to say it' end, not g.accepted
    from vestige.gaps(t.id) g;
  select string_agg(l.statement, '; ' order by l.statement) into found from vestige.loan(rel) l;
  if found is not null then
    return query select 'warning', 'rights', null::text,
      format('the trail''s owner %s may not read table %s, or not all of its partitions: of a TRUNCATE the rows are not recorded, and'
             ' what triggers change may stand in another order', trail_owner::regrole, shown), found, true;
  elsif (select c.relrowsecurity and not (o.rolsuper or o.rolbypassrls) and (c.relforcerowsecurity or not pg_has_role(o.oid, c.relowner, 'usage'))
         from pg_class c, pg_roles o where c.oid = rel and o.oid = trail_owner) then
    return query select 'note', 'rights', null::text,
      format('row-level security of table %s holds for the trail''s owner %s, too: of a TRUNCATE the rows are not recorded, and'
             ' what triggers change may stand in another order', shown, trail_owner::regrole), format('alter role %s bypassrls', trail_owner::regrole), false;
  end if;
  altered := rel <> t.relation or vestige.signature(rel) <> s.signature;
  if altered then
    return query select 'note', 'table-altered', null,
      format('table %s was altered since its last change; the next one is recorded as the table is then', shown), null, true;
  end if;
  part := vestige.capture_settings(t, s);
  -- After a restore the table has another number than the one that its function was made for, which says nothing else of it.
  made_of := vestige.capture_source(rel, t, s);
  if rel <> t.relation then
    made_of := regexp_replace(made_of, E'\\m' || rel || E'\\M', t.relation::text, 'g');
  end if;
  found := concat_ws(', ',
    format('capture_%s ', t.id)
      || vestige.function_trouble(format('capture_%s', t.id), made_of, part),
    case when by_statement and not altered
         then format('insert_%s ', t.id)
              || vestige.function_trouble(format('insert_%s', t.id), vestige.insert_source(rel, t, s), part) end);
  if found <> '' then
    return query select 'error', 'function-altered', 'capture function altered',
      format('what captures its changes is not as vestige made it: %s; changes meanwhile may not be in the trail', found),
      'vestige doctor --fix', true;
  end if;
  foreach part in array array['include', 'exclude', 'key'] loop
    select string_agg(n, ', ') into found from jsonb_array_elements_text(coalesce(vestige.carried_policy(t, rel) -> part, '[]')) n
    where not exists (select from vestige.live_columns(rel) l where l.name = n);
    if found is not null then
      return query select case part when 'key' then 'error' else 'warning' end, 'policy-column', null,
        format('its policy names columns that are not there, in %s: %s', part, found), again, false;
    end if;
  end loop;
  if t.policy ->> 'when' <> '' and vestige.condition_text(t, rel) is null then
    return query select 'warning', 'policy-when', null,
      format('its condition has ended, so that every change is recorded: the columns that it names have other types now: %s',
             t.policy ->> 'when'), again, false;
  elsif t.policy ? 'when' then
    begin
      perform vestige.check_condition(rel, vestige.carried_policy(t, rel) ->> 'when');
    exception when others then
      return query select 'warning', 'policy-when', null,
        format('its condition fails, so that every change is recorded: %s', t.policy ->> 'when'), again, false;
    end;
  end if;
end
$$;

-- What is wrong with the capture of a tracked table, in a few words; null when nothing is.
create or replace function vestige.trouble(tracked_id int) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select string_agg(brief, ', ') from vestige.table_findings(tracked_id));
end
$$;
