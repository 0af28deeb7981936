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

-- insert into vestige_pairs (…): an UPDATE of a row that is recorded, of at most 16 columns that all have a type; slots
-- 2i and 2i+1 are column i before and after. The shared trigger keeps what differs.
-- A view's trigger is dear: SQLite makes its frame anew for each row. So INSERT and DELETE write vestige_change
-- themselves, and most UPDATEs come by one.
-- backward: the state of vestige_last, 0 only where the row is no longer as this change leaves it
-- key, new_key: before and after; of several columns (then keys is 1): new_key only if one of them differs
-- identity, new_identity: which row of the table, before and after; null: key and new_key say it
-- d<i>: column i may differ though no comparison sees it
create view vestige_pairs as
select tbl, shape, backward, row_id, key, new_key, null as keys, null as identity, null as new_identity,
  null as d0, null as d1, null as d2, null as d3, null as d4, null as d5, null as d6, null as d7, null as d8,
  null as d9, null as d10, null as d11, null as d12, null as d13, null as d14, null as d15,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23,
    v24, v25, v26, v27, v28, v29, v30, v31
from vestige_change;

create trigger vestige_pairs_write instead of insert on vestige_pairs
when ((((NEW.v0 is not NEW.v1 or NEW.d0) or (NEW.v2 is not NEW.v3 or NEW.d1))
      or ((NEW.v4 is not NEW.v5 or NEW.d2) or (NEW.v6 is not NEW.v7 or NEW.d3)))
    or (((NEW.v8 is not NEW.v9 or NEW.d4) or (NEW.v10 is not NEW.v11 or NEW.d5))
      or ((NEW.v12 is not NEW.v13 or NEW.d6) or (NEW.v14 is not NEW.v15 or NEW.d7))))
  or ((((NEW.v16 is not NEW.v17 or NEW.d8) or (NEW.v18 is not NEW.v19 or NEW.d9))
      or ((NEW.v20 is not NEW.v21 or NEW.d10) or (NEW.v22 is not NEW.v23 or NEW.d11)))
    or (((NEW.v24 is not NEW.v25 or NEW.d12) or (NEW.v26 is not NEW.v27 or NEW.d13))
      or ((NEW.v28 is not NEW.v29 or NEW.d14) or (NEW.v30 is not NEW.v31 or NEW.d15))))
