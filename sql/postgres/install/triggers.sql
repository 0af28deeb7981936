-- The triggers of tracked tables. Only the owner of a table may enable or drop its triggers, and only the owner of the
-- trail may use the functions that capture. So two work together: who tracks, or mends, as himself, and the trail's owner
-- with what it is lent of the table (docs/decisions/0006).

-- The triggers that a tracked table and its partitions need.
--
-- enabled   A(lways), O(rigin): not when a replica applies what another server did; R(eplica): only then
create or replace function vestige.wanted_triggers(tracked_id int, rel oid)
returns table (relation regclass, name name, events text, manner text, function_name text, argument text, enabled "char")
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  native boolean;
  by_statement boolean;
  captured text := format('capture_%s', tracked_id);
begin
  select * into t from vestige.tracked where id = tracked_id;
  native := t.engine = 'native' and to_regproc('vestige.capture_native') is not null;
  by_statement := vestige.by_statement(t, rel);
  return query select rel::regclass, '0_vestige_change'::name,
    case when by_statement and not native then 'after update or delete' else 'after insert or update or delete' end, 'row',
    case when native then 'capture_native' else captured end, case when native then tracked_id::text else '' end, 'A'::"char";
  if by_statement and not native then
    return query values
      (rel::regclass, '0_vestige_insert'::name, 'after insert', 'statement', format('insert_%s', tracked_id), '', 'O'::"char"),
      -- ENABLE TRIGGER ALL makes one of it that fires beside the other: it looks for itself when it is due.
      (rel::regclass, '0_vestige_apply', 'after insert', 'row when (current_setting(''session_replication_role'') = ''replica'')',
       captured, '', 'R');
  end if;
  -- Rows that reach a partition through its parent fire no trigger of statements. This one never fires; as long as it is
  -- there, PostgreSQL refuses to make the table a partition, and shows its name. PostgreSQL keeps the rows for it, of every
  -- such statement: the native engine has it where that costs the least.
  if by_statement then
    return query select rel::regclass, 'untrack it in vestige first: that'::name,
      case when native then 'after delete' else 'after insert' end, 'row when (false)', captured, '', 'O'::"char";
  end if;
  -- A row trigger comes to partitions by itself; one that sees TRUNCATE does not.
  return query select c.oid::regclass, '0_vestige_truncate'::name, 'before truncate', 'statement', 'capture_truncate',
    tracked_id::text, 'A'::"char"
  from (select rel as relid union select p.relid from pg_partition_tree(rel) p) p join pg_class c on c.oid = p.relid
  where c.relkind in ('r', 'p');
end
$$;

-- Whether the DDL of this transaction is the trail's own, which its event triggers do not take up: said in a row, since a setting
-- is anybody's.
create or replace function vestige.own_ddl(begins boolean) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if begins then
    insert into vestige.meta values ('own_ddl ' || pg_current_xact_id(), '') on conflict do nothing;
  else
    delete from vestige.meta where name = 'own_ddl ' || pg_current_xact_id();
  end if;
end
$$;

-- Gives a tracked table the triggers that it needs, as the table's owner.
create or replace function vestige.set_triggers(tracked_id int, rel oid) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  x record;
begin
  perform vestige.lend(rel);
  perform vestige.own_ddl(true);
  for x in select * from vestige.wanted_triggers(tracked_id, rel) loop
    continue when exists (
      select from pg_trigger where tgrelid = x.relation and tgname = x.name and tgenabled = x.enabled
        and tgfoid = to_regproc('vestige.' || x.function_name) and (tgqual is not null) = (x.manner like 'row when%')
        and tgtype & 28 = (select sum(case e when 'insert' then 4 when 'delete' then 8 when 'update' then 16 else 0 end)
                           from regexp_split_to_table(x.events, ' ') e)
        and tgargs = case when x.argument = '' then ''::bytea else convert_to(x.argument, getdatabaseencoding()) || E'\\x00'::bytea end);
    perform vestige.drop_trigger(x.relation, x.name);
    perform vestige.make_trigger(tracked_id, x.relation, x.name);
    execute format('alter table %s enable %s trigger %I', x.relation,
                   case x.enabled when 'A' then 'always' when 'R' then 'replica' else '' end, x.name);
  end loop;
  perform vestige.drop_trigger(rel, g.tgname) from pg_trigger g
  where g.tgrelid = rel and g.tgname in ('0_vestige_insert', '0_vestige_apply', 'untrack it in vestige first: that')
    and not exists (select from vestige.wanted_triggers(tracked_id, rel) w where w.relation = rel and w.name = g.tgname);
  perform vestige.own_ddl(false);
