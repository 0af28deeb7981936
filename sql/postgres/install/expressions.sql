-- The SQL that writes a change of a table down.

-- An identifier in generated text: always in quotes. PL/pgSQL reserves words that SQL does not (begin, if, loop, ...), and
-- quote_ident knows SQL's only.
create or replace function vestige.quoted(name text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$ select '"' || replace(name, '"', '""') || '"' $$;

-- A table's name, or that of its row type, the same way.
create or replace function vestige.quoted_relation(rel oid) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select vestige.quoted(n.nspname) || '.' || vestige.quoted(c.relname)
  from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = rel);
end
$$;

-- How capture names a column's value, by what stands behind its type, as a pattern for format: nothing of the application's runs.
create or replace function vestige.spelling(base text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case base when 'anyenum' then '%1$s' when '' then 'case when %1$s is distinct from null then concat(%1$s) end'
         else coalesce('(%1$s)::' || replace(base, '%', '%%'), '%1$s') end
$$;

-- The SQL expressions that write down a change of a shape. `o` and `n` stand before a column's name: 'OLD.' and
-- 'NEW.' in a capture function, '($1).' and '($2).' elsewhere. Two rows of changed fields are the same text when
-- nothing changed; `moved` is whether the key did. Of a column that is redacted no value is written down: 0 in its place, and in an
-- UPDATE that changed it 0 before and 1 after, else nothing, however much is recorded of others. Of one that is encrypted a token is,
-- made of the value's text; no two tokens are the same, so what is recorded whole has one for both sides where the value did not
-- change: `tokens`, an array of those of the old values, null where nothing needs it, is the PL/pgSQL variable `tokens` before.
drop function if exists vestige.expressions(jsonb, boolean, text, text);
create or replace function vestige.capture_expressions(shape_columns jsonb, full_capture boolean, o text, n text,
  out old_key text, out new_key text, out old_row text, out new_row text,
  out old_changed text, out new_changed text, out moved text, out tokens text)
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
  with c as (
    select x.key, i.place, i.item ? 'redacted' as redacted, i.item ->> 'encrypted' as class, format(b.spelled, o || b.quoted) as old, format(b.spelled, n || b.quoted) as new, x.plain,
           -- No cast, operator or check of the application: = and ::text are for types of the server's own, whose casts and
           -- operators are its own, too; of others, text comes from their output functions.
           -- The first value, where it is not the second; nothing else is looked up and set up as little as nullif is.
           case when x.base = 'anyenum' then 'case when enum_eq(%1$s, %2$s) then null else %1$s end'
                when x.exact then 'nullif(%1$s, %2$s)'
                when x.plain then 'case when %1$s::text is distinct from %2$s::text then %1$s end'
                else 'case when row(%1$s)::text is distinct from row(%2$s)::text then %1$s end' end as changed,
           case when x.base = 'anyenum' then 'coalesce(not enum_eq(%1$s, %2$s), num_nulls(%1$s, %2$s) = 1)'
                when x.exact then '%s is distinct from %s' end as moved,
           case when x.plain then '%1$s::text is distinct from %2$s::text'
                else 'row(%1$s)::text is distinct from row(%2$s)::text' end as apart
    from jsonb_array_elements(shape_columns) with ordinality as i(item, place),
      jsonb_to_record(i.item) as x(name text, key int, exact boolean, plain boolean, base text),
      lateral (select vestige.spelling(x.base) as spelled, vestige.quoted(x.name) as quoted offset 0) b
  ), d as (
    select key, place, case when redacted then '''0''::text' else coalesce(old_token, old) end as old,
           case when redacted then '''0''::text' else coalesce(new_token, new) end as new, plain,
           case when redacted then format('case when %s then ''0'' end', u.apart) when class is not null then format('case when %s then %s end', u.apart, old_token)
                else format(changed, old, new) end as old_changed,
           case when redacted then format('case when %s then ''1'' end', u.apart) when class is not null then format('case when %s then %s end', u.apart, new_token)
                else format(changed, new, old) end as new_changed,
           format(moved, old, new) as moved, redacted, class, u.apart, new_token, old_token,
           -- A value that stayed while the subject changed is the new one's.
           vestige.token_of(class, old, so.prefix, format('case when %s then %s else %s end', u.apart, so.subject, sn.subject)) as kept_token,
           format('tokens[%s]', count(old_token) over (order by place)) as kept
    from c, vestige.subject_of(shape_columns, o) so, vestige.subject_of(shape_columns, n) sn,
      lateral (select format(coalesce(moved, apart), old, new) as apart, vestige.token_of(class, old, so.prefix, so.subject) as old_token,
                      vestige.token_of(class, new, sn.prefix, sn.subject) as new_token offset 0) u
  ), k as (
    select count(*) as n, bool_and(plain) as plain,
           case when count(*) = count(moved) then coalesce(string_agg(moved, ' or ' order by key), 'false') end as moved,
           string_agg(old, ', ' order by key) as old, string_agg(new, ', ' order by key) as new
    from d where key > 0
  ), r as (
    select format('row(%s)::text', string_agg(old, ', ' order by place)) as old,
           format('row(%s)::text', string_agg(new, ', ' order by place)) as new,
           format('row(%s)::text', string_agg(case when redacted then old_changed when class is not null then kept else old end, ', ' order by place)) as old_whole,
           format('row(%s)::text', string_agg(case when redacted then new_changed when class is not null then format('case when %s then %s else %s end', apart, new_token, kept)
                                         else new end, ', ' order by place)) as new_whole,
           'array[' || string_agg(kept_token, ', ' order by place) || ']' as tokens,
           format('row(%s)::text', string_agg(old_changed, ', ' order by place)) as old_changed,
           format('row(%s)::text', string_agg(new_changed, ', ' order by place)) as new_changed
    from d
  ), w as (
    -- A key is its bytes: a collation to which different texts are equal must not give them one hash.
    select k.moved, case when k.n = 0 then 'null::text' when k.n > 1 then format('row(%s)::text', k.old)
              else format(one, k.old) end as old_key,
         case when k.n = 0 then 'null::text' when k.n > 1 then format('row(%s)::text', k.new)
              else format(one, k.new) end as new_key
    from k, lateral (select case when k.plain then '(%s::text) collate "C"'
                                 else '(case when %1$s is distinct from null then concat(%1$s) end) collate "C"' end as one) o
  )
  select w.old_key, w.new_key, r.old, r.new, case when full_capture then r.old_whole else r.old_changed end,
         case when full_capture then r.new_whole else r.new_changed end, case when full_capture then r.tokens end,
         '(' || coalesce(w.moved, format('%s is distinct from %s', w.old_key, w.new_key)) || ')'
  into old_key, new_key, old_row, new_row, old_changed, new_changed, tokens, moved
  from w, r;
end
$$;

-- The SET clauses that make the text of values independent of the session's settings. The letters are those of
-- vestige.live_columns; more for who reads texts: x(mloption) a(rray_nulls) s(tandard_conforming_strings).
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
    || case when settings ~ 's' then ' set standard_conforming_strings = on' else '' end
    || case when settings ~ 'x' then ' set xmloption = content' else '' end
    || case when settings ~ 'a' then ' set array_nulls = on' else '' end
$$;