begin
  update vestige_replaced
  set identity = coalesce(NEW.new_identity, NEW.new_key),
    row_id = iif(row_id is null, null, coalesce(NEW.new_identity, NEW.new_key)),
    key = iif(NEW.keys, coalesce(NEW.new_key, NEW.key), NEW.new_key),
    v0 = NEW.v1, v1 = NEW.v3, v2 = NEW.v5, v3 = NEW.v7, v4 = NEW.v9, v5 = NEW.v11, v6 = NEW.v13, v7 = NEW.v15,
    v8 = NEW.v17, v9 = NEW.v19, v10 = NEW.v21, v11 = NEW.v23, v12 = NEW.v25, v13 = NEW.v27, v14 = NEW.v29,
    v15 = NEW.v31
  where tbl = NEW.tbl and part = 0 and identity is coalesce(NEW.identity, NEW.key) and (
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
    is (
    NEW.v0, NEW.v2, NEW.v4, NEW.v6, NEW.v8, NEW.v10, NEW.v12, NEW.v14, NEW.v16, NEW.v18, NEW.v20, NEW.v22,
    NEW.v24, NEW.v26, NEW.v28, NEW.v30);
  insert into vestige_change (tbl, shape, op, at, seq, tx, context, backward, row_id, key, new_key, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23,
    v24, v25, v26, v27, v28, v29, v30, v31)
  values (NEW.tbl, NEW.shape, 'U', (select now from vestige_clock), total_changes() + 1,
    coalesce((select tx from vestige_tx), 1), (select context from vestige_in_force), NEW.backward, NEW.row_id, NEW.key,
    case when NEW.v0 is not NEW.v1 or NEW.d0 or NEW.keys then NEW.new_key end,
    (((iif(NEW.v0 is not NEW.v1 or NEW.d0, 1, 0) | iif(NEW.v2 is not NEW.v3 or NEW.d1, 2, 0))
        | (iif(NEW.v4 is not NEW.v5 or NEW.d2, 4, 0) | iif(NEW.v6 is not NEW.v7 or NEW.d3, 8, 0)))
      | ((iif(NEW.v8 is not NEW.v9 or NEW.d4, 16, 0) | iif(NEW.v10 is not NEW.v11 or NEW.d5, 32, 0))
        | (iif(NEW.v12 is not NEW.v13 or NEW.d6, 64, 0) | iif(NEW.v14 is not NEW.v15 or NEW.d7, 128, 0))))
    | (((iif(NEW.v16 is not NEW.v17 or NEW.d8, 256, 0) | iif(NEW.v18 is not NEW.v19 or NEW.d9, 512, 0))
        | (iif(NEW.v20 is not NEW.v21 or NEW.d10, 1024, 0) | iif(NEW.v22 is not NEW.v23 or NEW.d11, 2048, 0)))
      | ((iif(NEW.v24 is not NEW.v25 or NEW.d12, 4096, 0) | iif(NEW.v26 is not NEW.v27 or NEW.d13, 8192, 0))
        | (iif(NEW.v28 is not NEW.v29 or NEW.d14, 16384, 0) | iif(NEW.v30 is not NEW.v31 or NEW.d15, 32768, 0)))),
    case when NEW.v0 is not NEW.v1 or NEW.d0 then NEW.v0 end, case when NEW.v0 is not NEW.v1 or NEW.d0 then NEW.v1 end,
    case when NEW.v2 is not NEW.v3 or NEW.d1 then NEW.v2 end, case when NEW.v2 is not NEW.v3 or NEW.d1 then NEW.v3 end,
    case when NEW.v4 is not NEW.v5 or NEW.d2 then NEW.v4 end, case when NEW.v4 is not NEW.v5 or NEW.d2 then NEW.v5 end,
    case when NEW.v6 is not NEW.v7 or NEW.d3 then NEW.v6 end, case when NEW.v6 is not NEW.v7 or NEW.d3 then NEW.v7 end,
    case when NEW.v8 is not NEW.v9 or NEW.d4 then NEW.v8 end, case when NEW.v8 is not NEW.v9 or NEW.d4 then NEW.v9 end,
    case when NEW.v10 is not NEW.v11 or NEW.d5 then NEW.v10 end, case when NEW.v10 is not NEW.v11 or NEW.d5 then NEW.v11 end,
    case when NEW.v12 is not NEW.v13 or NEW.d6 then NEW.v12 end, case when NEW.v12 is not NEW.v13 or NEW.d6 then NEW.v13 end,
    case when NEW.v14 is not NEW.v15 or NEW.d7 then NEW.v14 end, case when NEW.v14 is not NEW.v15 or NEW.d7 then NEW.v15 end,
    case when NEW.v16 is not NEW.v17 or NEW.d8 then NEW.v16 end, case when NEW.v16 is not NEW.v17 or NEW.d8 then NEW.v17 end,
    case when NEW.v18 is not NEW.v19 or NEW.d9 then NEW.v18 end, case when NEW.v18 is not NEW.v19 or NEW.d9 then NEW.v19 end,
    case when NEW.v20 is not NEW.v21 or NEW.d10 then NEW.v20 end, case when NEW.v20 is not NEW.v21 or NEW.d10 then NEW.v21 end,
    case when NEW.v22 is not NEW.v23 or NEW.d11 then NEW.v22 end, case when NEW.v22 is not NEW.v23 or NEW.d11 then NEW.v23 end,
    case when NEW.v24 is not NEW.v25 or NEW.d12 then NEW.v24 end, case when NEW.v24 is not NEW.v25 or NEW.d12 then NEW.v25 end,
    case when NEW.v26 is not NEW.v27 or NEW.d13 then NEW.v26 end, case when NEW.v26 is not NEW.v27 or NEW.d13 then NEW.v27 end,
    case when NEW.v28 is not NEW.v29 or NEW.d14 then NEW.v28 end, case when NEW.v28 is not NEW.v29 or NEW.d14 then NEW.v29 end,
    case when NEW.v30 is not NEW.v31 or NEW.d15 then NEW.v30 end, case when NEW.v30 is not NEW.v31 or NEW.d15 then NEW.v31 end);
end;

-- insert into vestige_compare (…): any UPDATE of a row, 16 columns at a time; further parts come before part 0. Without
-- a shape it is not to be recorded: only rows that are kept for another statement follow it.
-- full: every column's new value is kept
-- wide: some part differs
-- loose, bit i: the storage class of column i can differ where the number is the same, or the sign of a zero
create view vestige_compare as
select *, null as part, null as keys, null as full, null as wide, null as identity,
  null as new_identity, null as loose
from vestige_change;

create trigger vestige_compare_row instead of insert on vestige_compare
begin
  update vestige_replaced
  set identity = coalesce(NEW.new_identity, NEW.new_key),
    row_id = iif(row_id is null, null, coalesce(NEW.new_identity, NEW.new_key)),
    key = iif(NEW.keys, coalesce(NEW.new_key, NEW.key), NEW.new_key),
    v0 = NEW.v1, v1 = NEW.v3, v2 = NEW.v5, v3 = NEW.v7, v4 = NEW.v9, v5 = NEW.v11, v6 = NEW.v13, v7 = NEW.v15,
    v8 = NEW.v17, v9 = NEW.v19, v10 = NEW.v21, v11 = NEW.v23, v12 = NEW.v25, v13 = NEW.v27, v14 = NEW.v29,
    v15 = NEW.v31
  where tbl = NEW.tbl and part = coalesce(NEW.part, 0) and identity is coalesce(NEW.identity, NEW.key) and (
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
    is (
    NEW.v0, NEW.v2, NEW.v4, NEW.v6, NEW.v8, NEW.v10, NEW.v12, NEW.v14, NEW.v16, NEW.v18, NEW.v20, NEW.v22,
    NEW.v24, NEW.v26, NEW.v28, NEW.v30);
  insert into vestige_write (tbl, shape, op, seq, backward, row_id, key, new_key, part, keys, full, wide, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23,
    v24, v25, v26, v27, v28, v29, v30, v31)
  values (NEW.tbl, NEW.shape, 'U', total_changes() + 1, NEW.backward, NEW.row_id, NEW.key, NEW.new_key, NEW.part,
    NEW.keys, NEW.full, NEW.wide,
    ((((case when NEW.v0 is not NEW.v1 then 1 when NEW.loose & 1 is not 1 then 0 when typeof(NEW.v0) <> typeof(NEW.v1) then 1
      when typeof(NEW.v1) = 'real' then iif(NEW.v1 = 0.0, 1, 0) else 0 end
      | case when NEW.v2 is not NEW.v3 then 2 when NEW.loose & 2 is not 2 then 0 when typeof(NEW.v2) <> typeof(NEW.v3) then 2
      when typeof(NEW.v3) = 'real' then iif(NEW.v3 = 0.0, 2, 0) else 0 end)
      | (case when NEW.v4 is not NEW.v5 then 4 when NEW.loose & 4 is not 4 then 0 when typeof(NEW.v4) <> typeof(NEW.v5) then 4
      when typeof(NEW.v5) = 'real' then iif(NEW.v5 = 0.0, 4, 0) else 0 end
      | case when NEW.v6 is not NEW.v7 then 8 when NEW.loose & 8 is not 8 then 0 when typeof(NEW.v6) <> typeof(NEW.v7) then 8
      when typeof(NEW.v7) = 'real' then iif(NEW.v7 = 0.0, 8, 0) else 0 end))
      | ((case when NEW.v8 is not NEW.v9 then 16 when NEW.loose & 16 is not 16 then 0 when typeof(NEW.v8) <> typeof(NEW.v9) then 16
      when typeof(NEW.v9) = 'real' then iif(NEW.v9 = 0.0, 16, 0) else 0 end
      | case when NEW.v10 is not NEW.v11 then 32 when NEW.loose & 32 is not 32 then 0 when typeof(NEW.v10) <> typeof(NEW.v11) then 32
      when typeof(NEW.v11) = 'real' then iif(NEW.v11 = 0.0, 32, 0) else 0 end)
      | (case when NEW.v12 is not NEW.v13 then 64 when NEW.loose & 64 is not 64 then 0 when typeof(NEW.v12) <> typeof(NEW.v13) then 64
      when typeof(NEW.v13) = 'real' then iif(NEW.v13 = 0.0, 64, 0) else 0 end
      | case when NEW.v14 is not NEW.v15 then 128 when NEW.loose & 128 is not 128 then 0 when typeof(NEW.v14) <> typeof(NEW.v15) then 128
      when typeof(NEW.v15) = 'real' then iif(NEW.v15 = 0.0, 128, 0) else 0 end)))
      | (((case when NEW.v16 is not NEW.v17 then 256 when NEW.loose & 256 is not 256 then 0 when typeof(NEW.v16) <> typeof(NEW.v17) then 256
      when typeof(NEW.v17) = 'real' then iif(NEW.v17 = 0.0, 256, 0) else 0 end
      | case when NEW.v18 is not NEW.v19 then 512 when NEW.loose & 512 is not 512 then 0 when typeof(NEW.v18) <> typeof(NEW.v19) then 512
      when typeof(NEW.v19) = 'real' then iif(NEW.v19 = 0.0, 512, 0) else 0 end)
      | (case when NEW.v20 is not NEW.v21 then 1024 when NEW.loose & 1024 is not 1024 then 0 when typeof(NEW.v20) <> typeof(NEW.v21) then 1024
      when typeof(NEW.v21) = 'real' then iif(NEW.v21 = 0.0, 1024, 0) else 0 end
      | case when NEW.v22 is not NEW.v23 then 2048 when NEW.loose & 2048 is not 2048 then 0 when typeof(NEW.v22) <> typeof(NEW.v23) then 2048
      when typeof(NEW.v23) = 'real' then iif(NEW.v23 = 0.0, 2048, 0) else 0 end))
      | ((case when NEW.v24 is not NEW.v25 then 4096 when NEW.loose & 4096 is not 4096 then 0 when typeof(NEW.v24) <> typeof(NEW.v25) then 4096
      when typeof(NEW.v25) = 'real' then iif(NEW.v25 = 0.0, 4096, 0) else 0 end
      | case when NEW.v26 is not NEW.v27 then 8192 when NEW.loose & 8192 is not 8192 then 0 when typeof(NEW.v26) <> typeof(NEW.v27) then 8192
      when typeof(NEW.v27) = 'real' then iif(NEW.v27 = 0.0, 8192, 0) else 0 end)
      | (case when NEW.v28 is not NEW.v29 then 16384 when NEW.loose & 16384 is not 16384 then 0 when typeof(NEW.v28) <> typeof(NEW.v29) then 16384
      when typeof(NEW.v29) = 'real' then iif(NEW.v29 = 0.0, 16384, 0) else 0 end
      | case when NEW.v30 is not NEW.v31 then 32768 when NEW.loose & 32768 is not 32768 then 0 when typeof(NEW.v30) <> typeof(NEW.v31) then 32768
      when typeof(NEW.v31) = 'real' then iif(NEW.v31 = 0.0, 32768, 0) else 0 end)))),
    NEW.v0, NEW.v1, NEW.v2, NEW.v3, NEW.v4, NEW.v5, NEW.v6, NEW.v7, NEW.v8, NEW.v9, NEW.v10, NEW.v11, NEW.v12,
    NEW.v13, NEW.v14, NEW.v15, NEW.v16, NEW.v17, NEW.v18, NEW.v19, NEW.v20, NEW.v21, NEW.v22, NEW.v23, NEW.v24,
    NEW.v25, NEW.v26, NEW.v27, NEW.v28, NEW.v29, NEW.v30, NEW.v31);
end;

-- insert into vestige_write (…): a change, or with `part` one of its further rows of slots, which come first. Bit i of changed
-- says that slots 2i and 2i+1 differ, and nothing is written where none do; `whole`: all slots are kept. Where its seq is
-- null, the next change belongs to the same transaction.
create view vestige_write as
select *, null as part, null as keys, null as full, null as wide, null as whole
from vestige_change;

create trigger vestige_write_change instead of insert on vestige_write
when NEW.part is null and (NEW.whole or NEW.shape and (NEW.wide or NEW.changed))
begin
  insert into vestige_change (tbl, shape, op, at, seq, tx, context, backward, row_id, key, new_key, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23,
    v24, v25, v26, v27, v28, v29, v30, v31)
  values (NEW.tbl, NEW.shape, NEW.op, (select now from vestige_clock), NEW.seq, coalesce((select tx from vestige_tx), 1),
    (select context from vestige_in_force), NEW.backward, NEW.row_id, NEW.key,
    case when NEW.changed & 1 or NEW.keys or NEW.whole then NEW.new_key end, NEW.changed,
    case when NEW.changed & 1 or NEW.whole then NEW.v0 end, case when NEW.changed & 1 or NEW.full then NEW.v1 end,
    case when NEW.changed & 2 or NEW.whole then NEW.v2 end, case when NEW.changed & 2 or NEW.full then NEW.v3 end,
    case when NEW.changed & 4 or NEW.whole then NEW.v4 end, case when NEW.changed & 4 or NEW.full then NEW.v5 end,
    case when NEW.changed & 8 or NEW.whole then NEW.v6 end, case when NEW.changed & 8 or NEW.full then NEW.v7 end,
    case when NEW.changed & 16 or NEW.whole then NEW.v8 end, case when NEW.changed & 16 or NEW.full then NEW.v9 end,
    case when NEW.changed & 32 or NEW.whole then NEW.v10 end, case when NEW.changed & 32 or NEW.full then NEW.v11 end,
    case when NEW.changed & 64 or NEW.whole then NEW.v12 end, case when NEW.changed & 64 or NEW.full then NEW.v13 end,
    case when NEW.changed & 128 or NEW.whole then NEW.v14 end, case when NEW.changed & 128 or NEW.full then NEW.v15 end,
    case when NEW.changed & 256 or NEW.whole then NEW.v16 end, case when NEW.changed & 256 or NEW.full then NEW.v17 end,
    case when NEW.changed & 512 or NEW.whole then NEW.v18 end, case when NEW.changed & 512 or NEW.full then NEW.v19 end,
    case when NEW.changed & 1024 or NEW.whole then NEW.v20 end, case when NEW.changed & 1024 or NEW.full then NEW.v21 end,
    case when NEW.changed & 2048 or NEW.whole then NEW.v22 end, case when NEW.changed & 2048 or NEW.full then NEW.v23 end,
    case when NEW.changed & 4096 or NEW.whole then NEW.v24 end, case when NEW.changed & 4096 or NEW.full then NEW.v25 end,
    case when NEW.changed & 8192 or NEW.whole then NEW.v26 end, case when NEW.changed & 8192 or NEW.full then NEW.v27 end,
    case when NEW.changed & 16384 or NEW.whole then NEW.v28 end, case when NEW.changed & 16384 or NEW.full then NEW.v29 end,
    case when NEW.changed & 32768 or NEW.whole then NEW.v30 end, case when NEW.changed & 32768 or NEW.full then NEW.v31 end);
end;

create trigger vestige_write_part instead of insert on vestige_write
when NEW.part > 0 and (NEW.whole or NEW.shape and (NEW.wide or NEW.changed))
begin
  insert into vestige_more (change, part, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22, v23,
    v24, v25, v26, v27, v28, v29, v30, v31)
  values ((select id from vestige_next), NEW.part, NEW.changed,
    case when NEW.changed & 1 or NEW.whole then NEW.v0 end, case when NEW.changed & 1 or NEW.full then NEW.v1 end,
    case when NEW.changed & 2 or NEW.whole then NEW.v2 end, case when NEW.changed & 2 or NEW.full then NEW.v3 end,
    case when NEW.changed & 4 or NEW.whole then NEW.v4 end, case when NEW.changed & 4 or NEW.full then NEW.v5 end,
    case when NEW.changed & 8 or NEW.whole then NEW.v6 end, case when NEW.changed & 8 or NEW.full then NEW.v7 end,
    case when NEW.changed & 16 or NEW.whole then NEW.v8 end, case when NEW.changed & 16 or NEW.full then NEW.v9 end,
    case when NEW.changed & 32 or NEW.whole then NEW.v10 end, case when NEW.changed & 32 or NEW.full then NEW.v11 end,
    case when NEW.changed & 64 or NEW.whole then NEW.v12 end, case when NEW.changed & 64 or NEW.full then NEW.v13 end,
    case when NEW.changed & 128 or NEW.whole then NEW.v14 end, case when NEW.changed & 128 or NEW.full then NEW.v15 end,
    case when NEW.changed & 256 or NEW.whole then NEW.v16 end, case when NEW.changed & 256 or NEW.full then NEW.v17 end,
    case when NEW.changed & 512 or NEW.whole then NEW.v18 end, case when NEW.changed & 512 or NEW.full then NEW.v19 end,
    case when NEW.changed & 1024 or NEW.whole then NEW.v20 end, case when NEW.changed & 1024 or NEW.full then NEW.v21 end,
    case when NEW.changed & 2048 or NEW.whole then NEW.v22 end, case when NEW.changed & 2048 or NEW.full then NEW.v23 end,
    case when NEW.changed & 4096 or NEW.whole then NEW.v24 end, case when NEW.changed & 4096 or NEW.full then NEW.v25 end,
    case when NEW.changed & 8192 or NEW.whole then NEW.v26 end, case when NEW.changed & 8192 or NEW.full then NEW.v27 end,
    case when NEW.changed & 16384 or NEW.whole then NEW.v28 end, case when NEW.changed & 16384 or NEW.full then NEW.v29 end,
    case when NEW.changed & 32768 or NEW.whole then NEW.v30 end, case when NEW.changed & 32768 or NEW.full then NEW.v31 end);
end;

-- UNION, because a key that becomes an equal one, 1.0, is one entry: OR IGNORE is whatever the statement says.
create trigger vestige_change_run after insert on vestige_change
when NEW.id & 511 = 0 or NEW.backward = 0
begin
  insert or ignore into vestige_key (run, tbl, key, id)
  select (NEW.id + 16383) >> 14, tbl, key, id
  from vestige_change
  where NEW.id & 511 = 0 and id > NEW.id - 512 and id <= NEW.id and key is not null
  union
  select (NEW.id + 16383) >> 14, tbl, new_key, id
  from vestige_change
  where NEW.id & 511 = 0 and id > NEW.id - 512 and id <= NEW.id and new_key is not null
  order by 2, 3, 4;
  insert or ignore into vestige_who (actor, block)
  select distinct x.actor, c.block
  from (
    select distinct context, id - 1 >> 6 as block
    from vestige_change
    where NEW.id & 511 = 0 and id > NEW.id - 512 and id <= NEW.id) as c
  join vestige_context as x on x.id = c.context
  where x.actor is not null;
  insert into vestige_late (change) values (iif(NEW.backward = 0, NEW.id, null));
end;
