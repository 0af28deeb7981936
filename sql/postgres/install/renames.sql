-- A policy names columns. Where one is renamed the policy goes with it: what is excluded stays excluded.

-- The columns of a table by number: {"3": "price", ...}. Kept with a tracked table, as they were when it was last looked at.
create or replace function vestige.column_places(rel oid) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_object_agg(l.attnum, l.name), '{}') from vestige.latest_columns(rel) l
$$;

-- A condition, read word by word, in one pass: NEW.column and OLD.column, and what each becomes.
--
-- becomes   column to pieces that NEW or OLD is put between: {"price": ["", ".\"cost\""]}; what is not in it stays as it is
-- named     the columns that it names
-- whole     it names a whole row: all of them
-- unclear   it has comments, strings between dollars or escaped names, which are not read
create or replace function vestige.read_condition(condition text, becomes jsonb, out carried text, out named text[],
  out whole boolean, out unclear boolean) language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
  word text;
  row_word text;              -- NEW or OLD, when the last words were that, and perhaps a dot
  held text := '';            -- what was read since
  dotted boolean := false;
  name text;
  bare text := '';            -- without what stands in quotes
begin
  carried := '';
  named := '{}';
  whole := false;
  for word in
    select m[1] from regexp_matches(condition, E'([eE]''(?:[^''\\\\]|\\\\.|'''')*''|''(?:[^'']|'''')*''|"(?:[^"]|"")*"'
      || E'|[^\\x01-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f][^\\x01-\\x23\\x25-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f]*|\\s+|.)', 'g') m
  loop
    bare := bare || case when word ~ E'^[eE]?[''"]' then '?' else word end;
    if row_word is not null then
      if word ~ E'^\\s' then
        held := held || word;
        continue;
      elsif word = '.' and not dotted then
        held := held || word;
        dotted := true;
        continue;
      elsif dotted and word ~ E'^("|[^\\x01-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f][^\\x01-\\x23\\x25-\\x2f\\x3a-\\x40\\x5b-\\x5e\\x60\\x7b-\\x7f]*)' then
        name := case when word ~ '^"' then replace(substr(word, 2, length(word) - 2), '""', '"')
                     else translate(word, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') end;
        named := named || name;
        carried := carried || case when becomes ? name then array_to_string(array(select jsonb_array_elements_text(becomes -> name)), row_word)
                                   else row_word || held || word end;
        row_word := null;
        continue;
      end if;
      whole := true;
      carried := carried || row_word || held;
      row_word := null;
    end if;
    if lower(word) in ('new', 'old', '"new"', '"old"') and carried !~ E'[.]\\s*$' then
      row_word := word;
      held := '';
      dotted := false;
    else
      carried := carried || word;
    end if;
  end loop;
  if row_word is not null then
    whole := true;
    carried := carried || row_word || held;
  end if;
  unclear := bare ~ '--|/[*]|[$][^0-9]|[uU]&[?]';
end
$$;

-- A condition after columns were renamed: NEW.from becomes NEW.to, and so for OLD; not within string literals.
create or replace function vestige.carried_condition(condition text, renamed jsonb) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  select r.carried from vestige.read_condition(condition,
    (select coalesce(jsonb_object_agg(key, jsonb_build_array('', '.' || quote_ident(value))), '{}') from jsonb_each_text(renamed))) r
$$;

-- The columns of a table as a condition sees them: a type of the server's own as it is, a domain over one as that, and of
-- every other the text that its output function prints; so that nothing of the application's runs in capture.
--
-- direct    it is as it is
-- pieces    what NEW.column becomes (read_condition)
create or replace function vestige.condition_columns(rel oid)
returns table (name text, seen_as text, direct boolean, pieces jsonb) language sql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: names
  select l.name, case when d.direct then format_type(a.atttypid, null) when l.base in ('', 'anyenum') or l.base is null then 'text' else l.base end,
    d.direct,
    case when d.direct then jsonb_build_array('', q.column)
         when l.base in ('', 'anyenum') or l.base is null then
           jsonb_build_array('(case when ', q.column || ' is distinct from null then concat(', q.column || ') end)')
         else jsonb_build_array('(', q.column || ')::' || l.base) end
  from vestige.live_columns(rel) l join pg_attribute a on a.attrelid = rel and a.attnum = l.attnum join pg_type y on y.oid = a.atttypid,
    lateral (select y.typtype = 'b' and y.typnamespace = 'pg_catalog'::regnamespace as direct) d,
    lateral (select '.' || vestige.quoted(l.name) as column) q
$$;

-- The types that a condition's columns are seen as, by name; null where it cannot be read, or names a row that has columns of
-- other types than the server's own.
create or replace function vestige.condition_types(rel oid, condition text) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when not r.unclear and not (r.whole and exists (select from vestige.condition_columns(rel) c where not c.direct)) then
    (select coalesce(jsonb_object_agg(c.name, c.seen_as), '{}') from vestige.condition_columns(rel) c where r.whole or c.name = any (r.named)) end
  from vestige.read_condition(condition, '{}') r
$$;

-- The condition of a tracked table as its capture function has it; null where there is none, or where it has ended: one lasts
-- as long as the columns that it names have the types that they had when it was set.
create or replace function vestige.condition_text(t vestige.tracked, rel oid) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select r.carried from vestige.read_condition(t.policy ->> 'when',
    (select coalesce(jsonb_object_agg(c.name, c.pieces), '{}') from vestige.condition_columns(rel) c)) r
  where t.policy ->> 'when' <> '' and vestige.condition_types(rel, t.policy ->> 'when') = t.when_types
$$;

-- The columns of a tracked table that were renamed since it was last looked at: from, to. Null: none.
create or replace function vestige.renamed_columns(t vestige.tracked, rel oid) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select jsonb_object_agg(before.value, now.value)
  from jsonb_each_text(t.places) before join jsonb_each_text(vestige.column_places(rel)) now using (key)
  where t.relation = rel and before.value <> now.value
$$;

-- The policy of a tracked table, under the names that its columns have now.
create or replace function vestige.carried_policy(t vestige.tracked, rel oid) returns jsonb language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  carried jsonb := t.policy;
  renamed jsonb;
  list text;
begin
  renamed := vestige.renamed_columns(t, rel);
  if renamed is null then
    return t.policy;
  end if;
  foreach list in array array['include', 'exclude', 'redact', 'key'] loop
    if carried ? list then
      carried := jsonb_set(carried, array[list], (select coalesce(jsonb_agg(coalesce(renamed ->> n, n) order by place), '[]')
        from jsonb_array_elements_text(carried -> list) with ordinality as l(n, place)));
    end if;
  end loop;
  if carried ? 'encrypt' then
    carried := jsonb_set(carried, '{encrypt}', (select coalesce(jsonb_object_agg(coalesce(renamed ->> key, key), value), '{}')
      from jsonb_each(carried -> 'encrypt')));
  end if;
  if renamed ? (carried ->> 'subject') then
    carried := jsonb_set(carried, '{subject}', renamed -> (carried ->> 'subject'));
  end if;
  if carried ? 'when' then
    carried := jsonb_set(carried, '{when}', to_jsonb(vestige.carried_condition(carried ->> 'when', renamed)));
  end if;
  return carried;
end
$$;

-- The types that a condition was set for, under the names that the columns have now.
create or replace function vestige.carried_types(t vestige.tracked, rel oid) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select case when not t.policy ? 'when' then null
    when t.when_types is null then vestige.condition_types(rel, vestige.carried_policy(t, rel) ->> 'when')
    else (select coalesce(jsonb_object_agg(coalesce(vestige.renamed_columns(t, rel) ->> key, key), value), '{}')
          from jsonb_each(t.when_types)) end
$$;
