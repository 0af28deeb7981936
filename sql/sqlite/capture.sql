-- Capture on an SQLite database: what is the same for every tracked table. A table's own triggers
-- (vestige/trail/capture*.cc) say what is its own, its key and its old and new values, and insert that into
-- the views here; what these do is done once for all.
--
-- in      what install.sql makes, in the same transaction; none of the views and triggers below
-- out     views that say what stands in every change, and vestige_pairs, for UPDATE
-- limits  those that sqlite.org/security.html recommends: no expression is deeper than 10, counted with the
--         expression around a subquery, no function has more than 8 arguments; nothing here is a function that
--         trusted_schema = off forbids
-- cost    SQLite reads all of this whenever a database is opened, and compiles what a statement may need

create view vestige_clock as
select cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer) as now;

-- The context that counts now: docs/sqlite.md, "Context".
create view vestige_in_force as
select context, scope
from (
  select context, scope, expires, seq, cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer) as now
  from vestige_current)
where expires > now and seq <= total_changes();

-- The id of the next change. Ids never fall behind sqlite_sequence.
create view vestige_next as
select max(last, counter) + 1 as id
from (
  select
    coalesce((select max(id) from vestige_change), 0) as last,
    coalesce((select seq from sqlite_sequence where name = 'vestige_change'), 0) as counter);

-- Parts that were written, of a change that is not yet.
create view vestige_unfinished as
select m.part
from vestige_next as n
join vestige_more as m on m.change = n.id;

-- The last change, seen from now. 1: its time is yet to come; 0: of this very millisecond, and something was
-- written since.
create view vestige_last as
select case when at > now then 1 when at = now and seq is not total_changes() then 0 end as state
from (
  select id, at, seq, cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer) as now
  from vestige_change)
order by id desc
limit 1;

-- The transaction of the next change. Under a context, its scope's. Else the statement's: SQLite writes an
-- AUTOINCREMENT counter when a statement ends, with all that its triggers and cascades did. So a change
-- above the counter is of the statement that is running. docs/sqlite.md, "Transactions".
create view vestige_tx as
select
  case
    when seq = total_changes() and at = now then tx
    when scope is not null then iif(context >= scope, tx, id + 1)
    when context is null and at = now and id > counter then tx
    else id + 1
  end as tx
from (
  select id, at, seq, tx, context, cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer) as now,
    (select scope from vestige_in_force) as scope,
    coalesce((select seq from sqlite_sequence where name = 'vestige_change'), 0) as counter
  from vestige_change)
order by id desc
limit 1;

-- insert into vestige_pairs (…): an UPDATE of a row; slots 2i and 2i+1 are column i before and after, d<i> says that it
-- differs, to the bit: the shared trigger keeps what differs. vestige_pairs_more: its parts, which come first.
-- A view's trigger is dear: SQLite makes its frame anew for each row. So INSERT and DELETE write vestige_change
-- themselves, and an UPDATE comes by one.
-- backward: the state of vestige_last, 0 only where the row is no longer as this change leaves it
-- key, new_key: before and after; of several columns (then keys is 1): new_key only if one of them differs
-- full: every column's new value is kept
-- wide: some part differs
-- identity, new_identity: which row of the table, before and after
create view vestige_pairs as
select *, null as part, null as keys, null as full, null as wide, null as identity, null as new_identity,
  null as d0, null as d1, null as d2, null as d3, null as d4, null as d5, null as d6, null as d7, null as d8,
  null as d9, null as d10, null as d11, null as d12, null as d13, null as d14, null as d15
from vestige_change;

create view vestige_pairs_more as select * from vestige_pairs;
create view vestige_follow as select * from vestige_pairs;

create trigger vestige_pairs_write instead of insert on vestige_pairs
when ((((NEW.d0 or NEW.d1)
      or (NEW.d2 or NEW.d3))
    or ((NEW.d4 or NEW.d5)
      or (NEW.d6 or NEW.d7)))
  or (((NEW.d8 or NEW.d9)
      or (NEW.d10 or NEW.d11))
    or ((NEW.d12 or NEW.d13)
      or (NEW.d14 or NEW.d15)))
  or NEW.wide)
