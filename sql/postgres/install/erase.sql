-- Taking a person's data out of the trail. Entries, tree and checkpoints stay as they are; what is taken goes with its salt,
-- and an ERASE, which is sealed like any change, says by whom and why (docs/evidence.md, "Erasing").

-- What stays of a context when its fields go, by its fingerprint: so that nobody can alter that afterwards. The text is the
-- one that is sealed (vestige/trail/postgres/sealing.cc).
create or replace function vestige.context_left(x vestige.context) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select 'context=' || encode(sha256(vestige.utf8(concat('{"tx":', x.tx, ',"xid":', x.xid,
    ',"at":"', to_char(x.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), '","pid":', x.pid,
    ',"client_addr":' || to_json(x.client_addr::text), ',"db_user":' || to_json(x.db_user), ',"db_role":' || to_json(x.db_role),
    ',"application_name":' || to_json(x.application_name), '}'))), 'base64')
$$;

-- Writes zeros over the salts of what an ERASE names. Every row is found by an index, also where nothing was ever analysed.
create or replace function vestige.forget_salts(erase bigint) returns void language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set enable_material = off set jit = off as $$
declare
  b record;
  zeros constant bytea := decode(repeat('00', 16), 'hex');
  span record;
  forgotten bytea;
begin
  select min(e.erased) as first, max(e.erased) as last into span from vestige.erased e where e.change = erase;
  for b in
    select k.n, substr(k.salts, 1) as salts, substr(k.entries, 1) as entries from vestige.bundle k
    where k.first_id <= span.last and k.last_id >= span.first
      and (select e.erased from vestige.erased e where e.change = erase and e.erased >= k.first_id order by e.erased limit 1) <= k.last_id
    for update
  loop
    -- The id stands at the head of an entry; nothing else in one looks like that, since quotes in names are escaped.
    select string_agg(
        case when e.parts ~ '(^|,)key(=[^,]*)?(,|$)' then zeros else substr(b.salts, m.place::int * 48 - 47, 16) end
        || case when e.parts ~ '(^|,)context(=[^,]*)?(,|$)' then zeros else substr(b.salts, m.place::int * 48 - 31, 16) end
        || case when e.parts ~ '(^|,)values(=[^,]*)?(,|$)' then zeros else substr(b.salts, m.place::int * 48 - 15, 16) end, '' order by m.place)
      into forgotten
    from (select split_part(n.piece, ',', 1)::bigint as id, n.place - 1 as place
          from unnest(string_to_array(encode(b.entries, 'escape'), '{"v":1,"id":')) with ordinality n(piece, place) where n.place > 1) m
      left join vestige.erased e on e.change = erase and e.erased = m.id;
    update vestige.bundle k set salts = forgotten where k.n = b.n and k.salts <> forgotten;
  end loop;
end
$$;

-- What is left of the context of every change under some contexts. A pass over the trail, from the first of them on: changes have no
-- index by context.
create or replace function vestige.under_contexts(said bigint[]) returns table (id bigint, at timestamptz, tracked int, parts text)
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off set jit = off as $$
begin
  return query
    with x as materialized (select x.id, vestige.context_left(x) as parts from vestige.context x where x.id = any (said))
    select c.id, c.at, c.tracked, x.parts from x join vestige.change c on c.context = x.id
    where c.id >= (select min(s) from unnest(said) s);
end
$$;

-- Erases parts of a table's changes, and of every change under the same contexts what its context said; the ERASE's id, or
-- null when there was nothing left to take. Changes are found by id and time, each with one look into one partition. Whoever calls
-- this has asked whether it is his to erase.
create or replace function vestige.erase_of(tracked_id int, ids bigint[], keys boolean, contexts boolean) returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set enable_hashjoin = off
set enable_mergejoin = off set enable_material = off set jit = off as $$
declare
  t vestige.tracked;
  other vestige.tracked;
  number bigint;
  said bigint[] := '{}';
  taken bigint[];
  moments timestamptz[];
  named text[];
  tables int[];