end
$$;

-- Makes one of the triggers that a tracked table needs, unless one of that name is there. It makes no others, so that
-- nobody can have what captures one table fire for another.
create or replace function vestige.make_trigger(tracked_id int, part regclass, trigger_name name) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  x record;
begin
  select w.* into x from vestige.tracked t, vestige.wanted_triggers(t.id, t.relation) w
  where t.id = tracked_id and t.untracked_at is null and w.relation = part and w.name = trigger_name
    and not exists (select from pg_trigger g where g.tgrelid = part and g.tgname = trigger_name);
  if x.relation is null then
    return;
  end if;
  execute format('create trigger %I %s on %s %s for each %s execute function vestige.%I(%s)', x.name, x.events, x.relation,
                 case when x.name not in ('0_vestige_insert', 'untrack it in vestige first: that') then ''
                      when x.events = 'after delete' then 'referencing old table as deleted'
                      else 'referencing new table as inserted' end,
                 x.manner, x.function_name, case when x.argument = '' then '' else quote_literal(x.argument) end);
exception when insufficient_privilege then
  raise exception 'track %: the trail''s owner % may not make triggers there: %', part, current_user, sqlerrm
    using errcode = 'insufficient_privilege', hint = (select string_agg(l.statement, '; ') from vestige.loan(part) l);
end
$$;

create or replace function vestige.drop_trigger(rel oid, trigger_name name) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  if exists (select from pg_trigger where tgrelid = rel and tgname = trigger_name) then
    execute format('drop trigger %I on %s', trigger_name, rel::regclass);
  end if;
end
$$;

-- What the trail's owner lacks to track tables and to read them: statements that give it, and who may. Row-level security
-- of a table is nothing that can be granted.
create or replace function vestige.loans(rels oid[]) returns table (rel oid, statement text, giver oid) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  trail_owner oid := (select nspowner from pg_namespace where nspname = 'vestige');
begin
  return query with part as (
    select r.oid as rel, c.oid, c.relnamespace, c.relowner from unnest(rels) r(oid) join pg_class c on c.oid = r.oid where c.relkind in ('r', 'p')
    union
    select r.oid, c.oid, c.relnamespace, c.relowner
    from unnest(rels) r(oid) join pg_class k on k.oid = r.oid, pg_partition_tree(case k.relkind when 'p' then k.oid end) p
      join pg_class c on c.oid = p.relid where c.relkind in ('r', 'p'))
  select distinct p.rel, format('grant usage on schema %I to %s', n.nspname, trail_owner::regrole), n.nspowner
  from part p join pg_namespace n on n.oid = p.relnamespace where not has_schema_privilege(trail_owner, n.oid, 'usage')
  union all
  select p.rel, format('grant select, trigger on %s to %s', p.oid::regclass, trail_owner::regrole), p.relowner from part p
  where not (has_table_privilege(trail_owner, p.oid, 'select') and has_table_privilege(trail_owner, p.oid, 'trigger'));
end
$$;

create or replace function vestige.loan(rel oid) returns table (statement text, giver oid) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return query select l.statement, l.giver from vestige.loans(array[loan.rel]) l;
end
$$;

-- Lends the trail's owner what it lacks, as far as the session may; doctor says what is still missing.
create or replace function vestige.lend(rel oid) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  one text;
begin
  for one in select l.statement from vestige.loan(rel) l where pg_has_role(l.giver, 'usage') loop
    execute one;
  end loop;
end
$$;
