-- Which tables are tracked.

-- Starts to track a table, or changes its policy and keeps its history.
--
-- policy    {"include": [...], "exclude": [...], "redact": [...], "encrypt": {"ssn": "phi"}, "subject": "id", "when": "new.x > 0", "require": ["actor"], "key": ["code"],
--            "capture": "full", "on_truncate": "rows|mark|deny", "retention": "...", "classification": "...", "tags": [...]}
-- returns   the id of the tracked table
create or replace function vestige.set_policy(rel regclass, policy jsonb) returns int language plpgsql
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  tracked_id int;
begin
  -- Writers hold their table and then may want a row of the trail: in the same order nobody waits for each other in a circle. Who
  -- may not lock it finds out why below.
  if (select c.relkind in ('r', 'p') and pg_has_role(c.relowner, 'usage') and has_table_privilege(rel, 'update, delete, truncate')
      from pg_class c where c.oid = rel) then
    execute format('lock table %s in share row exclusive mode', vestige.quoted_relation(rel));
  end if;
  perform vestige.lend(rel);
  tracked_id := vestige.decide_policy(rel, policy);
  perform vestige.set_triggers(tracked_id, rel);
  -- Tables that inherit from it hold rows of it: each is tracked by itself, under the same policy.
  perform vestige.set_policy(i.inhrelid, policy)
  from pg_inherits i join pg_class c on c.oid = i.inhparent
  where i.inhparent = rel and c.relkind = 'r'
    and not exists (select from vestige.tracked k where k.relation = i.inhrelid and k.untracked_at is null);
  return tracked_id;
end
$$;

-- The same in the trail: everything but the triggers.
create or replace function vestige.decide_policy(rel regclass, policy jsonb) returns int language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
declare
  r record;
  t vestige.tracked;
  part text;
  named text;
  number int;
  fresh boolean;
  earlier jsonb;
  known text[] := array(select name from vestige.live_columns(rel));
