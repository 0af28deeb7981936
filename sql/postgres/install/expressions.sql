-- The SQL that writes a change of a table down.

-- The SQL expressions that write down a change of a shape. `o` and `n` stand before a column's name: 'OLD.' and
-- 'NEW.' in a capture function, '($1).' and '($2).' elsewhere.
create or replace function vestige.expressions(shape_columns jsonb, full_capture boolean, o text, n text,
  out old_key text, out new_key text, out old_row text, out new_row text,
  out old_changed text, out new_changed text, out changed text)
language sql immutable set search_path = pg_catalog, pg_temp as $$
  with c as (
    select x.key, i.place, format(b.spelled, o || quote_ident(x.name)) as old,
           format(b.spelled, n || quote_ident(x.name)) as new, x.plain,
           case when x.exact then '%s is distinct from %s'
                when x.plain then '%s::text is distinct from %s::text'
                else 'row(%s)::text is distinct from row(%s)::text' end as differs
    from jsonb_array_elements(shape_columns) with ordinality as i(item, place),
      jsonb_to_record(i.item) as x(name text, key int, exact boolean, plain boolean, base text),
      lateral (select case when x.base is null then '%s' else '(%s)::' || replace(x.base, '%', '%%') end as spelled) b
  ), d as (
    select key, place, old, new, format(differs, old, new) as differs, plain from c
  ), k as (
    select count(*) as n, bool_and(plain) as plain,
           string_agg(old, ', ' order by key) as old, string_agg(new, ', ' order by key) as new
    from d where key > 0
  ), r as (
    select format('row(%s)::text', string_agg(old, ', ' order by place)) as old,
           format('row(%s)::text', string_agg(new, ', ' order by place)) as new,
           format('row(%s)::text', string_agg(format('case when %s then %s end', differs, old), ', ' order by place))
             as old_changed,
           format('row(%s)::text', string_agg(format('case when %s then %s end', differs, new), ', ' order by place))
             as new_changed,
           coalesce(string_agg(differs, ' or ' order by place), 'false') as changed
    from d
  )
  select case when k.n = 0 then 'null::text' when k.n > 1 then format('row(%s)::text', k.old)
              when k.plain then k.old || '::text' else format('case when %1$s is distinct from null then concat(%1$s) end', k.old) end,
         case when k.n = 0 then 'null::text' when k.n > 1 then format('row(%s)::text', k.new)
              when k.plain then k.new || '::text' else format('case when %1$s is distinct from null then concat(%1$s) end', k.new) end,
         r.old, r.new, case when full_capture then r.old else r.old_changed end,
         case when full_capture then r.new else r.new_changed end, r.changed
  from k, r
$$;

-- The SET clauses that make the text of values independent of the session's settings.
create or replace function vestige.pinned(settings text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select 'set search_path = pg_catalog, pg_temp'
    || case when settings ~ 'z' then ' set timezone = ''UTC''' else '' end
    || case when settings ~ 'd' then ' set datestyle = ''ISO, YMD''' else '' end
    || case when settings ~ 'i' then ' set intervalstyle = ''postgres''' else '' end
    || case when settings ~ 'f' then ' set extra_float_digits = 1' else '' end
    || case when settings ~ 'b' then ' set bytea_output = ''hex''' else '' end
    || case when settings ~ 'm' then ' set lc_monetary = ''C''' else '' end
    || case when settings ~ 'q' then ' set quote_all_identifiers = off' else '' end
$$;
