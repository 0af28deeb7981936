-- How the trail of an SQLite database puts changes in order that SQLite shows its triggers late or not at
-- all: rows that a REPLACE removed, and changes that led to others which were recorded before them.
--
-- in      what install.sql makes, in the same transaction
-- out     views to which the capture triggers insert (vestige/trail/capture*.cc)

-- insert into vestige_settle (row) values (…): the row of vestige_replaced with that rowid was removed:
-- record its DELETE and forget it, for whichever row it was kept; null: nothing to do. A row that has taken its
-- place meanwhile and is kept too is told from it by two columns: every statement compiles this.
-- A view, because an INSERT into it costs next to nothing when there is nothing to settle. A null seq says that the next change belongs to the same transaction; the rule
-- for tx is that of Writer::tx in capture.cc (docs/sqlite.md, "Transactions").
create view vestige_settle as select null as row;
create view vestige_settle_now as select null as row;

create trigger vestige_settle_some instead of insert on vestige_settle
when NEW.row is not null
begin
  insert into vestige_settle_now (row) values (NEW.row);
end;

create trigger vestige_settle_one instead of insert on vestige_settle_now
begin
  insert into vestige_change (
    tbl, shape, op, at, seq, tx, context, backward, row_id, key,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19,
    v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    r.tbl, r.shape, 'D', cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer), null,
    coalesce((
      select case
        when u.context is not null then iif(c.context >= u.scope, c.tx, c.id + 1)
        when c.context is null
          and c.at = cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer)
          and (c.seq is null or c.seq >= r.seq) then c.tx
        else c.id + 1
        end
      from vestige_change as c
      left join vestige_current as u
        on u.expires > cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer)
        and u.seq <= total_changes()
      order by c.id desc limit 1), 1),
    (select context from vestige_current
      where expires > cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer)
      and seq <= total_changes()),
    (select iif(at > cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer), 1, null)
      from vestige_change order by id desc limit 1),
    r.row_id, r.key,
    r.v0, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8, r.v9, r.v10, r.v11, r.v12, r.v13,
    r.v14, r.v15, r.v16, r.v17, r.v18, r.v19, r.v20, r.v21, r.v22, r.v23, r.v24, r.v25, r.v26,
    r.v27, r.v28, r.v29, r.v30, r.v31
  from vestige_replaced as r
  where r.rowid = NEW.row;
  insert into vestige_more (
    change, part,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19,
    v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    (select max(id) from vestige_change), r.part,
    r.v0, r.v1, r.v2, r.v3, r.v4, r.v5, r.v6, r.v7, r.v8, r.v9, r.v10, r.v11, r.v12, r.v13,
    r.v14, r.v15, r.v16, r.v17, r.v18, r.v19, r.v20, r.v21, r.v22, r.v23, r.v24, r.v25, r.v26,
    r.v27, r.v28, r.v29, r.v30, r.v31
  from vestige_replaced as r
  join vestige_replaced as p on p.rowid = NEW.row
  where r.tbl = p.tbl
    and r.keeper is p.keeper
    and r.identity is p.identity
    and r.part > 0;
  delete from vestige_replaced
  where rowid in (
    select r.rowid
    from vestige_replaced as r
    join vestige_replaced as p on p.rowid = NEW.row
    where r.tbl = p.tbl
      and r.identity is p.identity
      and (r.keeper is p.keeper or r.part = 0 and r.v1 is p.v1 and r.v2 is p.v2));
end;

-- insert into vestige_late (change, rest) values (…): that change, the last one, happened before some that
-- were recorded before it: the row was changed again before its capture trigger came to its turn, by a
-- trigger of the application that is newer than capture's, or by a foreign key of the row to itself. It takes
-- its place before the first of those, and they move up; null: nothing to do. The changes just before it
-- whose seq is null (rows that it replaced) go with it: a block.
-- rest: how much total_changes() will still grow until the capture trigger ends
--
-- The place is before the latest change of the row in this millisecond to which the late one can lead, when
-- the row's change before that (if any) can lead to the late one, and does not just take it back. A row that
-- gets a key has nothing before it under that key, or what gave the key free (a DELETE, a change of key); so has
-- any other change of a row whose INSERT has yet to come. Every statement that writes a tracked table compiles
-- this: it is as short as can be.
create view vestige_late as select null as change, null as rest;
create view vestige_late_parts as select null as change, null as block;
create view vestige_late_now as
select null as change, null as first, null as rest, null as tx, null as block;

create trigger vestige_late_some instead of insert on vestige_late
when NEW.change is not null
begin
  insert into vestige_late_now (change, first, rest, tx, block)
  select o.id, x.id, NEW.rest, x.tx, o.block
  from (
    select *, coalesce(new_key, key) as key_then, coalesce((
        select c.id + 1
        from vestige_change as c
        where c.id < NEW.change and c.seq is not null
        order by c.id desc limit 1), 1) as block,
      exists (
        select 1
        from vestige_change as d
        where d.id < i.id and d.id > i.id - 8 and d.seq is null and d.op = 'D'
          and d.tbl = i.tbl and d.row_id is i.row_id
          and (i.row_id is not null or d.key is coalesce(i.new_key, i.key))) as again
    from vestige_change as i
    where id = NEW.change) as o
  left join vestige_change as x on x.id = (
    select x.id
    from vestige_change as x
    where x.id < o.block and x.id > o.id - 4096
      and x.tbl = o.tbl and x.at = o.at and x.row_id is o.row_id
      and (o.row_id is not null or x.key is o.key_then)
      and (x.op = 'I') = (o.op = 'D')
      and (x.op <> 'U' or o.op <> 'U' or not (
        x.v0 is not o.v1 and x.changed & o.changed & 1
        or x.v2 is not o.v3 and x.changed & o.changed & 2
        or x.v4 is not o.v5 and x.changed & o.changed & 4
        or x.v6 is not o.v7 and x.changed & o.changed & 8
        or x.v8 is not o.v9 and x.changed & o.changed & 16
        or x.v10 is not o.v11 and x.changed & o.changed & 32
        or x.v12 is not o.v13 and x.changed & o.changed & 64
        or x.v14 is not o.v15 and x.changed & o.changed & 128
        or x.v16 is not o.v17 and x.changed & o.changed & 256
        or x.v18 is not o.v19 and x.changed & o.changed & 512
        or x.v20 is not o.v21 and x.changed & o.changed & 1024
        or x.v22 is not o.v23 and x.changed & o.changed & 2048
        or x.v24 is not o.v25 and x.changed & o.changed & 4096
        or x.v26 is not o.v27 and x.changed & o.changed & 8192
        or x.v28 is not o.v29 and x.changed & o.changed & 16384
        or x.v30 is not o.v31 and x.changed & o.changed & 32768))
      and coalesce((
        select y.op = 'D'
          or o.row_id is null and coalesce(y.new_key <> o.key_then, false)
          or iif(o.row_id is null and o.new_key is not null, o.again, (o.op <> 'I' or o.again)
            and (y.op <> 'U' or o.op <> 'U' or not (
              y.v1 is not o.v0 and y.changed & o.changed & 1
              or y.v3 is not o.v2 and y.changed & o.changed & 2
              or y.v5 is not o.v4 and y.changed & o.changed & 4
              or y.v7 is not o.v6 and y.changed & o.changed & 8
              or y.v9 is not o.v8 and y.changed & o.changed & 16
              or y.v11 is not o.v10 and y.changed & o.changed & 32
              or y.v13 is not o.v12 and y.changed & o.changed & 64
              or y.v15 is not o.v14 and y.changed & o.changed & 128
              or y.v17 is not o.v16 and y.changed & o.changed & 256
              or y.v19 is not o.v18 and y.changed & o.changed & 512
              or y.v21 is not o.v20 and y.changed & o.changed & 1024
              or y.v23 is not o.v22 and y.changed & o.changed & 2048
              or y.v25 is not o.v24 and y.changed & o.changed & 4096
              or y.v27 is not o.v26 and y.changed & o.changed & 8192
              or y.v29 is not o.v28 and y.changed & o.changed & 16384
              or y.v31 is not o.v30 and y.changed & o.changed & 32768)
              and (x.changed & o.changed or not y.changed & o.changed
                or y.v0 is not o.v1 and y.changed & o.changed & 1
                or y.v2 is not o.v3 and y.changed & o.changed & 2
                or y.v4 is not o.v5 and y.changed & o.changed & 4
                or y.v6 is not o.v7 and y.changed & o.changed & 8
                or y.v8 is not o.v9 and y.changed & o.changed & 16
                or y.v10 is not o.v11 and y.changed & o.changed & 32
                or y.v12 is not o.v13 and y.changed & o.changed & 64
                or y.v14 is not o.v15 and y.changed & o.changed & 128
                or y.v16 is not o.v17 and y.changed & o.changed & 256
                or y.v18 is not o.v19 and y.changed & o.changed & 512
                or y.v20 is not o.v21 and y.changed & o.changed & 1024
                or y.v22 is not o.v23 and y.changed & o.changed & 2048
                or y.v24 is not o.v25 and y.changed & o.changed & 4096
                or y.v26 is not o.v27 and y.changed & o.changed & 8192
                or y.v28 is not o.v29 and y.changed & o.changed & 16384
                or y.v30 is not o.v31 and y.changed & o.changed & 32768)))
        from vestige_change as y
        where y.id < x.id and y.id > o.id - 4096
          and y.tbl = o.tbl and y.at = o.at and y.row_id is o.row_id
          and (o.row_id is not null
            or y.key is o.key_then or coalesce(y.new_key, y.key) is o.key_then)
        order by y.id desc limit 1), true)
    order by x.id desc limit 1);
end;

-- Ids move by way of their negatives, so that no two are ever the same. OR IGNORE, because a statement
-- that may fail keeps a statement journal.
create trigger vestige_late_one instead of insert on vestige_late_now
begin
  delete from vestige_key
  where run between (NEW.first + 16383) >> 14 and NEW.change >> 9 and id >= NEW.first;
  update or ignore vestige_change set id = -id where id >= NEW.first;
  insert or ignore into vestige_key (run, tbl, key, id)
  select (n + 16383) >> 14, tbl, iif(side, new_key, key), n
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
    seq = NEW.rest + total_changes() + coalesce(NEW.change - NEW.first, 0) + 1,
    backward = iif(backward = -1, -2, iif(backward > 0, backward, null))
  where id < 0 or id = iif(NEW.first is null, NEW.change, null);
end;

-- The same for a change of several parts, when all are written; until they have moved, it is known by -2.
create trigger vestige_late_wide instead of insert on vestige_late_parts
when NEW.change is not null
begin
  insert into vestige_late (change, rest) values (NEW.change, 0);
  update or ignore vestige_more
  set change = change + iif(
    change < NEW.block,
    1 + NEW.change - NEW.block,
    (select id from vestige_change where backward = -2) - NEW.change)
  where change >= (select id from vestige_change where backward = -2) - NEW.change + NEW.block;
  update or ignore vestige_change set seq = total_changes() + 2 where id = NEW.change;
  update or ignore vestige_change set backward = null where backward = -2;
end;

-- insert into vestige_put_back (row, key) values (…): UPDATE OR REPLACE removed rows; that changed, by
-- foreign keys, the very row that it was about to write, and it wrote that row as it had been before. What
-- was recorded of the row meanwhile is taken back by as many changes, newest first; null: nothing to do.
-- row, key: its part -1 of vestige_replaced, and the key that it had
create view vestige_put_back as select null as row, null as key;

create trigger vestige_put_back_some instead of insert on vestige_put_back
when NEW.row is not null
begin
  insert into vestige_more (
    change, part, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19,
    v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    (select max(id) from vestige_change) + x.place, m.part, m.changed,
    iif(x.op = 'U', m.v1, m.v0), iif(x.op = 'U', m.v0, m.v1), iif(x.op = 'U', m.v3, m.v2),
    iif(x.op = 'U', m.v2, m.v3), iif(x.op = 'U', m.v5, m.v4), iif(x.op = 'U', m.v4, m.v5),
    iif(x.op = 'U', m.v7, m.v6), iif(x.op = 'U', m.v6, m.v7), iif(x.op = 'U', m.v9, m.v8),
    iif(x.op = 'U', m.v8, m.v9), iif(x.op = 'U', m.v11, m.v10), iif(x.op = 'U', m.v10, m.v11),
    iif(x.op = 'U', m.v13, m.v12), iif(x.op = 'U', m.v12, m.v13), iif(x.op = 'U', m.v15, m.v14),
    iif(x.op = 'U', m.v14, m.v15), iif(x.op = 'U', m.v17, m.v16), iif(x.op = 'U', m.v16, m.v17),
    iif(x.op = 'U', m.v19, m.v18), iif(x.op = 'U', m.v18, m.v19), iif(x.op = 'U', m.v21, m.v20),
    iif(x.op = 'U', m.v20, m.v21), iif(x.op = 'U', m.v23, m.v22), iif(x.op = 'U', m.v22, m.v23),
    iif(x.op = 'U', m.v25, m.v24), iif(x.op = 'U', m.v24, m.v25), iif(x.op = 'U', m.v27, m.v26),
    iif(x.op = 'U', m.v26, m.v27), iif(x.op = 'U', m.v29, m.v28), iif(x.op = 'U', m.v28, m.v29),
    iif(x.op = 'U', m.v31, m.v30), iif(x.op = 'U', m.v30, m.v31)
  from (
    select x.id, x.op, row_number() over (order by x.id desc) as place
    from vestige_replaced as r
    join vestige_change as x on x.id > coalesce(r.since, 0) and x.tbl = r.tbl and x.at = r.at
    where r.rowid = NEW.row
      and iif(x.row_id is null, x.key is NEW.key, x.row_id is r.keeper)) as x
  join vestige_more as m on m.change = x.id;
  insert into vestige_change (
    tbl, shape, op, at, seq, tx, context, backward, row_id, key, new_key, changed,
    v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12, v13, v14, v15, v16, v17, v18, v19,
    v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31)
  select
    x.tbl, x.shape, case x.op when 'D' then 'I' when 'I' then 'D' else 'U' end,
    x.at, null, x.tx, x.context, null, x.row_id,
    coalesce(x.new_key, x.key), iif(x.new_key is null, null, x.key), x.changed,
    iif(x.op = 'U', x.v1, x.v0), iif(x.op = 'U', x.v0, x.v1), iif(x.op = 'U', x.v3, x.v2),
    iif(x.op = 'U', x.v2, x.v3), iif(x.op = 'U', x.v5, x.v4), iif(x.op = 'U', x.v4, x.v5),
    iif(x.op = 'U', x.v7, x.v6), iif(x.op = 'U', x.v6, x.v7), iif(x.op = 'U', x.v9, x.v8),
    iif(x.op = 'U', x.v8, x.v9), iif(x.op = 'U', x.v11, x.v10), iif(x.op = 'U', x.v10, x.v11),
    iif(x.op = 'U', x.v13, x.v12), iif(x.op = 'U', x.v12, x.v13), iif(x.op = 'U', x.v15, x.v14),
    iif(x.op = 'U', x.v14, x.v15), iif(x.op = 'U', x.v17, x.v16), iif(x.op = 'U', x.v16, x.v17),
    iif(x.op = 'U', x.v19, x.v18), iif(x.op = 'U', x.v18, x.v19), iif(x.op = 'U', x.v21, x.v20),
    iif(x.op = 'U', x.v20, x.v21), iif(x.op = 'U', x.v23, x.v22), iif(x.op = 'U', x.v22, x.v23),
    iif(x.op = 'U', x.v25, x.v24), iif(x.op = 'U', x.v24, x.v25), iif(x.op = 'U', x.v27, x.v26),
    iif(x.op = 'U', x.v26, x.v27), iif(x.op = 'U', x.v29, x.v28), iif(x.op = 'U', x.v28, x.v29),
    iif(x.op = 'U', x.v31, x.v30), iif(x.op = 'U', x.v30, x.v31)
  from vestige_replaced as r
  join vestige_change as x on x.id > coalesce(r.since, 0) and x.tbl = r.tbl and x.at = r.at
  where r.rowid = NEW.row
    and iif(x.row_id is null, x.key is NEW.key, x.row_id is r.keeper)
  order by x.id desc;
end;
