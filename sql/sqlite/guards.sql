-- The guards of changes and contexts, which let four things through: vestige_late moves changes in the statement that
-- makes them (order.sql), an erasure takes parts away, an expiry takes what its EXPIRE says, and tokens take the place of what is to
-- be encrypted.
--
-- in      install.sql, order.sql and evidence.sql, in the same transaction; runs again without harm
-- erasure an UPDATE or DELETE that does nothing but take away the parts which vestige_erased names, while the ERASE
--         that names them is the last change (docs/evidence.md, "Erasing"); a list of parts is read as in
--         vestige/record/taken.h
-- expiry  a DELETE of changes that the last change, an EXPIRE, covers: of its table, older than its horizon, between its
--         ids; and of contexts older than what ever expired. Which ones exactly, verify finds out.
-- tokens  an UPDATE of slots for which vestige_more has tokens, as part -1 - part, of a change that has no entry yet
--         (docs/decisions/0032-encrypted-columns.md)
-- cost    the first guard is compiled with every statement that writes a tracked table, and that of deletes with every
--         REPLACE under recursive_triggers: they are short, and no expression of theirs is deep

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
    where erased = OLD.id and change = (select max(id) from vestige_change)),
    (select count(*) as tokens from vestige_more where change = OLD.id and part < 0)
  where taken + tokens = 0;
end;

drop trigger if exists vestige_change_no_rewrite;
create trigger vestige_change_no_rewrite before update of
  tbl, shape, op, at, context, row_id, key, new_key, changed, v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10,
  v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31
on vestige_change
when NEW.changed is not OLD.changed or not exists (select 1 from vestige_more where change = OLD.id and part < 0)
begin
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  where OLD.op in ('E', 'X')
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

drop trigger if exists vestige_change_encrypted;
create trigger vestige_change_encrypted before update of
  v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
  v23, v24, v25, v26, v27, v28, v29, v30, v31
on vestige_change
when NEW.changed is OLD.changed and exists (select 1 from vestige_more where change = OLD.id and part < 0)
begin
  select raise(fail, 'vestige: vestige_change is append-only: update refused')
  from (
    select count(*) as fits
    from vestige_more
    where (change = OLD.id and part = -1)
      and min(
        min(NEW.v0 is OLD.v0 or v0 is not null, NEW.v1 is OLD.v1 or v1 is not null,
          NEW.v2 is OLD.v2 or v2 is not null, NEW.v3 is OLD.v3 or v3 is not null,
          NEW.v4 is OLD.v4 or v4 is not null, NEW.v5 is OLD.v5 or v5 is not null,
          NEW.v6 is OLD.v6 or v6 is not null, NEW.v7 is OLD.v7 or v7 is not null),
        min(NEW.v8 is OLD.v8 or v8 is not null, NEW.v9 is OLD.v9 or v9 is not null,
          NEW.v10 is OLD.v10 or v10 is not null, NEW.v11 is OLD.v11 or v11 is not null,
          NEW.v12 is OLD.v12 or v12 is not null, NEW.v13 is OLD.v13 or v13 is not null,
          NEW.v14 is OLD.v14 or v14 is not null, NEW.v15 is OLD.v15 or v15 is not null),
        min(NEW.v16 is OLD.v16 or v16 is not null, NEW.v17 is OLD.v17 or v17 is not null,
          NEW.v18 is OLD.v18 or v18 is not null, NEW.v19 is OLD.v19 or v19 is not null,
          NEW.v20 is OLD.v20 or v20 is not null, NEW.v21 is OLD.v21 or v21 is not null,
          NEW.v22 is OLD.v22 or v22 is not null, NEW.v23 is OLD.v23 or v23 is not null),
        min(NEW.v24 is OLD.v24 or v24 is not null, NEW.v25 is OLD.v25 or v25 is not null,
          NEW.v26 is OLD.v26 or v26 is not null, NEW.v27 is OLD.v27 or v27 is not null,
          NEW.v28 is OLD.v28 or v28 is not null, NEW.v29 is OLD.v29 or v29 is not null,
          NEW.v30 is OLD.v30 or v30 is not null, NEW.v31 is OLD.v31 or v31 is not null)))
  where (fits = 0
      or (NEW.tbl, NEW.shape, NEW.op, NEW.at, NEW.context, NEW.row_id, NEW.key, NEW.new_key)
        is not (OLD.tbl, OLD.shape, OLD.op, OLD.at, OLD.context, OLD.row_id, OLD.key, OLD.new_key))
    or OLD.id <= (select coalesce(max(last_id), 0) from vestige_sealer);
end;

drop trigger if exists vestige_more_no_update;
create trigger vestige_more_no_update before update on vestige_more
when (select min(id) from vestige_change) > 0
  and not exists (select 1 from vestige_change where backward <= 0)
