-- How the trail of an SQLite database puts changes in order that SQLite shows its triggers late or not at
-- all: rows that a REPLACE removed, and changes that led to others which were recorded before them.
--
-- in      what install.sql and capture.sql make, in the same transaction
-- out     triggers of vestige_replaced, and views to which the capture triggers insert

-- insert into vestige_clear (tbl, keeper) values (…): what is still kept for that row stands, or is old. Forget it.
create view vestige_clear as select null as tbl, null as keeper;

create trigger vestige_clear_kept instead of insert on vestige_clear
begin
  update vestige_replaced set part = -2 where tbl = NEW.tbl and part = 0
    and (keeper is NEW.keeper or at <> (select now from vestige_clock));
  delete from vestige_replaced where tbl = NEW.tbl
    and (keeper is NEW.keeper or at <> (select now from vestige_clock));
end;

-- insert into vestige_keep (…): a row that is in the way of another, or with `part` its columns from 32 * part on;
-- wide: more than 16 of them.
create view vestige_keep as
select *, null as keeper, null as identity, null as part, null as wide
from vestige_change;

create trigger vestige_keep_row instead of insert on vestige_keep
begin
  insert into vestige_replaced (tbl, shape, at, keeper, part, identity, row_id, key,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
  values (NEW.tbl, NEW.shape, (select now from vestige_clock), NEW.keeper, coalesce(NEW.part, 0) * 2,
    NEW.identity, NEW.row_id, NEW.key,
    NEW.v0, NEW.v1, NEW.v2, NEW.v3, NEW.v4, NEW.v5, NEW.v6, NEW.v7,
    NEW.v8, NEW.v9, NEW.v10, NEW.v11, NEW.v12, NEW.v13, NEW.v14, NEW.v15);
  insert into vestige_replaced (tbl, at, keeper, part, identity,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15)
  select NEW.tbl, (select now from vestige_clock), NEW.keeper, coalesce(NEW.part, 0) * 2 + 1, NEW.identity,
    NEW.v16, NEW.v17, NEW.v18, NEW.v19, NEW.v20, NEW.v21, NEW.v22, NEW.v23,
    NEW.v24, NEW.v25, NEW.v26, NEW.v27, NEW.v28, NEW.v29, NEW.v30, NEW.v31
  where NEW.wide;
end;

-- delete from vestige_replaced where part = 0 …: that row was removed: its DELETE is recorded, for whichever
-- row it was kept. Its seq is null: the next change belongs to the same transaction.
create trigger vestige_settle before delete on vestige_replaced
when OLD.part = 0 and OLD.at = (select now from vestige_clock)
begin
  insert into vestige_write (tbl, shape, op, backward, row_id, key, part, full, whole,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    r.tbl, r.shape, 'D', (select nullif(state, 0) from vestige_last), r.row_id, r.key, nullif(r.part / 2, 0), 1, 1,
    r.v0, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8, r.v9, r.v10, r.v11, r.v12, r.v13, r.v14, r.v15,
    s.v0, s.v1, s.v2, s.v3, s.v4, s.v5, s.v6, s.v7, s.v8, s.v9, s.v10, s.v11, s.v12, s.v13, s.v14, s.v15
  from vestige_replaced as r
  left join vestige_replaced as s
    on (s.tbl = r.tbl and s.part = r.part + 1) and (s.keeper is r.keeper and s.identity is r.identity)
  where (r.tbl = OLD.tbl and r.part >= 0 and r.part & 1 = 0)
    and (r.keeper is OLD.keeper and r.identity is OLD.identity)
  order by r.part desc;
  update vestige_replaced
  set part = -2
  where (tbl = OLD.tbl and part = 0) and identity is OLD.identity and (v0, v1, v2) is (OLD.v0, OLD.v1, OLD.v2);
end;

-- insert into vestige_gone (row) …: that row of vestige_replaced was removed, as above. For conditions that would be too deep in
-- a DELETE.
create view vestige_gone as select null as row;

create trigger vestige_gone_row instead of insert on vestige_gone
begin
  delete from vestige_replaced where rowid = NEW.row;
end;

-- insert into vestige_late (change) values (…): that change, the last one, happened before some that
-- were recorded before it: the row was changed again before its capture trigger came to its turn, by a
-- trigger of the application that is newer than capture's, or by a foreign key of the row to itself. It takes
-- its place before the first of those, and they move up; null: nothing to do. The changes just before it
-- whose seq is null (rows that it replaced) go with it: a block.
--
-- The place is before the latest change of the row in this millisecond to which the late one can lead, when
-- the row's change before that (if any) can lead to the late one, and does not just take it back. A row that
-- gets a key has nothing before it under that key, or what gave the key free (a DELETE, a change of key); so has
-- any other change of a row whose INSERT has yet to come.
create view vestige_late as select null as change;
create view vestige_late_now as
select null as change, null as first, null as tx, null as block;

create trigger vestige_late_some instead of insert on vestige_late
when NEW.change is not null
begin
  insert into vestige_late_now (change, block, first, tx)
  select NEW.change, b.block, max(f.id), f.tx
  from (
    select coalesce(max(id), 0) + 1 as block
    from vestige_change
    where id < NEW.change and seq is not null) as b
  left join (
    select id, tx, same and (x_op = 'I') = (o_op = 'D') and may_lead as may_lead,
      first or y_op = 'D' or by_key and freed or iif(by_key and moves, again, (o_op <> 'I' or again) and follows)
        as may_follow
    from (
    select *, x_op <> 'U' or o_op <> 'U' or not leads_not as may_lead,
      y_op <> 'U' or o_op <> 'U' or not follows_not and (common or not common_before or takes_back_not) as follows
    from (
    select
      x.id, x.tx, x.op as x_op, y.op as y_op, o.op as o_op, o.row_id is null as by_key,
      o.new_key is not null as moves, a.again, y.id is null as first, max(y.id) as before,
      coalesce(y.new_key <> o.key_then, false) as freed,
      x.changed & o.changed as common, y.changed & o.changed as common_before,
      o.row_id is not null or x.key is o.key_then as same,
      (((x.v0 is not o.v1 and x.changed & o.changed & 1 or x.v2 is not o.v3 and x.changed & o.changed & 2)
            or (x.v4 is not o.v5 and x.changed & o.changed & 4 or x.v6 is not o.v7 and x.changed & o.changed & 8))
          or ((x.v8 is not o.v9 and x.changed & o.changed & 16 or x.v10 is not o.v11 and x.changed & o.changed & 32)
            or (x.v12 is not o.v13 and x.changed & o.changed & 64 or x.v14 is not o.v15 and x.changed & o.changed & 128)))
        or (((x.v16 is not o.v17 and x.changed & o.changed & 256 or x.v18 is not o.v19 and x.changed & o.changed & 512)
            or (x.v20 is not o.v21 and x.changed & o.changed & 1024 or x.v22 is not o.v23 and x.changed & o.changed & 2048))
          or ((x.v24 is not o.v25 and x.changed & o.changed & 4096 or x.v26 is not o.v27 and x.changed & o.changed & 8192)
            or (x.v28 is not o.v29 and x.changed & o.changed & 16384 or x.v30 is not o.v31 and x.changed & o.changed & 32768))) as leads_not,
      (((y.v1 is not o.v0 and y.changed & o.changed & 1 or y.v3 is not o.v2 and y.changed & o.changed & 2)
            or (y.v5 is not o.v4 and y.changed & o.changed & 4 or y.v7 is not o.v6 and y.changed & o.changed & 8))
          or ((y.v9 is not o.v8 and y.changed & o.changed & 16 or y.v11 is not o.v10 and y.changed & o.changed & 32)
            or (y.v13 is not o.v12 and y.changed & o.changed & 64 or y.v15 is not o.v14 and y.changed & o.changed & 128)))
        or (((y.v17 is not o.v16 and y.changed & o.changed & 256 or y.v19 is not o.v18 and y.changed & o.changed & 512)
            or (y.v21 is not o.v20 and y.changed & o.changed & 1024 or y.v23 is not o.v22 and y.changed & o.changed & 2048))
          or ((y.v25 is not o.v24 and y.changed & o.changed & 4096 or y.v27 is not o.v26 and y.changed & o.changed & 8192)
            or (y.v29 is not o.v28 and y.changed & o.changed & 16384 or y.v31 is not o.v30 and y.changed & o.changed & 32768))) as follows_not,
      (((y.v0 is not o.v1 and y.changed & o.changed & 1 or y.v2 is not o.v3 and y.changed & o.changed & 2)
            or (y.v4 is not o.v5 and y.changed & o.changed & 4 or y.v6 is not o.v7 and y.changed & o.changed & 8))
          or ((y.v8 is not o.v9 and y.changed & o.changed & 16 or y.v10 is not o.v11 and y.changed & o.changed & 32)
            or (y.v12 is not o.v13 and y.changed & o.changed & 64 or y.v14 is not o.v15 and y.changed & o.changed & 128)))
        or (((y.v16 is not o.v17 and y.changed & o.changed & 256 or y.v18 is not o.v19 and y.changed & o.changed & 512)
            or (y.v20 is not o.v21 and y.changed & o.changed & 1024 or y.v22 is not o.v23 and y.changed & o.changed & 2048))
          or ((y.v24 is not o.v25 and y.changed & o.changed & 4096 or y.v26 is not o.v27 and y.changed & o.changed & 8192)
            or (y.v28 is not o.v29 and y.changed & o.changed & 16384 or y.v30 is not o.v31 and y.changed & o.changed & 32768))) as takes_back_not
    from (
      select id, tbl, at, op, row_id, new_key, changed, coalesce(new_key, key) as key_then,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31
      from vestige_change
      where id = NEW.change) as o
    join (
      select count(d.id) as again
      from vestige_change as i
      left join vestige_change as d
        on (d.id < i.id and d.id > i.id - 8) and (d.seq is null and d.op = 'D')
        and (d.tbl = i.tbl and d.row_id is i.row_id)
        and (i.row_id is not null or d.key is coalesce(i.new_key, i.key))
      where i.id = NEW.change) as a
    join vestige_change as x
      on (x.id < o.id and x.id > o.id - 4096) and ((x.tbl = o.tbl and x.at = o.at) and x.row_id is o.row_id)
    left join vestige_change as y
      on (y.id < x.id and y.id > o.id - 4096) and ((y.tbl = o.tbl and y.at = o.at) and y.row_id is o.row_id)
      and (o.row_id is not null or o.key_then in (y.key, coalesce(y.new_key, y.key)))
    group by x.id))) as f on f.may_lead and f.may_follow and f.id < b.block;
end;

-- Ids move by way of their negatives, so that no two are ever the same. OR IGNORE, because a statement
-- that may fail keeps a statement journal.
create trigger vestige_late_one instead of insert on vestige_late_now
begin
  delete from vestige_key
  where run between (NEW.first + 16383) >> 14 and NEW.change >> 9 and id >= NEW.first;
  update or ignore vestige_change set id = -id where id >= NEW.first;
  update or ignore vestige_more
  set change = iif(change < NEW.block, 1 + NEW.change, NEW.first) + change - NEW.block
  where change >= NEW.first;
  insert or ignore into vestige_key (run, tbl, key, id)
  select distinct (n + 16383) >> 14, tbl, iif(side, new_key, key), n
  from (
    select
      iif(-id < NEW.block, 1 + NEW.change, NEW.first) - id - NEW.block as n, tbl, key, new_key
    from vestige_change
    where id < 0)
  join (select 0 as side union all select 1)
  where n <= NEW.change >> 9 << 9 and iif(side, new_key, key) is not null;
  update or ignore vestige_change
  set
    id = iif(id > 0, id, iif(-id < NEW.block, 1 + NEW.change, NEW.first) - id - NEW.block),
    tx = coalesce(NEW.tx, tx),
    seq = -1,
    backward = iif(backward > 0, backward, null)
  where id < 0 or id = iif(NEW.first is null, NEW.change, null);
  insert or ignore into vestige_who (actor, block)
  select distinct n.actor, n.block
  from (
    select x.actor, c.id - 1 >> 6 as block
    from vestige_change as c
    join vestige_context as x on x.id = c.context
    where (c.id >= NEW.first and c.id <= NEW.change >> 9 << 9) and x.actor is not null) as n
  left join vestige_who as w on w.actor = n.actor and w.block = n.block
  where w.block is null;
end;

-- insert into vestige_put_back (row, key) values (…): UPDATE OR REPLACE removed rows; that changed, by
-- foreign keys, the very row that it was about to write, and it wrote that row as it had been before. What
-- was recorded of the row meanwhile is taken back by as many changes, newest first; null: nothing to do.
-- row, key: its part -1 of vestige_replaced, and the key that it had
create view vestige_put_back as select null as row, null as key;

create trigger vestige_put_back_some instead of insert on vestige_put_back
when NEW.row is not null
begin
  insert into vestige_more (change, part, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select (select id from vestige_next) + p.place - 1, x.part, x.changed,
    x.v1, x.v0, x.v3, x.v2, x.v5, x.v4, x.v7, x.v6, x.v9, x.v8, x.v11, x.v10, x.v13, x.v12, x.v15, x.v14,
    x.v17, x.v16, x.v19, x.v18, x.v21, x.v20, x.v23, x.v22, x.v25, x.v24, x.v27, x.v26, x.v29, x.v28, x.v31,
    x.v30
  from (
    select c.id, row_number() over (order by c.id desc) as place
    from (select * from vestige_replaced where rowid = NEW.row) as r
    join vestige_change as c on ((c.id > r.since and c.tbl = r.tbl) and (c.at = r.at and c.op = 'U'))
      and iif(c.row_id is null, c.key is NEW.key, c.row_id is r.keeper)) as p
  join vestige_more as x on x.change = p.id;
  insert into vestige_write (tbl, shape, op, row_id, key, new_key, changed, full, whole,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19, v20, v21, v22,
    v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    x.tbl, x.shape, 'U', x.row_id, coalesce(x.new_key, x.key), iif(x.new_key is null, null, x.key), x.changed, 1, 1,
    x.v1, x.v0, x.v3, x.v2, x.v5, x.v4, x.v7, x.v6, x.v9, x.v8, x.v11, x.v10, x.v13, x.v12, x.v15, x.v14,
    x.v17, x.v16, x.v19, x.v18, x.v21, x.v20, x.v23, x.v22, x.v25, x.v24, x.v27, x.v26, x.v29, x.v28, x.v31,
    x.v30
  from (select * from vestige_replaced where rowid = NEW.row) as r
  join vestige_change as x on ((x.id > r.since and x.tbl = r.tbl) and (x.at = r.at and x.op = 'U'))
    and iif(x.row_id is null, x.key is NEW.key, x.row_id is r.keeper)
  order by x.id desc;
end;
