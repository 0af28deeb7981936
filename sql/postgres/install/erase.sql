-- Taking a person's data out of the trail. Entries, tree and checkpoints stay as they are; what is taken goes with its salt,
-- and an ERASE, which is sealed like any change, says by whom and why (docs/evidence.md, "Erasing").

-- What stays of a context when its fields go, by its fingerprint: so that nobody can alter that afterwards. The text is the
-- one that is sealed (vestige/trail/postgres_sealing.cc).
create or replace function vestige.context_left(x vestige.context) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select 'context=' || encode(sha256(convert_to(concat('{"tx":', x.tx, ',"xid":', x.xid,
    ',"at":"', to_char(x.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '","pid":', x.pid,
    ',"client_addr":' || to_json(x.client_addr::text), ',"db_user":' || to_json(x.db_user), ',"db_role":' || to_json(x.db_role),
    ',"application_name":' || to_json(x.application_name), '}'), 'UTF8')), 'base64')
$$;

-- Writes zeros over the salts of what an ERASE names.
create or replace function vestige.forget_salts(erase bigint) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  b record;
  at int;
  size int;
  parts text[];
  kinds constant text[] := array['key', 'context', 'values'];
  zeros constant bytea := decode(repeat('00', 16), 'hex');
begin
  for b in
    select n, width, substr(salts, 1) as salts, substr(entries, 1) as entries from vestige.bundle k
    where exists (select from vestige.erased e where e.change = erase and e.erased between k.first_id and k.last_id)
    for update
  loop
    at := 0;
    for place in 0..b.width - 1 loop
      size := get_byte(b.entries, at) * 256 + get_byte(b.entries, at + 1);
      -- The id stands at the head of the entry.
      select string_to_array(e.parts, ',') into parts from vestige.erased e
      where e.change = erase
        and e.erased = substring(encode(substr(b.entries, at + 3, 32), 'escape') from '^{"v":1,"id":([0-9]+),')::bigint;
      if found then
        for part in 0..2 loop
          if exists (select from unnest(parts) p where split_part(p, '=', 1) = kinds[part + 1]) then
            b.salts := overlay(b.salts placing zeros from place * 48 + part * 16 + 1);
          end if;
        end loop;
      end if;
      at := at + 2 + size;
    end loop;
    update vestige.bundle k set salts = b.salts where k.n = b.n and k.salts <> b.salts;
  end loop;
end
$$;

-- Erases parts of a table's changes, and of every change under the same contexts what its context said; the ERASE's id, or
-- null when there was nothing left to take.
create or replace function vestige.erase_of(tracked_id int, ids bigint[], keys boolean, contexts boolean) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  number bigint;
  said bigint[] := '{}';
  taken bigint[];
  named text[];
begin
  select * into t from vestige.tracked where id = tracked_id;
  perform vestige.check_owner(t.relation, 'erase');
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  if contexts then
    said := array(select distinct x.id from unnest(ids) i join vestige.change c on c.id = i and c.tracked = tracked_id
                    join vestige.context x on x.id = c.context and x.xid = c.xid where x.fields is not null);
  end if;
  select array_agg(p.id), array_agg(p.parts) into taken, named from (
    select c.id, concat_ws(',', case when c.old_row is not null or c.new_row is not null then 'values' end,
             case when keys and (c.key is not null or c.new_key is not null) then 'key' end,
             (select vestige.context_left(x) from vestige.context x where x.id = c.context and x.id = any (said))) as parts
    from unnest(ids) i join vestige.change c on c.id = i and c.tracked = tracked_id
    union all
    select c.id, vestige.context_left(x) from vestige.context x join vestige.change c on c.context = x.id
    where cardinality(said) > 0 and x.id = any (said) and c.id >= (select min(s) from unnest(said) s)
      and not (c.tracked = tracked_id and c.id = any (ids))) p
  where p.parts <> '';
  if taken is null then
    return null;
  end if;
  number := nextval('vestige.change_id');
  perform vestige.write_change(t.id, t.shape, 'E', null, null, null, null, number);
  insert into vestige.erased select number, u.id, u.parts from unnest(taken, named) as u(id, parts);
  delete from vestige.moved m using vestige.erased e join vestige.change c on c.id = e.erased
  where e.change = number and 'key' = any (string_to_array(e.parts, ','))
    and m.key_hash = hashtextextended(c.new_key, c.tracked) and m.change = c.id;
  update vestige.change c set old_row = null, new_row = null,
    key = case when k.gone then null else c.key end, new_key = case when k.gone then null else c.new_key end,
    key_hash = case when k.gone then null else c.key_hash end
  from vestige.erased e, lateral (select 'key' = any (string_to_array(e.parts, ',')) as gone) k
  where e.change = number and c.id = e.erased and e.parts !~ '^context=';
  update vestige.context set fields = null where id = any (said);
  perform vestige.forget_salts(number);
  return number;
end
$$;

-- Erases what was recorded in some changes: their values; with `keys` the keys of their rows; with `contexts` what the
-- application said, which goes for all changes of the same transaction. The rows themselves stay where they are.
--
-- returns  the ERASE of each table, which has the context of this transaction; a reason is required in it
create or replace function vestige.erase_changes(changes bigint[], keys boolean default false, contexts boolean default false)
returns setof bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  ids bigint[] := array(select distinct i from unnest(changes) i order by i);
  missing bigint;
  table_id int;
  number bigint;
begin
  if coalesce(vestige.given_fields(current_setting('vestige.context', true)) ->> 'reason', '') = '' then
    raise exception 'erase: a reason is needed' using errcode = 'VS001',
      hint = 'select vestige.set_context(''{"actor": "...", "reason": "..."}'') in the same transaction';
  end if;
  -- No sealer writes meanwhile what it computed of that which goes.
  perform pg_advisory_xact_lock(1986360180, 5);
  select i into missing from unnest(ids) i where not exists (select from vestige.change c where c.id = i) limit 1;
  if missing is not null then
    raise exception 'erase change %: there is no such change', missing using errcode = 'no_data_found';
  end if;
  select c.id into missing from unnest(ids) i join vestige.change c on c.id = i where c.op = 'E' limit 1;
  if missing is not null then
    raise exception 'erase change %: it is an erasure, which holds no values', missing using errcode = 'invalid_parameter_value';
  end if;
  for table_id in select distinct c.tracked from unnest(ids) i join vestige.change c on c.id = i order by 1 loop
    number := vestige.erase_of(table_id, ids, keys, contexts);
    if number is not null then
      return next number;
    end if;
  end loop;
end
$$;

-- Erases the values of every change of a row, under each key it had: vestige.erase('customers', '17'). The ERASE's id, or
-- null when there was nothing to take.
create or replace function vestige.erase("table" regclass, variadic key text[]) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked := vestige.tracked_table("table", 'erase');
begin
  return (select e from vestige.erase_changes(
    array(select vestige.row_changes(t.id, vestige.named_key(t, key, 'erase')))) e);
end
$$;
