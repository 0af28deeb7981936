-- Holds: what must be kept, whatever else would take it (docs/runbooks/court.md). A row of the trail's own table hold says for which
-- matter; what is removed anywhere is asked of it here, where it is removed. The program asks too, and says what it is that is kept
-- (vestige/trail/hold.h); what cannot be decided is held.

-- A text is what a word of a filter means.
create or replace function vestige.fits(given text, word jsonb) returns boolean language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case when (word ->> 'quoted')::boolean or strpos(word ->> 'text', '*') = 0 then given = (word ->> 'text') collate "C"
    else given collate "C" like replace(replace(replace(replace(word ->> 'text', E'\\', E'\\\\'), '%', E'\\%'), '_', E'\\_'), '*', '%') end
$$;

-- A value of a key equals a word: as numbers where both are, else letter by letter. Null: that is not decided here.
create or replace function vestige.equals(given json, word jsonb) returns boolean language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
declare
  number constant text := '^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)$';
  shown text := given #>> '{}';
  typed text := word ->> 'text';
begin
  if not (word ->> 'quoted')::boolean then
    if typed = 'null' or typed = '*' then
      return typed = '*' or shown is null;
    elsif shown is not null and shown ~ number and typed ~ number then
      return shown::numeric = typed::numeric;
    elsif shown ~ '[0-9][eE]' or typed ~ '[0-9][eE]' then
      return null;
    end if;
  end if;
  return coalesce(vestige.fits(shown, word), false);
end
$$;

-- Whether a change may be what a condition of a hold's filter describes. A table has every name that it ever had, so that a new one
-- gets nothing out of a hold.
create or replace function vestige.may_meet(k jsonb, c vestige.change, x vestige.context) returns boolean language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  field constant text := k ->> 'field';
  negated constant boolean := (k ->> 'negated')::boolean;
  said jsonb;
  word text;
  met boolean;
  d record;
begin
  if field = 'table' then
    return exists (
      select from (select t.schema_name, t.table_name from vestige.tracked t where t.id = c.tracked
                   union select s.schema_name, s.table_name from vestige.shape s where s.tracked = c.tracked) n
      where exists (select from jsonb_array_elements(k -> 'words') w
                    where vestige.fits(vestige.shown_name(n.schema_name, n.table_name), w)) <> negated);
  elsif field = 'op' then
    met := exists (select from jsonb_array_elements(k -> 'words') w where w ->> 'text' = '*'
                   or upper(w ->> 'text' collate "C") = case c.op when 'I' then 'INSERT' when 'U' then 'UPDATE' when 'D' then 'DELETE'
                     when 'T' then 'TRUNCATE' when 'E' then 'ERASE' when 'X' then 'EXPIRE' else 'BASELINE' end);
  elsif field in ('since', 'until', 'id', 'tx') then
    select case field when 'since' then (extract(epoch from c.at) * 1000000)::int8 >= min(n::int8)
             when 'until' then (extract(epoch from c.at) * 1000000)::int8 < max(n::int8)
             else bool_or(n::int8 = case field when 'id' then c.id else coalesce(x.tx, n::int8) end) end
      into met from jsonb_array_elements_text(k -> 'numbers') n;
  elsif field = 'db_user' then
    met := exists (select from jsonb_array_elements(k -> 'words') w where vestige.fits(x.db_user, w));
  elsif field = 'who' or field = 'context' or field = 'reason' or field = any (array['actor', 'on_behalf_of', 'business_process',
      'request_id', 'session_id', 'ip_address', 'user_agent', 'auth_method', 'auth_role', 'traceparent']) then
    if x.id is null or (vestige.erased_parts(c.id) ->> 'context') is not null then
      return true;  -- nobody knows any more
    end if;
    said := vestige.given_fields(x.fields);
    word := case field when 'who' then coalesce(said ->> 'actor', x.db_user) when 'context' then said ->> (k ->> 'name') else said ->> field end;
    met := exists (select from jsonb_array_elements(k -> 'words') w where word is not null and case when field = 'reason'
      then w ->> 'text' = '*' or strpos(lower(word collate "C"), lower(w ->> 'text' collate "C")) > 0 else vestige.fits(word, w) end);
  elsif field = 'key' and k ->> 'comparison' = '=' then
    if (vestige.erased_parts(c.id) ->> 'key') is not null then
      return true;
    elsif k ->> 'name' <> '' and exists (select from vestige.shape s, jsonb_array_elements(s.columns) i
        where s.tracked = c.tracked and i ->> 'name' = k ->> 'name')
      and not exists (select from vestige.tracked t join vestige.shape s on s.id = t.shape, jsonb_array_elements(s.columns) i
        where t.id = c.tracked and i ->> 'name' = k ->> 'name') then
      return true;  -- the column has another name today
    end if;
    d := vestige.decode(c);
    select bool_or(coalesce(vestige.equals(v.value, w), true)) into met
    from (select * from json_each(d.key) union all select * from json_each(d.new_key)) v, jsonb_array_elements(k -> 'words') w
    where k ->> 'name' in ('', v.key);
    met := coalesce(met, false);
  else
    return true;  -- values are for the program to judge
  end if;
  return met is null or met <> negated;