begin
  select * into t from vestige.tracked where id = tracked_id;
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  if contexts then
    said := array(select distinct x.id from unnest(ids) i
                    cross join lateral (select c.context, c.xid from vestige.change c
                                        where c.id = i and c.tracked = tracked_id limit 1) c
                    join vestige.context x on x.id = c.context and x.xid = c.xid where x.fields is not null);
  end if;
  with own as materialized (
    select c.id, c.at, c.tracked, concat_ws(',', case when c.old_row is not null or c.new_row is not null then 'values' end,
             case when keys and (c.key is not null or c.new_key is not null) then 'key' end) as parts
    from unnest(ids) i cross join lateral (
      select c.* from vestige.change c where c.id = i and c.tracked = tracked_id limit 1) c
  ), under as materialized (
    select u.* from vestige.under_contexts(said) u where cardinality(said) > 0
  )
  select array_agg(p.id), array_agg(p.at), array_agg(p.parts), array_agg(distinct p.tracked) into taken, moments, named, tables from (
    select a.id, min(a.at) as at, min(a.tracked) as tracked,
           string_agg(a.parts, ',' order by a.parts like 'context=%') filter (where a.parts <> '') as parts
    from (select * from own union all select * from under) a group by a.id) p
  where p.parts is not null;
  if taken is null then
    return null;
  end if;
  -- A context is that of a transaction, which may have changed other people's tables.
  for other in select x.* from vestige.tracked x where x.id = any (tables) and x.id <> t.id order by x.id loop
    perform vestige.check_owner(vestige.live_relation(other), 'erase what the context says of');
  end loop;
  number := nextval('vestige.change_id');
  perform vestige.write_change(t.id, t.shape, 'E', null, null, null, null, number);
  insert into vestige.erased (change, erased, parts) select number, u.id, u.parts from unnest(taken, named) as u(id, parts);
  if keys then
    delete from vestige.moved m using unnest(taken, moments, named) as u(id, at, parts), vestige.change c
    where u.parts ~ '^(values,)?key(,|$)' and c.id = u.id and c.at = u.at
      and m.key_hash = hashtextextended(c.new_key, c.tracked) and m.change = c.id;
  end if;
  update vestige.change c set old_row = null, new_row = null,
    key = case when u.gone then null else c.key end, new_key = case when u.gone then null else c.new_key end,
    key_hash = case when u.gone then null else c.key_hash end
  from (select u.id, u.at, u.parts ~ '^(values,)?key(,|$)' as gone from unnest(taken, moments, named) as u(id, at, parts)
        where u.parts !~ '^context=') u
  where c.id = u.id and c.at = u.at;
  if cardinality(said) > 0 then
    perform vestige.forget_names(said, array(select u.id from unnest(taken, named) as u(id, parts) where u.parts like '%context=%'));
    update vestige.context set fields = null where id = any (said);
  end if;
  perform vestige.forget_salts(number);
  return number;
end
$$;

-- The alerts that name one of some changes, and say anything of it still. Whoever may write there can have put anything into a row: a
-- number is as many digits as stand together, whatever else the text is (vestige/trail/told_alerts.cc has the same).
create or replace function vestige.alerts_of(ids bigint[]) returns text[] language plpgsql stable
set search_path = pg_catalog, pg_temp set enable_seqscan = on set enable_hashjoin = on set enable_nestloop = off set jit = off as $$
begin
  return array(
    select distinct n.id from unnest(ids) i join (
      select a.id, ltrim((regexp_matches(a.changes, '[0-9]+', 'g'))[1], '0') as number from vestige.alert a
      where a.title is distinct from '(erased)' or a.comment is not null) n on n.number = i::text);
end
$$;

-- What stays of an alert's details: not who did it, nor what he said; nothing of what cannot be read.
create or replace function vestige.detail_left(detail text) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  return case when jsonb_typeof(detail::jsonb) = 'object' then (detail::jsonb - 'who' - 'why')::text else '{}' end;
exception when others then
  return '{}';
end
$$;

-- What alerts say of some changes goes from their rows, and with the values of what was recorded of these; the ERASE's id, or null.
create or replace function vestige.erase_told(ids bigint[]) returns bigint language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  told text[];
begin
  select * into t from vestige.tracked k where (k.schema_name, k.table_name) = ('vestige', 'alert') and k.untracked_at is null;
  if not found then
    return null;
  end if;
  told := vestige.alerts_of(ids);
  if cardinality(told) = 0 then
    return null;
  end if;
  update vestige.alert a set title = '(erased)', grp = '{}', comment = null,
    detail = vestige.detail_left(a.detail)
  where a.id = any (told);
  return vestige.erase_of(t.id, array(select c from unnest(told) k
    cross join lateral vestige.row_changes(t.id, vestige.named_key(t, array[k], 'erase') collate "C") c), false, false);
end
$$;

