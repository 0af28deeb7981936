-- The feed for any client: changes by their index, their place in the one order that the tree has
-- (docs/decisions/0018-feed.md; test/feed_sql_test.cc).

-- The changes that have the places behind an index, from the entries: an entry begins {"v":1,"id":N, in ASCII, and two bytes
-- before it are its length.
create or replace function vestige.feed_places(after bigint, most int) returns table (index bigint, id bigint) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
declare
  b record;
  entries bytea;
  at int;
  size int;
  given int := 0;
begin
  index := greatest(after, -1);
  for b in select x.n, x.width, x.entries as kept from vestige.bundle x where x.n >= (greatest(after, -1) + 1) / 256 order by x.n loop
    exit when given >= most or b.n * 256 > index + 1;  -- a hole, which verify names
    entries := b.kept || ''::bytea;  -- read once
    at := 0;
    for place in 0..b.width - 1 loop
      exit when given >= most;
      if at + 2 > octet_length(entries) then
        raise exception 'feed: bundle % ends within its entries', b.n using errcode = 'data_corrupted', hint = 'vestige verify says more';
      end if;
      size := get_byte(entries, at) * 256 + get_byte(entries, at + 1);
      if b.n * 256 + place > index then
        index := b.n * 256 + place;
        id := substring(encode(substring(entries from at + 3 for least(size, 32)), 'escape') from '^{"v":1,"id":([0-9]{1,19}),')::bigint;
        if id is null then
          raise exception 'feed: entry % is none', index using errcode = 'data_corrupted', hint = 'vestige verify says more';
        end if;
        given := given + 1;
        return next;
      end if;
      at := at + 2 + size;
    end loop;
  end loop;
end
$$;

-- Changes behind an index, at most so many, in the order of the feed, with the columns of vestige.changes. It gives what has its
-- place: `vestige seal` and `vestige log --follow` give places. Of a change that is gone all but index and id is null.
--
-- after   the index of the last change that is known already; -1: none is
create or replace function vestige.feed(after bigint default -1, most int default 1000)
returns table (index bigint, id bigint, at timestamptz, op text, "table" text, key json, new_key json, old_values json, new_values json,
  changed_fields text[], tx bigint, context json, db_user text, db_role text, client_addr inet, application_name text, actor text, erased json)
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  ids bigint[];
  places bigint[];
begin
  select array_agg(p.index order by p.index), array_agg(p.id order by p.index) into places, ids from vestige.feed_places(after, most) p;
  return query
    select p.index, p.id, c.at, c.op, c."table", c.key, c.new_key, c.old_values, c.new_values, c.changed_fields, c.tx, c.context::json,
           c.db_user::text, c.db_role::text, c.client_addr, c.application_name::text, c.actor, c.erased
    from unnest(places, ids) as p(index, id) left join (select * from vestige.changes x where x.id = any (ids) offset 0) c on c.id = p.id
    order by p.index;
end
$$;