begin
  select raise(fail, 'vestige: vestige_more is append-only: update refused')
  from (select count(*) as tokens from vestige_more where change = OLD.change and part = -1 - OLD.part)
  where tokens = 0 or NEW.change is not OLD.change or NEW.part is not OLD.part or NEW.changed is not OLD.changed;
end;

drop trigger if exists vestige_more_encrypted;
create trigger vestige_more_encrypted before update of
  v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
  v23, v24, v25, v26, v27, v28, v29, v30, v31
on vestige_more
begin
  select raise(fail, 'vestige: vestige_more is append-only: update refused')
  from (
    select count(*) as fits
    from vestige_more
    where (change = OLD.change and part = -1 - OLD.part)
      and min(
        min(NEW.v0 is OLD.v0 or v0 is not null, NEW.v1 is OLD.v1 or v1 is not null,
          NEW.v2 is OLD.v2 or v2 is not null, NEW.v3 is OLD.v3 or v3 is not null,
          NEW.v4 is OLD.v4 or v4 is not null, NEW.v5 is OLD.v5 or v5 is not null,
          NEW.v6 is OLD.v6 or v6 is not null, NEW.v7 is OLD.v7 or v7 is not null),
        min(NEW.v8 is OLD.v8 or v8 is not null, NEW.v9 is OLD.v9 or v9 is not null,
          NEW.v10 is OLD.v10 or v10 is not null, NEW.v11 is OLD.v11 or v11 is not null,
          NEW.v12 is OLD.v12 or v12 is not null, NEW.v13 is OLD.v13 or v13 is not null,
          NEW.v14 is OLD.v14 or v14 is not null, NEW.v15 is OLD.v15 or v15 is not null),
        min(NEW.v16 is OLD.v16 or v16 is not null, NEW.v17 is OLD.v17 or v17 is not null,
          NEW.v18 is OLD.v18 or v18 is not null, NEW.v19 is OLD.v19 or v19 is not null,
          NEW.v20 is OLD.v20 or v20 is not null, NEW.v21 is OLD.v21 or v21 is not null,
          NEW.v22 is OLD.v22 or v22 is not null, NEW.v23 is OLD.v23 or v23 is not null),
        min(NEW.v24 is OLD.v24 or v24 is not null, NEW.v25 is OLD.v25 or v25 is not null,
          NEW.v26 is OLD.v26 or v26 is not null, NEW.v27 is OLD.v27 or v27 is not null,
          NEW.v28 is OLD.v28 or v28 is not null, NEW.v29 is OLD.v29 or v29 is not null,
          NEW.v30 is OLD.v30 or v30 is not null, NEW.v31 is OLD.v31 or v31 is not null)))
  where (fits = 0 or OLD.part < 0)
    or OLD.change <= (select coalesce(max(last_id), 0) from vestige_sealer);
end;

drop trigger if exists vestige_change_no_delete;
create trigger vestige_change_no_delete before delete on vestige_change
begin
  select raise(abort, 'vestige: vestige_change is append-only: delete refused')
  where OLD.op in ('E', 'X') or (select op from vestige_change order by id desc limit 1) is not 'X';
  select raise(abort, 'vestige: vestige_change is append-only: delete refused')
  where (select max(change) from vestige_expired) is not (select max(id) from vestige_change);
  select raise(abort, 'vestige: vestige_change is append-only: delete refused')
  where (OLD.tbl is not (select tbl from vestige_expired order by change desc limit 1)
      or OLD.at * 1000 >= (select horizon from vestige_expired order by change desc limit 1))
    or (OLD.id < (select first_id from vestige_expired order by change desc limit 1)
      or OLD.id > (select last_id from vestige_expired order by change desc limit 1));
end;

drop trigger if exists vestige_more_no_delete;
create trigger vestige_more_no_delete before delete on vestige_more
when not exists (
  select 1
  from vestige_erased as e
  join vestige_change as c on c.id = e.change and c.op = 'E'
  where e.erased = OLD.change and e.change = (select max(id) from vestige_change)
    and instr(',' || e.parts || ',', ',values,') > 0)
  and not exists (
    select 1
    from vestige_expired as e
    join vestige_change as c on c.id = e.change and c.op = 'X'
    join vestige_change as k on k.id = OLD.change and k.tbl = e.tbl
    where e.change = (select max(id) from vestige_change)
      and (k.id between e.first_id and e.last_id and k.at * 1000 < e.horizon))
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

drop trigger if exists vestige_context_no_delete;
create trigger vestige_context_no_delete before delete on vestige_context
begin
  select raise(abort, 'vestige: vestige_context is append-only: delete refused')
  where OLD.at * 1000 >= (select coalesce(max(horizon), 0) from vestige_expired);
end;

-- No CHECK with json_type: SQLite before 3.41 does not open such a database under trusted_schema = off.
drop trigger if exists vestige_context_extra;
create trigger vestige_context_extra before insert on vestige_context
when NEW.extra is not null
begin
  select raise(abort, 'vestige: extra is no JSON object')
  where (select type from json_tree(NEW.extra)) is not 'object';
end;
