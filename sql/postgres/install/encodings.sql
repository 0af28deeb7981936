-- Text for a program that reads UTF-8, whatever the encoding of the database.

-- The bytes of a text in UTF-8. It never fails: a character that has no equivalent is U+FFFD and, in angle brackets, its bytes in the
-- database, and so is a byte of a SQL_ASCII database that is no part of a character. No two texts look alike: no encoding but
-- UTF-8 has U+FFFD, and in SQL_ASCII it is taken for three bytes. From MULE_INTERNAL the server has no way at all: there ASCII is ASCII, and everything else its bytes.
create or replace function vestige.utf8(given text) returns bytea language plpgsql immutable strict
set search_path = pg_catalog, pg_temp as $$
declare
  own constant name := getdatabaseencoding();
  half constant int := char_length(given) / 2;
begin
  begin
    if own = 'SQL_ASCII' and position(decode('efbfbd', 'hex') in convert_to(given, own)) > 0 then
      null;
    elsif own <> 'MULE_INTERNAL' then
      return convert_to(given, 'UTF8');
    elsif given collate "C" !~ E'[^\\x01-\\x7f]' then
      return convert_to(given, own);
    end if;
  exception when others then
    null;
  end;
  if half > 0 and own <> 'SQL_ASCII' then
    return vestige.utf8(left(given, half)) || vestige.utf8(substr(given, half + 1));
  elsif half > 0 then
    -- Runs of well-formed characters, and single bytes between them.
    return (select string_agg(vestige.utf8(m[1]), '' order by place) from regexp_matches(given collate "C", concat('((?:(?!',
        E'\\xef\\xbf\\xbd)(?:[\\x01-\\x7f]|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}|',
        E'\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}|\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
        '))+|.)'), 'g') with ordinality as r(m, place));
  end if;
  return decode('efbfbd3c', 'hex') || convert_to(encode(convert_to(given, own), 'hex') || '>', own);
end
$$;

-- The text of which those are the bytes.
create or replace function vestige.from_utf8(given bytea) returns text language plpgsql immutable strict
set search_path = pg_catalog, pg_temp as $$
declare
  own constant name := getdatabaseencoding();
  mark constant text := E'\\\\357\\\\277\\\\275<';
begin
  return (select coalesce(string_agg(case when m[1] is not null then convert_from(decode(m[1], 'hex'), own)
                                          else convert_from(decode(m[2], 'escape'), case own when 'MULE_INTERNAL' then own else 'UTF8' end) end,
                                     '' order by place), '')
          from regexp_matches(encode(given, 'escape'), format('%1$s((?:[0-9a-f]{2})+)>|((?:(?!%1$s).)+)', mark), 'g') with ordinality r(m, place));
end
$$;
