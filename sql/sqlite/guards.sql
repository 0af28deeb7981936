-- The guards of changes and contexts, which let two things through: vestige_late moves changes in the statement that
-- makes them (order.sql), and an erasure takes parts away.
--
-- in      install.sql, order.sql and evidence.sql, in the same transaction; runs again without harm
-- erasure an UPDATE or DELETE that does nothing but take away the parts which vestige_erased names, while the ERASE
--         that names them is the last change (docs/evidence.md, "Erasing"); a list of parts is read as in
--         vestige/record/taken.h
-- cost    the first guard is compiled with every statement that writes a tracked table: it is short

drop trigger if exists vestige_change_no_update;
create trigger vestige_change_no_update before update on vestige_change
when (select min(id) from vestige_change) > 0
  and not exists (select 1 from vestige_change where backward <= 0)
begin
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  where (NEW.id, NEW.tx, NEW.seq, NEW.backward) is not (OLD.id, OLD.tx, OLD.seq, OLD.backward);
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  from (
    select count(*) as taken
    from vestige_erased
    where erased = OLD.id and change = (select max(id) from vestige_change))
  where taken = 0;
end;

drop trigger if exists vestige_change_no_rewrite;
create trigger vestige_change_no_rewrite before update of
  tbl, shape, op, at, context, row_id, key, new_key, changed, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10,
  v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31
on vestige_change
begin
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  where OLD.op = 'E'
    or (NEW.tbl, NEW.shape, NEW.op, NEW.at, NEW.context) is not (OLD.tbl, OLD.shape, OLD.op, OLD.at, OLD.context)
    or coalesce(
      coalesce(NEW.v0, NEW.v1, NEW.v2, NEW.v3, NEW.v4, NEW.v5, NEW.v6, NEW.v7),
      coalesce(NEW.v8, NEW.v9, NEW.v10, NEW.v11, NEW.v12, NEW.v13, NEW.v14, NEW.v15),
      coalesce(NEW.v16, NEW.v17, NEW.v18, NEW.v19, NEW.v20, NEW.v21, NEW.v22, NEW.v23),
      coalesce(NEW.v24, NEW.v25, NEW.v26, NEW.v27, NEW.v28, NEW.v29, NEW.v30, NEW.v31)) is not null;
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  from (
    select count(*) as taken
    from (
      select
        instr(',' || e.parts || ',', ',values,') as takes_values,
        instr(',' || e.parts || ',', ',key,') as takes_key
      from vestige_erased as e
      join vestige_change as c on c.id = e.change and c.op = 'E'
      where e.erased = OLD.id and e.change = (select max(id) from vestige_change))
    where (OLD.changed < 0 or takes_values)
      and iif(takes_key,
        NEW.changed = -196608 and coalesce(NEW.key, NEW.new_key, NEW.row_id) is null,
        (NEW.changed = -65536 and coalesce(OLD.changed, 0) >= 0)
          and (NEW.key, NEW.new_key, NEW.row_id) is (OLD.key, OLD.new_key, OLD.row_id)))
  where taken = 0;
end;

drop trigger if exists vestige_more_no_update;
create trigger vestige_more_no_update before update on vestige_more
when (select min(id) from vestige_change) > 0
  and not exists (select 1 from vestige_change where backward <= 0)
begin
  select raise(fail, 'vestige: vestige_more is append-only: update refused');
end;

drop trigger if exists vestige_more_no_delete;
create trigger vestige_more_no_delete before delete on vestige_more
when not exists (
  select 1
  from vestige_erased as e
  join vestige_change as c on c.id = e.change and c.op = 'E'
  where e.erased = OLD.change and e.change = (select max(id) from vestige_change)
    and instr(',' || e.parts || ',', ',values,') > 0)
begin
  select raise(abort, 'vestige: vestige_more is append-only: delete refused');
end;

drop trigger if exists vestige_context_no_update;
create trigger vestige_context_no_update before update on vestige_context
begin
  select raise(abort, 'vestige: vestige_context is append-only: update refused')
  where (NEW.id, NEW.at) is not (OLD.id, OLD.at)
    or coalesce(
      coalesce(NEW.actor, NEW.on_behalf_of, NEW.reason, NEW.business_process, NEW.request_id, NEW.session_id),
      NEW.ip_address, NEW.user_agent, NEW.auth_method, NEW.auth_role, NEW.traceparent, NEW.extra) is not null;
  select raise(abort, 'vestige: vestige_context is append-only: update refused')
  from (
    select count(*) as taken
    from vestige_erased as e
    join vestige_change as c on c.id = e.change and c.op = 'E'
    join vestige_change as k on k.id = e.erased and k.context = OLD.id
    where e.change = (select max(id) from vestige_change) and instr(',' || e.parts, ',context=') > 0)
  where taken = 0;
end;

-- No CHECK with json_type: SQLite before 3.41 does not open such a database under trusted_schema = off.
drop trigger if exists vestige_context_extra;
create trigger vestige_context_extra before insert on vestige_context
when NEW.extra is not null
begin
  select raise(abort, 'vestige: extra is no JSON object')
  where (select type from json_tree(NEW.extra)) is not 'object';
end;