exception when others then
  return true;
end
$$;

-- The changes of the rows that a hold's conditions name by table and key, under every key that they had (vestige/trail/held_rows.h). A
-- table is named by every name that it ever had, as in may_meet.
create or replace function vestige.held_rows(conditions jsonb) returns bigint[] language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  keys jsonb;
  k jsonb;
  c record;
  of_row text collate "C";
  ids bigint[] := '{}';
begin
  for t in select d.* from vestige.tracked d where exists (
      select from jsonb_array_elements(conditions) n, jsonb_array_elements(n -> 'words') w
      where n ->> 'field' = 'table' and not (n ->> 'negated')::boolean
        and (w ->> 'text' = vestige.shown_name(d.schema_name, d.table_name) or exists (
          select from vestige.shape s where s.tracked = d.id and w ->> 'text' = vestige.shown_name(s.schema_name, s.table_name)))) loop
    keys := '[[]]';
    for c in select i ->> 'name' as name, count(*) over () as columns from vestige.shape s, jsonb_array_elements(s.columns) i
        where s.id = t.shape and i ->> 'key' <> '0' order by (i ->> 'key')::int loop
      select coalesce(jsonb_agg(p || jsonb_build_array(w ->> 'text')), '[]') into keys
      from jsonb_array_elements(keys) p, jsonb_array_elements((
        select n -> 'words' from jsonb_array_elements(conditions) n
        where n ->> 'field' = 'key' and n ->> 'comparison' = '=' and not (n ->> 'negated')::boolean
          and (n ->> 'name' = c.name or n ->> 'name' = '' and c.columns = 1) limit 1)) w
      where (w ->> 'quoted')::boolean or strpos(w ->> 'text', '*') = 0;
    end loop;
    for k in select i from jsonb_array_elements(keys) i where i <> '[]' loop
      begin
        of_row := vestige.named_key(t, array(select jsonb_array_elements_text(k)), 'hold');
      exception when data_exception then
        continue;  -- no value of its key's type, so no row of this table; whatever else goes wrong is no answer, and nothing is taken
      end;
      ids := ids || array(select vestige.row_changes(t.id, of_row));
    end loop;
  end loop;
  return ids;
end
$$;

-- Of some changes those that are held, and by which hold: the first one.
create or replace function vestige.held(ids bigint[], out change bigint, out hold bigint, out matter text) returns setof record
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set enable_material = off set jit = off as $$
declare
  h record;
  own int;
  of_rows bigint[];
begin
  if to_regclass('vestige.hold') is null then
    return;
  end if;
  select t.id into own from vestige.tracked t where (t.schema_name, t.table_name) = ('vestige', 'hold') and t.untracked_at is null;
  for h in select * from vestige.hold k where k.released_by is null order by k.id loop
    hold := h.id;
    matter := h.matter;
    of_rows := vestige.held_rows(h.conditions::jsonb);
    for change in
      select i from unnest(ids) i cross join lateral (select y as itself from vestige.change y where y.id = i limit 1) c
        left join vestige.context x on x.id = (c.itself).context and x.xid = (c.itself).xid
      where (c.itself).tracked = own or h.conditions is null
        or not exists (select from jsonb_array_elements(h.conditions::jsonb) k where not vestige.may_meet(k, c.itself, x)
          and not (k ->> 'field' = 'key' and k ->> 'comparison' = '=' and not (k ->> 'negated')::boolean
            and (c.itself).id = any (of_rows)))
    loop
      return next;
    end loop;
  end loop;