begin
  update vestige_replaced
  set identity = NEW.new_identity, row_id = iif(row_id is null, null, NEW.new_identity),
    key = iif(NEW.keys, coalesce(NEW.new_key, NEW.key), NEW.new_key),
    v0 = NEW.v1, v1 = NEW.v3, v2 = NEW.v5, v3 = NEW.v7, v4 = NEW.v9, v5 = NEW.v11, v6 = NEW.v13, v7 = NEW.v15,
    v8 = NEW.v17, v9 = NEW.v19, v10 = NEW.v21, v11 = NEW.v23, v12 = NEW.v25, v13 = NEW.v27, v14 = NEW.v29,
    v15 = NEW.v31
  where tbl = NEW.tbl and part = coalesce(NEW.part, 0) and identity is NEW.identity and (
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
    is (
    NEW.v0, NEW.v2, NEW.v4, NEW.v6, NEW.v8, NEW.v10, NEW.v12, NEW.v14, NEW.v16, NEW.v18, NEW.v20, NEW.v22,
    NEW.v24, NEW.v26, NEW.v28, NEW.v30);
  insert into vestige_change (tbl, shape, op, at, seq, tx, context, backward, row_id, key, new_key, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  values (NEW.tbl, NEW.shape, 'U', (select now from vestige_clock), total_changes() + 1,
    coalesce((select tx from vestige_tx), 1), (select context from vestige_in_force), NEW.backward, NEW.row_id, NEW.key,
    case when NEW.d0 or NEW.keys then NEW.new_key end,
    ((((NEW.d0 is true) | ((NEW.d1 is true) << 1))
        | (((NEW.d2 is true) << 2) | ((NEW.d3 is true) << 3)))
      | ((((NEW.d4 is true) << 4) | ((NEW.d5 is true) << 5))
        | (((NEW.d6 is true) << 6) | ((NEW.d7 is true) << 7))))
    | (((((NEW.d8 is true) << 8) | ((NEW.d9 is true) << 9))
        | (((NEW.d10 is true) << 10) | ((NEW.d11 is true) << 11)))
      | ((((NEW.d12 is true) << 12) | ((NEW.d13 is true) << 13))
        | (((NEW.d14 is true) << 14) | ((NEW.d15 is true) << 15)))),
    case when NEW.d0 then NEW.v0 end, case when NEW.d0 or NEW.full then NEW.v1 end,
    case when NEW.d1 then NEW.v2 end, case when NEW.d1 or NEW.full then NEW.v3 end,
    case when NEW.d2 then NEW.v4 end, case when NEW.d2 or NEW.full then NEW.v5 end,
    case when NEW.d3 then NEW.v6 end, case when NEW.d3 or NEW.full then NEW.v7 end,
    case when NEW.d4 then NEW.v8 end, case when NEW.d4 or NEW.full then NEW.v9 end,
    case when NEW.d5 then NEW.v10 end, case when NEW.d5 or NEW.full then NEW.v11 end,
    case when NEW.d6 then NEW.v12 end, case when NEW.d6 or NEW.full then NEW.v13 end,
    case when NEW.d7 then NEW.v14 end, case when NEW.d7 or NEW.full then NEW.v15 end,
    case when NEW.d8 then NEW.v16 end, case when NEW.d8 or NEW.full then NEW.v17 end,
    case when NEW.d9 then NEW.v18 end, case when NEW.d9 or NEW.full then NEW.v19 end,
    case when NEW.d10 then NEW.v20 end, case when NEW.d10 or NEW.full then NEW.v21 end,
    case when NEW.d11 then NEW.v22 end, case when NEW.d11 or NEW.full then NEW.v23 end,
    case when NEW.d12 then NEW.v24 end, case when NEW.d12 or NEW.full then NEW.v25 end,
    case when NEW.d13 then NEW.v26 end, case when NEW.d13 or NEW.full then NEW.v27 end,
    case when NEW.d14 then NEW.v28 end, case when NEW.d14 or NEW.full then NEW.v29 end,
    case when NEW.d15 then NEW.v30 end, case when NEW.d15 or NEW.full then NEW.v31 end);
end;

create trigger vestige_pairs_part instead of insert on vestige_pairs_more
when ((((NEW.d0 or NEW.d1)
      or (NEW.d2 or NEW.d3))
    or ((NEW.d4 or NEW.d5)
      or (NEW.d6 or NEW.d7)))
  or (((NEW.d8 or NEW.d9)
      or (NEW.d10 or NEW.d11))
    or ((NEW.d12 or NEW.d13)
      or (NEW.d14 or NEW.d15)))
  or NEW.wide)
begin
  update vestige_replaced
  set identity = NEW.new_identity, row_id = iif(row_id is null, null, NEW.new_identity),
    key = iif(NEW.keys, coalesce(NEW.new_key, NEW.key), NEW.new_key),
    v0 = NEW.v1, v1 = NEW.v3, v2 = NEW.v5, v3 = NEW.v7, v4 = NEW.v9, v5 = NEW.v11, v6 = NEW.v13, v7 = NEW.v15,
    v8 = NEW.v17, v9 = NEW.v19, v10 = NEW.v21, v11 = NEW.v23, v12 = NEW.v25, v13 = NEW.v27, v14 = NEW.v29,
    v15 = NEW.v31
  where tbl = NEW.tbl and part = coalesce(NEW.part, 0) and identity is NEW.identity and (
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
    is (
    NEW.v0, NEW.v2, NEW.v4, NEW.v6, NEW.v8, NEW.v10, NEW.v12, NEW.v14, NEW.v16, NEW.v18, NEW.v20, NEW.v22,
    NEW.v24, NEW.v26, NEW.v28, NEW.v30);
  insert into vestige_more (change, part, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  values ((select id from vestige_next), NEW.part,
    ((((NEW.d0 is true) | ((NEW.d1 is true) << 1))
        | (((NEW.d2 is true) << 2) | ((NEW.d3 is true) << 3)))
      | ((((NEW.d4 is true) << 4) | ((NEW.d5 is true) << 5))
        | (((NEW.d6 is true) << 6) | ((NEW.d7 is true) << 7))))
    | (((((NEW.d8 is true) << 8) | ((NEW.d9 is true) << 9))
        | (((NEW.d10 is true) << 10) | ((NEW.d11 is true) << 11)))
      | ((((NEW.d12 is true) << 12) | ((NEW.d13 is true) << 13))
        | (((NEW.d14 is true) << 14) | ((NEW.d15 is true) << 15)))),
    case when NEW.d0 then NEW.v0 end, case when NEW.d0 or NEW.full then NEW.v1 end,
    case when NEW.d1 then NEW.v2 end, case when NEW.d1 or NEW.full then NEW.v3 end,
    case when NEW.d2 then NEW.v4 end, case when NEW.d2 or NEW.full then NEW.v5 end,
    case when NEW.d3 then NEW.v6 end, case when NEW.d3 or NEW.full then NEW.v7 end,
    case when NEW.d4 then NEW.v8 end, case when NEW.d4 or NEW.full then NEW.v9 end,
    case when NEW.d5 then NEW.v10 end, case when NEW.d5 or NEW.full then NEW.v11 end,
    case when NEW.d6 then NEW.v12 end, case when NEW.d6 or NEW.full then NEW.v13 end,
    case when NEW.d7 then NEW.v14 end, case when NEW.d7 or NEW.full then NEW.v15 end,
    case when NEW.d8 then NEW.v16 end, case when NEW.d8 or NEW.full then NEW.v17 end,
    case when NEW.d9 then NEW.v18 end, case when NEW.d9 or NEW.full then NEW.v19 end,
    case when NEW.d10 then NEW.v20 end, case when NEW.d10 or NEW.full then NEW.v21 end,
    case when NEW.d11 then NEW.v22 end, case when NEW.d11 or NEW.full then NEW.v23 end,
    case when NEW.d12 then NEW.v24 end, case when NEW.d12 or NEW.full then NEW.v25 end,
    case when NEW.d13 then NEW.v26 end, case when NEW.d13 or NEW.full then NEW.v27 end,
    case when NEW.d14 then NEW.v28 end, case when NEW.d14 or NEW.full then NEW.v29 end,
    case when NEW.d15 then NEW.v30 end, case when NEW.d15 or NEW.full then NEW.v31 end);
end;

-- Rows that are kept for another statement follow an UPDATE that is not recorded.
create trigger vestige_follow_kept instead of insert on vestige_follow
begin
  update vestige_replaced
  set identity = NEW.new_identity, row_id = iif(row_id is null, null, NEW.new_identity),
    key = iif(NEW.keys, coalesce(NEW.new_key, NEW.key), NEW.new_key),
    v0 = NEW.v1, v1 = NEW.v3, v2 = NEW.v5, v3 = NEW.v7, v4 = NEW.v9, v5 = NEW.v11, v6 = NEW.v13, v7 = NEW.v15,
    v8 = NEW.v17, v9 = NEW.v19, v10 = NEW.v21, v11 = NEW.v23, v12 = NEW.v25, v13 = NEW.v27, v14 = NEW.v29,
    v15 = NEW.v31
  where tbl = NEW.tbl and part = coalesce(NEW.part, 0) and identity is NEW.identity and (
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
    is (
    NEW.v0, NEW.v2, NEW.v4, NEW.v6, NEW.v8, NEW.v10, NEW.v12, NEW.v14, NEW.v16, NEW.v18, NEW.v20, NEW.v22,
    NEW.v24, NEW.v26, NEW.v28, NEW.v30);
end;

-- insert into vestige_write (…): a change as it is to be, or with `part` one of its further rows of slots, which come
-- first. Its seq is null: the next change belongs to the same transaction.
create view vestige_write as
select *, null as part from vestige_change;

create trigger vestige_write_change instead of insert on vestige_write
when NEW.part is null
begin
  insert into vestige_change (tbl, shape, op, at, tx, context, backward, row_id, key, new_key, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  values (NEW.tbl, NEW.shape, NEW.op, (select now from vestige_clock), coalesce((select tx from vestige_tx), 1),
    (select context from vestige_in_force), NEW.backward, NEW.row_id, NEW.key, NEW.new_key, NEW.changed,
    NEW.v0, NEW.v1, NEW.v2, NEW.v3, NEW.v4, NEW.v5, NEW.v6, NEW.v7, NEW.v8, NEW.v9, NEW.v10, NEW.v11, NEW.v12,
    NEW.v13, NEW.v14, NEW.v15, NEW.v16, NEW.v17, NEW.v18, NEW.v19, NEW.v20, NEW.v21, NEW.v22, NEW.v23, NEW.v24,
    NEW.v25, NEW.v26, NEW.v27, NEW.v28, NEW.v29, NEW.v30, NEW.v31);
end;

create trigger vestige_write_part instead of insert on vestige_write
when NEW.part > 0
begin
  insert into vestige_more (change, part, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  values ((select id from vestige_next), NEW.part, NEW.changed,
    NEW.v0, NEW.v1, NEW.v2, NEW.v3, NEW.v4, NEW.v5, NEW.v6, NEW.v7, NEW.v8, NEW.v9, NEW.v10, NEW.v11, NEW.v12,
    NEW.v13, NEW.v14, NEW.v15, NEW.v16, NEW.v17, NEW.v18, NEW.v19, NEW.v20, NEW.v21, NEW.v22, NEW.v23, NEW.v24,
    NEW.v25, NEW.v26, NEW.v27, NEW.v28, NEW.v29, NEW.v30, NEW.v31);
end;

create trigger vestige_change_run after insert on vestige_change
when NEW.id & 511 = 0 or NEW.backward = 0
begin
  insert or ignore into vestige_key (run, tbl, key, id)
  select (NEW.id + 16383) >> 14, tbl, key, id
  from vestige_change
  where NEW.id & 511 = 0 and id > NEW.id - 512 and id <= NEW.id and key is not null
  union all
  select (NEW.id + 16383) >> 14, tbl, new_key, id
  from vestige_change
  where NEW.id & 511 = 0 and id > NEW.id - 512 and id <= NEW.id and new_key is not null
  order by 2, 3, 4;
  insert into vestige_late (change) values (iif(NEW.backward = 0, NEW.id, null));
end;