begin
  select c.oid, c.relname, n.nspname, c.relkind, c.relpersistence, c.relispartition into r
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = rel;
  if r.oid is null then
    raise exception 'track: no table has oid %', rel::oid using errcode = 'undefined_table';
  elsif r.relkind not in ('r', 'p') then
    raise exception 'track %: it is no table', rel using errcode = 'wrong_object_type',
      hint = 'views, foreign tables and sequences cannot be tracked; track the tables behind them';
  elsif r.relpersistence = 't' then
    raise exception 'track %: it is a temporary table', rel using errcode = 'wrong_object_type',
      hint = 'it ends with its session, and its changes are nobody''s business but that session''s';
  elsif r.nspname in ('pg_catalog', 'information_schema') or r.nspname = 'vestige' and (vestige.own_columns(r.relname) is null or policy <> '{}') then
    raise exception 'track %: it is not an application''s table', rel using errcode = 'wrong_object_type';
  elsif r.relispartition then
    raise exception 'track %: it is a partition', rel using errcode = 'wrong_object_type',
      hint = 'track the partitioned table: its partitions are tracked with it';
  end if;
  if r.nspname <> 'vestige' then
    perform vestige.check_owner(rel, 'track');
  end if;
  foreach part in array array['include', 'exclude', 'redact', 'encrypt', 'subject', 'key'] loop
    for named in select vestige.named_columns(policy -> part) loop
      -- What is redacted or encrypted and gone stays named: it may come back.
      if not named = any (known) and not (part in ('redact', 'encrypt') and exists (
          select from vestige.tracked k where k.relation = rel and k.untracked_at is null and k.policy -> part ? named)) then
        raise exception 'track %: there is no column %, which % names', rel, named, part
          using errcode = 'undefined_column', hint = 'its columns: ' || array_to_string(known, ', ');
      end if;
    end loop;
  end loop;
  select k into named from unnest(vestige.key_columns(rel, policy - '{redact,encrypt}'::text[])) k
  where policy -> 'redact' ? k or policy -> 'encrypt' ? k limit 1;
  if named is not null then
    part := case when policy -> 'redact' ? named then 'redact' else 'encrypt' end;
    raise exception 'track %: % is part of the key and cannot be %ed', rel, named, part using errcode = 'invalid_parameter_value',
      hint = format('a key says which row it was: %s other columns, or use a key that says nothing', part);
  end if;
  select e into named from jsonb_array_elements_text(coalesce(policy -> 'exclude', '[]')) e where policy -> 'redact' ? e limit 1;
  if named is not null then
    raise exception 'track %: % is excluded, so that there is nothing to redact', rel, named using errcode = 'invalid_parameter_value';
  end if;
  perform vestige.check_encrypt(rel, policy);
  perform vestige.check_subject(rel, policy);
  if coalesce(policy ->> 'on_truncate', 'rows') not in ('rows', 'mark', 'deny') then
    raise exception 'track %: on_truncate is %', rel, policy ->> 'on_truncate'
      using errcode = 'invalid_parameter_value', hint = 'it is rows, mark or deny';
  end if;
  if coalesce(policy ->> 'capture', 'changes') not in ('changes', 'full') then
    raise exception 'track %: capture is %', rel, policy ->> 'capture'
      using errcode = 'invalid_parameter_value', hint = 'it is changes or full';
  end if;
  perform from vestige.meta where name = 'schema_version' for update;  -- one at a time
  -- Tables that were renamed since they were last looked at make room for their old names.
  update vestige.tracked k set (schema_name, table_name) = (n.nspname, c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.oid = k.relation and k.relation <> rel and k.untracked_at is null
    and (k.schema_name, k.table_name) = (r.nspname, r.relname)
    and exists (select from pg_trigger g where g.tgrelid = c.oid and g.tgname = '0_vestige_change'
                and vestige.captures(g.tgfoid, g.tgargs, k.id));
  select * into t from vestige.tracked
  where relation = rel and exists (select from pg_trigger g where g.tgrelid = rel and g.tgname = '0_vestige_change'
                                   and vestige.captures(g.tgfoid, g.tgargs, id))
    or schema_name = r.nspname and table_name = r.relname
  order by untracked_at is not null, relation = rel desc, id desc limit 1;
  perform vestige.check_condition_owner(rel, policy ->> 'when', t.policy ->> 'when');
  if policy ? 'subject' then
    perform vestige.keep_subject_salt();
  end if;
  fresh := t.id is null or t.untracked_at is not null;
  earlier := case when not fresh then t.policy end;
  if t.id is null then
    -- In a copy of the schema alone functions of that number may stand, and tables that fire them.
    loop
      number := nextval(pg_get_serial_sequence('vestige.tracked', 'id'));
      exit when to_regproc('vestige.capture_' || number) is null;
    end loop;
    insert into vestige.tracked (id, schema_name, table_name, relation, policy, shape)
    values (number, r.nspname, r.relname, rel, policy, 0) returning * into t;
  else
    update vestige.tracked set policy = decide_policy.policy, places = null, when_types = null, untracked_at = null,
      tracked_at = case when untracked_at is null then tracked_at else clock_timestamp() end
    where id = t.id;
  end if;
  if policy ? 'when' then
    perform vestige.check_condition(rel, policy ->> 'when');
  end if;
  perform vestige.refit(t.id, rel, null, false);
  perform vestige.try_capture(t.id, rel);
  if fresh then
    perform vestige.know_parts(t.id, rel);
  end if;
  if earlier is distinct from policy then
    t.schema_name := r.nspname;
    t.table_name := r.relname;
    perform vestige.note_policy(case when fresh then 'track' else 'policy' end, t, earlier, policy);
  end if;
  return t.id;
end
$$;

-- Refuses to encrypt what cannot be: each column has a class, and each class somebody who can read it.
create or replace function vestige.check_encrypt(rel regclass, policy jsonb) returns void language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  one record;
  now record;
begin
  if not policy ? 'encrypt' then
    return;
  elsif jsonb_typeof(policy -> 'encrypt') <> 'object' then
    raise exception 'track %: encrypt is no object', rel using errcode = 'invalid_parameter_value',
      hint = 'of each column the class: {"ssn": "phi"}';
  end if;
  for one in select e.key as name, case jsonb_typeof(e.value) when 'string' then e.value #>> '{}' end as class
             from jsonb_each(policy -> 'encrypt') e order by 1 loop
    perform vestige.check_class(one.class, format('track %s', rel));
    if policy -> 'redact' ? one.name then
      raise exception 'track %: % is redacted, so that there is nothing to encrypt', rel, one.name using errcode = 'invalid_parameter_value';
    end if;
    now := vestige.encrypting_trouble(one.class, policy ->> 'subject' is not null);
    if now.trouble is not null then
      raise exception 'track %: % cannot be encrypted: %', rel, one.name, now.trouble
        using errcode = 'object_not_in_prerequisite_state', hint = now.remedy;
    end if;
  end loop;
end
$$;

-- Refuses a condition that does not compile. It is not run: whoever asks may not be who set it.
create or replace function vestige.check_condition(rel oid, condition text) returns void language plpgsql
set search_path = pg_catalog, pg_temp set standard_conforming_strings = on as $$
declare
  r record := vestige.read_condition(condition, (select coalesce(jsonb_object_agg(c.name, jsonb_build_array('', '.' || vestige.quoted(c.name))), '{}')
                                                 from vestige.condition_columns(rel) c));
begin
  if vestige.condition_types(rel, condition) is null then
    raise exception '%', case when r.unclear then 'comments, strings between dollars and U& are not read in it'
      else 'it names a whole row, and columns have types that are not the server''s own: name the columns' end;
  end if;
  execute format('select from (select %2$s offset 0) as new, (select %2$s offset 0) as old where (%1$s) limit 0', r.carried,
    (select string_agg('null::' || c.seen_as || ' as ' || vestige.quoted(c.name), ', ') from vestige.condition_columns(rel) c));
exception when others then
  raise exception 'track %: the condition % does not hold water: %', rel::regclass, condition, sqlerrm
    using errcode = 'invalid_parameter_value', hint = 'it is SQL over NEW.column and OLD.column, with schema-qualified functions';
end
$$;

drop function if exists vestige.track(regclass, text[], text[], text, text[], text[], text, text, text, text, text[], boolean);
drop function if exists vestige.track(regclass, text[], text[], text, text[], text[], text, text, text, text, text[], boolean, text[]);
drop function if exists vestige.track(regclass, text[], text[], text, text[], text[], text, text, text, text, text[], boolean, text[], jsonb);
drop function if exists vestige.track(regclass, text[], text[], text, text[], text[], text, text, text, text, text[], boolean, text[], jsonb, text[]);

-- A column that was redacted is recorded in clear only where that is asked for by its name.
create or replace function vestige.stay_redacted(rel regclass, include text[], exclude text[], key text[], redact text[], encrypt jsonb,
  unredact text[]) returns void language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  lost text;
begin
  select string_agg(c, ', ') into lost
  from jsonb_array_elements_text((select k.policy -> 'redact' from vestige.tracked k where k.relation = rel
                                  order by k.untracked_at is not null, k.id desc limit 1)) c
  where (c = any (redact || exclude || unredact)) is not true and (encrypt ? c) is not true
    and (include is null or include = '{}' or c = any (include || key));
  if lost is not null then
    raise exception 'track %: % would be recorded in clear from now on', rel, lost using errcode = 'invalid_parameter_value',
      hint = 'name it in redact to keep it redacted, or in unredact to have it recorded in clear';
  end if;
end
$$;

-- The same by named arguments: select vestige.track('accounts', tags => '{SOX}', exclude => '{updated_at}').
create or replace function vestige.track("table" regclass, include text[] default null, exclude text[] default null,
  "when" text default null, require text[] default null, key text[] default null, capture text default null,
  on_truncate text default null, retention text default null, classification text default null, tags text[] default null,
  baseline boolean default false, redact text[] default null, encrypt jsonb default null, unredact text[] default null,
  subject text default null)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  tracked_id int;
begin
  perform vestige.stay_redacted("table", include, exclude, key, redact, encrypt, unredact);
  tracked_id := vestige.set_policy("table", jsonb_strip_nulls(jsonb_build_object('include', include, 'exclude', exclude,
    'redact', redact, 'encrypt', encrypt, 'subject', subject, 'when', "when", 'require', require, 'key', key, 'capture', capture, 'on_truncate', on_truncate, 'retention', retention,
    'classification', classification, 'tags', tags)));
  if baseline then
    perform vestige.baseline(tracked_id);
  end if;
  begin
    perform vestige.maintain(1);
  exception when lock_not_available then
    null;  -- the default partition takes what comes
  end;
end
$$;

-- Records every row that stands in the table as a BASELINE change; how many.
create or replace function vestige.baseline(tracked_id int) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  rel oid;
begin
  select * into t from vestige.tracked where id = tracked_id;
  rel := vestige.live_relation(t);
  perform vestige.check_owner(rel, 'baseline of');
  -- Nobody writes between the look at the table and the changes that are captured after it.
  execute format('lock table %s in share row exclusive mode', vestige.quoted_relation(rel));
  return vestige.baseline_rows(tracked_id);
end
$$;

-- The same of a table that is locked. What is read is a table, whatever took its name: a view's functions would run with the
-- rights of the trail's owner.
create or replace function vestige.baseline_rows(tracked_id int) returns bigint language plpgsql
security definer set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  rel oid;
  e record;
  source text;
  counted bigint;
  tx xid8 := pg_current_xact_id();                    -- before any id is taken: the sealer counts on it
  number bigint := nextval('vestige.change_id');
begin
  select * into t from vestige.tracked where id = tracked_id;
  rel := vestige.live_relation(t);
  perform vestige.check_owner(rel, 'baseline of');
  select * into s from vestige.shape where id = t.shape;
  e := vestige.capture_expressions(s.columns, false, 'live.', 'live.');
  source := concat(case when not exists (select from pg_class where oid = rel and relkind = 'p') then 'only ' end, vestige.quoted_relation(rel));
  execute format('insert into vestige.change (id, xid, context, key_hash, tracked, shape, op, key, new_row)'
                 ' select case row_number() over () when 1 then $5 else nextval(''vestige.change_id'') end,'
                 ' $1, $2, hashtextextended(%1$s, $3), $3, $4, ''B'', %1$s, %2$s from %3$s as live%4$s', e.new_key, e.new_row, source,
                 ' where ' || nullif(vestige.not_large(s.columns), ''))
    using tx, vestige.context_of(number), t.id, s.id, number;
  get diagnostics counted = row_count;
  return counted + vestige.write_large(s, 'B', source || ' as live');
end
$$;

-- Stops tracking a table, which may be gone; its history stays.
create or replace function vestige.untrack_id(tracked_id int) returns void language plpgsql
set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan as $$
declare
  g record;
begin
  if (select schema_name = 'vestige' from vestige.tracked where id = tracked_id) then
    raise exception 'untrack %: it is the trail''s own table', (select relation::regclass from vestige.tracked where id = tracked_id)
      using errcode = 'wrong_object_type', hint = 'vestige init --remove takes the whole trail away';
  end if;
  perform vestige.check_owner((select relation from vestige.tracked where id = tracked_id), 'untrack');
  for g in
    select t.tgname, t.tgrelid from pg_trigger t
    where t.tgparentid = 0 and (t.tgfoid in (to_regproc('vestige.capture_' || tracked_id), to_regproc('vestige.insert_' || tracked_id))
      or t.tgfoid in ('vestige.capture_truncate'::regproc, to_regproc('vestige.capture_native'))
         and t.tgargs = convert_to(tracked_id::text, getdatabaseencoding()) || E'\\x00'::bytea)
  loop
    perform vestige.drop_trigger(g.tgrelid, g.tgname);
  end loop;
  perform vestige.end_policy(tracked_id);
end
$$;

-- The same in the trail: everything but the triggers.
create or replace function vestige.end_policy(tracked_id int) returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
declare
  function_name text;
  t vestige.tracked;
begin
  perform vestige.check_owner((select relation from vestige.tracked where id = tracked_id), 'untrack');
  update vestige.tracked set untracked_at = clock_timestamp() where id = tracked_id and untracked_at is null
  returning * into t;
  if not found then
    raise exception 'untrack: no table % is tracked', tracked_id using errcode = 'undefined_object';
  end if;
  perform vestige.note_policy('untrack', t, t.policy, null);
  foreach function_name in array array[format('vestige.capture_%s', tracked_id), format('vestige.insert_%s', tracked_id)] loop
    if to_regproc(function_name) is not null then
      execute format('drop function %s()', function_name);
    end if;
  end loop;
end
$$;

create or replace function vestige.untrack("table" regclass) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
begin
  select * into t from vestige.tracked where relation = "table" and untracked_at is null;
  if t.id is null then
    raise exception 'untrack %: it is not tracked', "table" using errcode = 'undefined_object';
  end if;
  perform vestige.untrack_id(t.id);
end
$$;