end
$$;

-- Of changes of a table that stand in an archive alone those that a hold keeps, by what can be told of them here: their table and id.
-- Of the rest `vestige erase` judges, which reads the archive.
create or replace function vestige.held_archived(tracked_id int, ids bigint[], out change bigint, out hold bigint, out matter text)
returns setof record language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
  if to_regclass('vestige.hold') is null then
    return;
  end if;
  return query select i, h.id, h.matter from vestige.hold h, unnest(ids) i
    where h.released_by is null and (h.conditions is null or not exists (
      select from jsonb_array_elements(h.conditions::jsonb) k where k ->> 'field' not in ('table', 'id') or not vestige.may_meet(
        k, jsonb_populate_record(null::vestige.change, jsonb_build_object('id', i, 'tracked', tracked_id)), null)))
    order by h.id, i;
end
$$;

-- Nothing that a hold names is taken, by whatever statement: each says first what it takes.
create or replace function vestige.ask_holds() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  h record;
begin
  select k.* into h from vestige.held(array(select e.erased from named e order by e.erased)) k limit 1;
  if found then
    raise exception 'erase: change % is held for % (hold %)', h.change, to_json(h.matter), h.hold using errcode = 'VS006',
      hint = 'vestige hold list says by whom and why; nothing that it names goes before it is released';
  end if;
  return null;
end
$$;

do $ask$
begin
  if not exists (select from pg_catalog.pg_trigger where tgrelid = 'vestige.erased'::regclass and tgname = 'ask_holds') then
    create trigger ask_holds after insert on vestige.erased referencing new table as named
      for each statement execute function vestige.ask_holds();
  end if;
end
$ask$;

-- Who is at it, by the context; a hold, and its release, say why.
create or replace function vestige.holder(attempt text) returns text language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  said jsonb := vestige.given_fields(current_setting('vestige.context', true));
begin
  if coalesce(said ->> 'actor', '') = '' or coalesce(said ->> 'reason', '') = '' then
    raise exception 'hold: % needs who and why', attempt using errcode = 'VS001',
      hint = 'select vestige.set_context(''{"actor": "...", "reason": "..."}'') in the same transaction';
  end if;
  return said ->> 'actor';
end
$$;

-- Places a hold; its id. conditions: what the filter says, for vestige.held (vestige/trail/hold.h); null: it holds everything here.
create or replace function vestige.place_hold(matter text, filter text, conditions jsonb default null, two_persons boolean default false)
returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  who text := vestige.holder('a hold');
  number bigint;
begin
  perform vestige.own_table('hold');
  insert into vestige.hold as h (matter, filter, conditions, two_persons, placed_by)
  values (place_hold.matter, place_hold.filter, place_hold.conditions::text, coalesce(place_hold.two_persons, false), who)
  returning h.id into number;
  return number;
end
$$;

create or replace function vestige.release_hold(hold bigint) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  who text := vestige.holder('a release');
  h record;
begin
  perform vestige.own_table('hold');
  select * into h from vestige.hold k where k.id = release_hold.hold for update;
  if not found or h.released_by is not null then
    raise exception 'release hold %: it is not in force', hold using errcode = 'no_data_found', hint = 'vestige hold list';
  elsif h.two_persons and lower(btrim(who, E' \t')) = lower(btrim(h.placed_by, E' \t')) then
    raise exception 'release hold %: % placed it, and another person releases it', hold, who using errcode = 'VS006',
      hint = 'it was placed with two_persons';
  elsif h.two_persons and to_jsonb(h) ->> 'placed_user' = session_user then
    raise exception 'release hold %: it was placed as %, and another login releases it', hold, session_user using errcode = 'VS006',
      hint = 'it was placed with two_persons: another person has a login of their own';
  end if;
  update vestige.hold k set released_by = who, released_at = clock_timestamp() where k.id = release_hold.hold;
end
$$;

-- Somebody tried to remove what it names.
create or replace function vestige.refused_hold(hold bigint, attempt text) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  update vestige.hold k set refused = k.refused + 1, attempt = left(refused_hold.attempt, 1000) where k.id = refused_hold.hold;
end
$$;
