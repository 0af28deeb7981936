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

-- The triggers that capture needs on tables and their partitions, and how each must stand. tgtype is PostgreSQL's: 1 for
-- each row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
--
-- wanted, rels   ids of tracked tables, and what each is now
create or replace function vestige.capture_triggers(wanted int[], rels oid[])
returns table (tracked int, relation regclass, name name, function_name text, kind int, enabled "char") language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query with k as (
    select t.id, w.rel, c.relkind, format('insert_%s', t.id) as by_insert,
           case when t.engine = 'native' and to_regproc('vestige.capture_native') is not null then 'capture_native'
                else format('capture_%s', t.id) end as captured
    from unnest(wanted, rels) w(id, rel) join vestige.tracked t on t.id = w.id join pg_class c on c.oid = w.rel
    where c.relkind in ('r', 'p')
  ), b as (
    select k.*, to_regproc('vestige.' || k.by_insert) is not null and not exists (
        select from pg_trigger g where g.tgrelid = k.rel and g.tgname = '0_vestige_change' and g.tgtype & 4 = 4) as by_statement
    from k
  ), part as (
    select b.*, b.rel as part from b
    union all
    select b.*, p.relid from b, pg_partition_tree(case b.relkind when 'p' then b.rel end) p join pg_class c on c.oid = p.relid
    where c.relkind in ('r', 'p') and p.relid <> b.rel
  )
  select p.id, p.part::regclass, '0_vestige_change'::name, p.captured,
         case when p.by_statement then 1 + 8 + 16 else 1 + 4 + 8 + 16 end, 'A'::"char" from part p
  union all
  select p.id, p.part, '0_vestige_truncate', 'capture_truncate', 2 + 32, 'A' from part p
  union all
  select b.id, b.rel, '0_vestige_insert', b.by_insert, 4, 'O' from b where b.by_statement
  union all
  select b.id, b.rel, '0_vestige_apply', format('capture_%s', b.id), 1 + 4, 'R' from b where b.by_statement;
end
$$;

create or replace function vestige.capture_triggers(tracked_id int, rel oid)
returns table (relation regclass, name name, function_name text, kind int, enabled "char") language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query select x.relation, x.name, x.function_name, x.kind, x.enabled from vestige.capture_triggers(array[tracked_id], array[rel]) x;
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
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  routine oid := to_regproc('vestige.' || function_name);
begin
  if routine is null then
    return 'is missing';
  end if;
  return (select case
    when p.prosrc <> source then 'has another text'
    when not p.prosecdef then 'does not run with the rights of the trail''s owner'
    when p.proowner <> (select nspowner from pg_namespace where nspname = 'vestige') then 'does not belong to the trail''s owner'
    when not 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}'))
      or cardinality(p.proconfig) <> (select count(*) from regexp_matches(settings, E'\\mset ', 'g')) then 'has other settings' end
    from pg_proc p where p.oid = routine);
end
$$;

