-- How large the recorded values of some changes are.
--
-- in      ?1 a JSON array of change ids
-- out     one row: the bytes of the values of all of them (numbers as text)
-- cost    one search for each id

select coalesce(sum(
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
  where m.change = c.id), 0)), 0)
from json_each(?1) as one
join vestige_change as c on c.id = one.value
