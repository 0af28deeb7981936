-- A context from the comment that sqlcommenter appends to a statement, for those who ask for it
-- (vestige.sqlcommenter = on) and say no context themselves: the comment of the first statement that is recorded in a
-- transaction.

-- What the comment at the end of a query says, /*actor='ann',traceparent='00-...'*/ with keys and values URL-encoded, as
-- a JSON object; null when there is none.
create or replace function vestige.commented(query text) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
  body text := (regexp_match(query, E'/\\*((?:[^*]|\\*(?!/))*)\\*/[\\s;]*$'))[1];
  pair text[];
  words text[];
  said jsonb := '{}';
begin
  if body is null then
    return null;
  end if;
  for pair in select regexp_matches(body, E'([^\\s,=]+)=''((?:[^''\\\\]|\\\\.)*)''', 'g') loop
    words := array(select vestige.url_decoded(replace(w, E'\\''', '''')) from unnest(pair) with ordinality as u(w, place) order by place);
    said := said || jsonb_build_object(words[1], words[2]);
  end loop;
  return nullif(said, '{}')::text;
end
$$;

-- %XX as the bytes of UTF-8; what is not encoded so stays as it is.
create or replace function vestige.url_decoded(word text) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
  bytes bytea := '';
  piece text[];
begin
  if strpos(word, '%') = 0 then
    return word;
  end if;
  for piece in select regexp_matches(word, '%([0-9A-Fa-f]{2})|([^%]+|%)', 'g') loop
    bytes := bytes || case when piece[1] is not null then decode(piece[1], 'hex') else convert_to(piece[2], 'UTF8') end;
  end loop;
  if position(E'\\x00'::bytea in bytes) > 0 then
    return word;
  end if;
  return convert_from(bytes, 'UTF8');
exception when others then
  return word;
end
$$;