-- Erases what was recorded in some changes: their values; with `keys` the keys of their rows; with `contexts` what the
-- application said, which goes for all changes of the same transaction. The rows themselves stay where they are.
--
-- returns  the ERASE of each table, which has the context of this transaction; a reason is required in it
create or replace function vestige.erase_changes(changes bigint[], keys boolean default false, contexts boolean default false)
returns setof bigint language plpgsql security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off as $$
declare
  ids bigint[] := array(select distinct i from unnest(changes) i order by i);
  said_of bigint[] := '{}';  -- of other tables, too, whose contexts go
  found bigint;
  missing bigint;
  tables int[];
  table_id int;
  number bigint;
begin
  if coalesce(vestige.given_fields(current_setting('vestige.context', true)) ->> 'reason', '') = '' then
    raise exception 'erase: a reason is needed' using errcode = 'VS001',
      hint = 'select vestige.set_context(''{"actor": "...", "reason": "..."}'') in the same transaction';
  end if;
  -- The transaction has its xid before it takes an id. No sealer writes meanwhile what it computed of that which goes.
  perform pg_current_xact_id();
  lock table vestige.sealer in share row exclusive mode;
  select count(distinct c.id), array_agg(distinct c.tracked), min(c.id) filter (where c.op = 'E') into found, tables, missing
  from unnest(ids) i cross join lateral (select c.id, c.tracked, c.op from vestige.change c where c.id = i limit 1) c;
  if found < cardinality(ids) then
    select i into missing from unnest(ids) i where not exists (select from vestige.change c where c.id = i) limit 1;
    raise exception 'erase change %: there is no such change', missing using errcode = 'no_data_found';
  end if;
  if missing is not null then
    raise exception 'erase change %: it is an erasure, which holds no values', missing using errcode = 'invalid_parameter_value';
  end if;
  foreach table_id in array coalesce(tables, '{}') loop
    perform vestige.check_owner(vestige.live_relation(t), 'erase') from vestige.tracked t where t.id = table_id;
    number := vestige.erase_of(table_id, ids, keys, contexts);
    if number is not null then
      said_of := said_of || array(select e.erased from vestige.erased e where e.change = number);
      return next number;
    end if;
  end loop;
  number := vestige.erase_told(ids || said_of);
  if number is not null then
    return next number;
  end if;
end
$$;

-- Names in an ERASE what is to go of changes that stand in an archive alone: `vestige erase --archive` takes it there.
--
-- parts    of each change: values, key, or values,key
create or replace function vestige.erase_archived(tracked_id int, ids bigint[], parts text[]) returns bigint language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  number bigint;
  h record;
begin
  if coalesce(vestige.given_fields(current_setting('vestige.context', true)) ->> 'reason', '') = '' then
    raise exception 'erase: a reason is needed' using errcode = 'VS001',
      hint = 'select vestige.set_context(''{"actor": "...", "reason": "..."}'') in the same transaction';
  end if;
  select * into strict t from vestige.tracked where id = tracked_id;
  perform vestige.check_owner(vestige.live_relation(t), 'erase');
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  perform pg_current_xact_id();
  if not parts <@ array['values', 'key', 'values,key'] or cardinality(ids) is distinct from cardinality(parts)
     or exists (select from unnest(ids) i cross join lateral (select from vestige.change c where c.id = i limit 1) c) then
    raise exception 'erase: only what stands in an archive alone is named without being taken' using errcode = 'invalid_parameter_value';
  end if;
  select k.* into h from vestige.held_archived(t.id, ids) k limit 1;
  if found then
    raise exception 'erase: change % is held for % (hold %)', h.change, to_json(h.matter), h.hold using errcode = 'VS006',
      hint = 'vestige hold list says by whom and why; nothing that it names goes before it is released';
  end if;
  number := nextval('vestige.change_id');
  perform vestige.write_change(t.id, t.shape, 'E', null, null, null, null, number);
  insert into vestige.erased (change, erased, parts) select number, u.id, u.parts from unnest(ids, parts) as u(id, parts);
  return number;
end
$$;

-- Erases the values of every change of a row, under each key it had: vestige.erase('customers', '17'). The ERASE's id, or
-- null when there was nothing to take.
create or replace function vestige.erase("table" regclass, variadic key text[]) returns bigint language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked := vestige.tracked_table("table", 'erase');
  ids bigint[] := array(select vestige.row_changes(t.id, vestige.named_key(t, key, 'erase') collate "C"));
begin
  if cardinality(ids) = 0 then
    raise exception 'erase % %: the trail has no change of such a row', "table", array_to_string(key, ' ') using errcode = 'no_data_found';
  end if;
  return (select e from vestige.erase_changes(ids) e limit 1);
end
$$;