-- What is to be said of tracked tables. What all of them have in common is asked of all at once.
--
-- wanted    their ids; null: all that are tracked
-- brief     for status; null: capture is as it should be all the same
-- fixable   vestige.mend() repairs it
-- That of a version before is not to be confused with it.
drop function if exists vestige.table_findings(int);
create or replace function vestige.table_findings(wanted int[])
returns table (tracked int, severity text, code text, brief text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  x record;
  one vestige.tracked;
  shape vestige.shape;
  altered boolean;
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
  fix text := 'vestige doctor --fix';
begin
  for x in
    with k as materialized (
      select t, s, t.id, vestige.live_relation(t) as rel, vestige.shown_name(t.schema_name, t.table_name) as shown
      from vestige.tracked t left join vestige.shape s on s.id = t.shape
      where case when wanted is null then t.untracked_at is null else t.id = any (wanted) end
    ), stands as (
      select y.tracked, string_agg(n.named, ', ' order by n.named) filter (where g.oid is null) as missing,
        string_agg(n.named, ', ' order by n.named) filter (where g.tgenabled <> y.enabled) as disabled,
        string_agg(n.named, ', ' order by n.named) filter (where g.oid is not null and (
          g.tgfoid is distinct from to_regproc('vestige.' || y.function_name) or g.tgtype <> y.kind
          or (g.tgqual is not null) <> (y.name = '0_vestige_apply') or g.tgattr::text <> ''
          or g.tgqual is not null and not vestige.qualified(g.oid))) as misshapen,
        bool_or(y.name = '0_vestige_insert') as by_statement
      from (select array_agg(k.id) as ids, array_agg(k.rel) as rels from k) a, vestige.capture_triggers(a.ids, a.rels) y
        join k on k.id = y.tracked left join pg_trigger g on g.tgrelid = y.relation and g.tgname = y.name,
        lateral (select case when y.relation = k.rel then y.name else format('%s on %s', y.name, y.relation) end as named) n
      group by y.tracked
    ), lacks as (
      select l.rel, string_agg(l.statement, '; ' order by l.statement) as lacking
      from (select array_agg(k.rel) as rels from k) a, vestige.loans(a.rels) l group by l.rel
    )
    select k.*, stands.missing, stands.disabled, stands.misshapen, stands.by_statement, lacks.lacking,
      vestige.shown_name(n.nspname, c.relname) as found,
      c.relrowsecurity and not (o.rolsuper or o.rolbypassrls) and (c.relforcerowsecurity or not pg_has_role(o.oid, c.relowner, 'usage')) as hides,
      c.relkind = 'p' or c.relhassubclass or k.id in (select g.tracked from vestige.gap g)
        or k.id in (select p.tracked from vestige.part p) as may_have_gaps
    from k left join pg_class c on c.oid = k.rel left join pg_namespace n on n.oid = c.relnamespace left join pg_roles o on o.oid = trail_owner
      left join stands on stands.tracked = k.id left join lacks on lacks.rel = k.rel
    order by k.id
  loop
    if x.rel is null then
      return query select x.id, 'error', 'table-missing', 'table missing', format('table %s is gone; its history stays readable', x.shown),
        format('vestige untrack %s; vestige track its successor, if it has one', x.shown), false;
      continue;
    end if;
    if x.found <> x.shown then
      return query select x.id, 'warning', 'table-renamed', 'renamed to ' || x.found,
        format('table %s was renamed to %s; it is found under the former name until its next change', x.shown, x.found)
        || case when to_regclass(format('%I.%I', (x.t).schema_name, (x.t).table_name)) is null then ''
                else '; the table that has this name now is another one' end,
        fix, true;
    end if;
    if x.missing is not null then
      return query select x.id, 'error', 'triggers-missing', 'triggers missing',
        format('capture triggers are missing: %s; changes since they went are not in the trail', x.missing), fix, true;
    end if;
    if x.disabled is not null then
      return query select x.id, 'error', 'triggers-disabled', 'triggers disabled',
        format('capture triggers are not enabled as they should be: %s; changes meanwhile are not in the trail', x.disabled), fix, true;
    end if;
    if x.misshapen is not null then
      return query select x.id, 'error', 'triggers-altered', 'triggers altered',
        format('capture triggers are not as vestige made them: %s; changes meanwhile may not be in the trail', x.misshapen), fix, true;
    end if;
    if x.may_have_gaps then
      return query select x.id, case when g.accepted then 'note' else 'error' end, 'gap', null::text,
        format('%s (%s)', g.message, to_char(g.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI')),
        case when g.accepted then null else fix || ' takes it as known; at and as_of go on to say it' end, not g.accepted
        from vestige.gaps(x.id) g;
    end if;
    if x.lacking is not null then
      return query select x.id, 'warning', 'rights', null::text,
        format('the trail''s owner %s may not read table %s, or not all of its partitions: of a TRUNCATE the rows are not recorded, and'
               ' what triggers change may stand in another order', trail_owner::regrole, x.shown), x.lacking, true;
    elsif x.hides then
      return query select x.id, 'note', 'rights', null::text,
        format('row-level security of table %s holds for the trail''s owner %s, too: of a TRUNCATE the rows are not recorded, and'
               ' what triggers change may stand in another order', x.shown, trail_owner::regrole),
        format('alter role %s bypassrls', trail_owner::regrole), false;
    end if;
    one := x.t;
    shape := x.s;
    altered := x.rel <> one.relation or vestige.signature(x.rel) <> shape.signature;
    if altered then
      return query select x.id, 'note', 'table-altered', null::text,
        format('table %s was altered since its last change; the next one is recorded as the table is then', x.shown), null::text, true;
    end if;
    return query select x.id, f.* from vestige.function_findings(one, shape, x.rel, x.by_statement and not altered) f;
    if one.policy ?| array['include', 'exclude', 'redact', 'encrypt', 'subject', 'key', 'when'] then
      return query select x.id, f.* from vestige.policy_findings(one, x.rel, x.shown) f;
      return query select x.id, f.* from vestige.encrypt_findings(shape) f;
    end if;
  end loop;
end
$$;

-- Whether the functions that capture a table are as vestige makes them.
--
-- by_statement   so is the one for its INSERTs
create or replace function vestige.function_findings(t vestige.tracked, s vestige.shape, rel oid, by_statement boolean)
returns table (severity text, code text, brief text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  settings text := vestige.capture_settings(t, s);
  made_of text := vestige.capture_source(rel, t, s);
  found text;
begin
  -- After a restore the table has another number than the one that its function was made for, which says nothing else of it.
  if rel <> t.relation then
    made_of := regexp_replace(made_of, E'\\m' || rel || E'\\M', t.relation::text, 'g');
  end if;
  found := concat_ws(', ',
    format('capture_%s ', t.id) || vestige.function_trouble(format('capture_%s', t.id), made_of, settings),
    case when by_statement
         then format('insert_%s ', t.id)
              || vestige.function_trouble(format('insert_%s', t.id), vestige.insert_source(rel, t, s), settings) end);
  if found <> '' then
    return query select 'error', 'function-altered', 'capture function altered',
      format('what captures its changes is not as vestige made it: %s; changes meanwhile may not be in the trail', found),
      'vestige doctor --fix', true;
  end if;
end
$$;

-- The columns that a part of a policy names: a list of them, or an object.
create or replace function vestige.named_columns(part jsonb) returns setof text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select jsonb_array_elements_text(case jsonb_typeof(part) when 'array' then part else '[]' end)
  union all
  select jsonb_object_keys(case jsonb_typeof(part) when 'object' then part else '{}' end)
  union all
  select part #>> '{}' where jsonb_typeof(part) = 'string'
$$;

-- Whether what a table's policy names is there.
create or replace function vestige.policy_findings(t vestige.tracked, rel oid, shown text)
returns table (severity text, code text, brief text, message text, remedy text, fixable boolean) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  policy jsonb := vestige.carried_policy(t, rel);
  again text := format('vestige track %s again, with a policy that fits', shown);
  part text;
  gone text;
begin
  foreach part in array array['include', 'exclude', 'redact', 'encrypt', 'subject', 'key'] loop
    select string_agg(n, ', ') into gone from vestige.named_columns(policy -> part) n
    where not exists (select from vestige.live_columns(rel) l where l.name = n);
    if gone is not null then
      return query select case when part in ('key', 'subject') then 'error' else 'warning' end, 'policy-column', null::text,
        format('its policy names columns that are not there, in %s: %s', part, gone), again, false;
    end if;
  end loop;
  if not vestige.written_once(rel, policy ->> 'subject') then
    return query select 'error', 'policy-column', null::text,
      format('values of %s that are equal are written in several ways now: keys destroy --subject may leave some', policy ->> 'subject'), again, false;
  end if;
  if t.policy ->> 'when' <> '' and vestige.condition_text(t, rel) is null then
    return query select 'warning', 'policy-when', null::text,
      format('its condition has ended, so that every change is recorded: the columns that it names have other types now: %s',
             t.policy ->> 'when'), again, false;
  elsif t.policy ? 'when' then
    begin
      perform vestige.check_condition(rel, policy ->> 'when');
    exception when others then
      return query select 'warning', 'policy-when', null::text,
        format('its condition fails, so that every change is recorded: %s', t.policy ->> 'when'), again, false;
    end;
  end if;
end
$$;

-- What is wrong with the capture of tracked tables, each in a few words.
create or replace function vestige.troubles(wanted int[] default null) returns table (tracked int, trouble text) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  return query select f.tracked, string_agg(f.brief, ', ') from vestige.table_findings(wanted) f where f.brief is not null group by f.tracked;
end
$$;

-- The same of one of them; null when nothing is.
create or replace function vestige.trouble(tracked_id int) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select x.trouble from vestige.troubles(array[tracked_id]) x);
end
$$;
