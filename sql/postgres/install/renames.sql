-- A policy names columns. Where one is renamed the policy goes with it: what is excluded stays excluded.

-- The columns of a table by number: {"3": "price", ...}. Kept with a tracked table, as they were when it was last looked at.
create or replace function vestige.column_places(rel oid) returns jsonb language sql stable
set search_path = pg_catalog, pg_temp as $$
  select coalesce(jsonb_object_agg(l.attnum, l.name), '{}') from vestige.latest_columns(rel) l
$$;

-- A condition after columns were renamed: NEW.from becomes NEW.to, and so for OLD; not within string literals.
create or replace function vestige.carried_condition(condition text, renamed jsonb) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
  part text;
  one record;
  carried text := '';
begin
  for part in select m[1] from regexp_matches(condition, '(''(?:[^'']|'''')*''|[^'']+|'')', 'g') m loop
    if part !~ '^''' then
      -- By way of a mark of its own for each, so that two columns may swap their names.
      for one in select key, value, row_number() over () as n from jsonb_each_text(renamed) loop
        part := regexp_replace(part, format(E'\\m(new|old)\\s*\\.\\s*(?:%s"%s")(?!\\w)',
          case when one.key ~ '^[a-z_][a-z0-9_]*$' then one.key || '|' else '' end,
          regexp_replace(replace(one.key, '"', '""'), E'([^\\w\\s])', E'\\\\\\1', 'g')), format(E'\\1.\x01%s\x01', one.n), 'gi');
      end loop;
      for one in select key, value, row_number() over () as n from jsonb_each_text(renamed) loop
        part := replace(part, format(E'\x01%s\x01', one.n), quote_ident(one.value));
      end loop;
    end if;
    carried := carried || part;
  end loop;
  return carried;
end
$$;

-- The policy of a tracked table, under the names that its columns have now.
create or replace function vestige.carried_policy(t vestige.tracked, rel oid) returns jsonb language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  carried jsonb := t.policy;
  renamed jsonb;
  list text;
begin
  if t.relation is distinct from rel or t.places is null then
    return t.policy;
  end if;
  select jsonb_object_agg(before.value, now.value) into renamed
  from jsonb_each_text(t.places) before join jsonb_each_text(vestige.column_places(rel)) now using (key)
  where before.value <> now.value;
  if renamed is null then
    return t.policy;
  end if;
  foreach list in array array['include', 'exclude', 'key'] loop
    if carried ? list then
      carried := jsonb_set(carried, array[list], (select coalesce(jsonb_agg(coalesce(renamed ->> n, n) order by place), '[]')
        from jsonb_array_elements_text(carried -> list) with ordinality as l(n, place)));
    end if;
  end loop;
  if carried ? 'when' then
    carried := jsonb_set(carried, '{when}', to_jsonb(vestige.carried_condition(carried ->> 'when', renamed)));
  end if;
  return carried;
end
$$;
