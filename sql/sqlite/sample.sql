-- How large the recorded values of a table's changes are, from a sample of its changes.
--
-- in      ?1 the table's id; ?2 how many of its changes one of the sample stands for (1: every change)
-- out     one row: how many changes the sample has, and the bytes of their values (numbers as text)
-- cost    one pass over the table's part of the index; the values of the sample only. Which changes are
--         in it depends on a hash of the id, so that no rhythm of the writes can bend it

with sample as (
  select id
  from vestige_change indexed by vestige_change_key
  where tbl = ?1
    and ((id & 2147483647) * 2654435761 >> 20) % ?2 = 0
)
select
  count(*),
  coalesce(sum(
    (select
      coalesce(length(cast(c.v0 as blob)), 0) + coalesce(length(cast(c.v1 as blob)), 0)
      + coalesce(length(cast(c.v2 as blob)), 0) + coalesce(length(cast(c.v3 as blob)), 0)
      + coalesce(length(cast(c.v4 as blob)), 0) + coalesce(length(cast(c.v5 as blob)), 0)
      + coalesce(length(cast(c.v6 as blob)), 0) + coalesce(length(cast(c.v7 as blob)), 0)
      + coalesce(length(cast(c.v8 as blob)), 0) + coalesce(length(cast(c.v9 as blob)), 0)
      + coalesce(length(cast(c.v10 as blob)), 0) + coalesce(length(cast(c.v11 as blob)), 0)
      + coalesce(length(cast(c.v12 as blob)), 0) + coalesce(length(cast(c.v13 as blob)), 0)
      + coalesce(length(cast(c.v14 as blob)), 0) + coalesce(length(cast(c.v15 as blob)), 0)
      + coalesce(length(cast(c.v16 as blob)), 0) + coalesce(length(cast(c.v17 as blob)), 0)
      + coalesce(length(cast(c.v18 as blob)), 0) + coalesce(length(cast(c.v19 as blob)), 0)
      + coalesce(length(cast(c.v20 as blob)), 0) + coalesce(length(cast(c.v21 as blob)), 0)
      + coalesce(length(cast(c.v22 as blob)), 0) + coalesce(length(cast(c.v23 as blob)), 0)
      + coalesce(length(cast(c.v24 as blob)), 0) + coalesce(length(cast(c.v25 as blob)), 0)
      + coalesce(length(cast(c.v26 as blob)), 0) + coalesce(length(cast(c.v27 as blob)), 0)
      + coalesce(length(cast(c.v28 as blob)), 0) + coalesce(length(cast(c.v29 as blob)), 0)
      + coalesce(length(cast(c.v30 as blob)), 0) + coalesce(length(cast(c.v31 as blob)), 0)
    from vestige_change as c
    where c.id = s.id)
    + coalesce((select sum(
      coalesce(length(cast(m.v0 as blob)), 0) + coalesce(length(cast(m.v1 as blob)), 0)
      + coalesce(length(cast(m.v2 as blob)), 0) + coalesce(length(cast(m.v3 as blob)), 0)
      + coalesce(length(cast(m.v4 as blob)), 0) + coalesce(length(cast(m.v5 as blob)), 0)
      + coalesce(length(cast(m.v6 as blob)), 0) + coalesce(length(cast(m.v7 as blob)), 0)
      + coalesce(length(cast(m.v8 as blob)), 0) + coalesce(length(cast(m.v9 as blob)), 0)
      + coalesce(length(cast(m.v10 as blob)), 0) + coalesce(length(cast(m.v11 as blob)), 0)
      + coalesce(length(cast(m.v12 as blob)), 0) + coalesce(length(cast(m.v13 as blob)), 0)
      + coalesce(length(cast(m.v14 as blob)), 0) + coalesce(length(cast(m.v15 as blob)), 0)
      + coalesce(length(cast(m.v16 as blob)), 0) + coalesce(length(cast(m.v17 as blob)), 0)
      + coalesce(length(cast(m.v18 as blob)), 0) + coalesce(length(cast(m.v19 as blob)), 0)
      + coalesce(length(cast(m.v20 as blob)), 0) + coalesce(length(cast(m.v21 as blob)), 0)
      + coalesce(length(cast(m.v22 as blob)), 0) + coalesce(length(cast(m.v23 as blob)), 0)
      + coalesce(length(cast(m.v24 as blob)), 0) + coalesce(length(cast(m.v25 as blob)), 0)
      + coalesce(length(cast(m.v26 as blob)), 0) + coalesce(length(cast(m.v27 as blob)), 0)
      + coalesce(length(cast(m.v28 as blob)), 0) + coalesce(length(cast(m.v29 as blob)), 0)
      + coalesce(length(cast(m.v30 as blob)), 0) + coalesce(length(cast(m.v31 as blob)), 0))
    from vestige_more as m
    where m.change = s.id), 0)), 0)
from sample as s
