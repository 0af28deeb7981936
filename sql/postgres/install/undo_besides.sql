-- What happens besides the rows that are put back: what the application's triggers do once more, and what single statements
-- cannot do. docs/decisions/0015.

-- Whether the application has triggers on these tables, or on those that follow them by foreign keys.
create or replace function vestige.undo_watched(tables jsonb) returns boolean language sql stable
set search_path = pg_catalog, pg_temp as $$
  with recursive met as (
    select (x ->> 'rel')::oid as rel from jsonb_array_elements(tables) x
    union
    select n.rel from met m, lateral (
      select f.conrelid as rel from pg_constraint f where f.contype = 'f' and f.confrelid = m.rel
      union all
      select i.inhrelid from pg_inherits i where i.inhparent = m.rel) n
  )
  select exists (select from met m join pg_trigger g on g.tgrelid = m.rel join pg_proc p on p.oid = g.tgfoid
                 where not g.tgisinternal and g.tgenabled <> 'D' and p.pronamespace <> 'vestige'::regnamespace)
      or exists (select from met m join pg_rewrite w on w.ev_class = m.rel where w.ev_type <> '1')
$$;

-- Of a table without a key: rows that stand there and should not, and that should and do not, as what would put them right.
--
-- own       what this undoing did
-- planned   what it meant to do
-- follow    the columns whose values follow a foreign key
create or replace function vestige.undo_apart(own vestige.undo_row[], planned vestige.undo_row[], follow int[]) returns vestige.undo_row[]
language sql stable set search_path = pg_catalog, pg_temp as $$
  with plan as (
    select x.op, x.key as now, case when x.op = 'D' then vestige.fields(x.old_row) when x.op = 'U' then f.fields end as goal
    from unnest(planned) x left join lateral (
      select array_agg(case when y.o is distinct from y.n then y.o else y.k end order by y.place) as fields
      from unnest(vestige.fields(x.old_row), vestige.fields(x.new_row), vestige.fields(x.key)) with ordinality y(o, n, k, place)) f on x.op = 'U'
    where x.op is not null
  ), did as (
    select x.key as now, case when x.op = 'U' and not exists (select from plan p where p.now = x.old_row collate "C") then
                                (select array_agg(case when y.place = any (follow) then y.n else y.o end order by y.place)
                                 from unnest(vestige.fields(x.old_row), vestige.fields(x.key)) with ordinality y(o, n, place))
                              when x.op in ('U', 'D') then vestige.fields(x.old_row) end as was
    from unnest(own) x where x.op is not null
  ), counted as (
    select vestige.row_of(z.fields) collate "C" as whole, max(z.printed collate "C") as printed, sum(z.n) as n
    from (select vestige.fields(d.now), d.now, 1 from did d where d.now is not null
          union all select d.was, null, -1 from did d where d.was is not null
          union all select p.goal, null, -1 from plan p where p.goal is not null
          union all select vestige.fields(p.now), p.now, 1 from plan p where p.now is not null) z(fields, printed, n)
    group by 1 having sum(z.n) <> 0
  ), surplus as (
    select c.whole, c.printed, row_number() over (order by c.whole) as place from counted c, generate_series(1, c.n)
  ), missing as (
    select c.whole, row_number() over (order by c.whole) as place from counted c, generate_series(1, - c.n)
  )
  select array_agg(row(case when m.whole is null then 'I' when s.whole is null then 'D' else 'U' end, s.printed, m.whole, s.whole,
                       '{}')::vestige.undo_row order by s.place, m.place)
  from surplus s full join missing m on m.place = s.place
$$;

-- What this undoing did to rows of its tables beyond the goal becomes part of the goal, to be as it was before; what followed a
-- foreign key with ON UPDATE CASCADE stays.
--
-- since    the last change before the undoing
-- apart    how many rows of tables without a key are not as they should be
create or replace function vestige.undo_besides(inout tables jsonb, inout goal vestige.undo_row[], since bigint, out apart bigint) language plpgsql stable
set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  q jsonb;
  t vestige.tracked;
  own bigint[];
  rows vestige.undo_row[];
  more vestige.undo_row[];
  width int;
  follow int[];
  places int[];
  one record;
  r vestige.undo_row;
  g vestige.undo_row;
  o text[];
  n text[];
  before_ text[];
  after_ text[];
  parts text[];
begin
  apart := 0;
  -- What was missing of tables without a key is counted anew.
  tables := coalesce((select jsonb_agg(x order by (x ->> 'first')::int) from jsonb_array_elements(tables) x
                      where x -> 'keys' <> '[]' or not x ? 'besides'), '[]');
  for t in select k.* from vestige.tracked k where k.id in (select (x ->> 'tracked')::int from jsonb_array_elements(tables) x) order by k.id loop
    own := array(select c.id from vestige.change c where c.tracked = t.id and c.id > since and c.xid = pg_current_xact_id_if_assigned()
                 and (c.op in ('I', 'U') or c.op = 'D' and not exists (  -- of which not all can be put back
                   select from vestige.shape s where s.id = c.shape and jsonb_path_exists(s.columns, '$[*] ? (exists (@.redacted) || exists (@.encrypted))'))));
    q := (select x from jsonb_array_elements(tables) x where (x ->> 'tracked')::int = t.id limit 1);
    continue when q -> 'keys' <> to_jsonb(vestige.key_ids((vestige.shape_row(t.shape)).columns));
    rows := (vestige.undo_rows(t, own, null, false)).rows;
    width := jsonb_array_length(q -> 'keys');
    places := array(select (c ->> 'place')::int from jsonb_array_elements_text(q -> 'keys') with ordinality as k(id, place)
                      join jsonb_array_elements(q -> 'columns') c on c ->> 'id' = k.id order by k.place);
    follow := array(select distinct (c ->> 'place')::int from pg_constraint f, jsonb_array_elements(q -> 'columns') c
                    where f.contype = 'f' and f.conrelid = (q ->> 'rel')::oid and f.confupdtype = 'c' and (c ->> 'attnum')::smallint = any (f.conkey));
    more := '{}';
    if width = 0 then
      more := coalesce(vestige.undo_apart(rows, goal[(q ->> 'first')::int:(q ->> 'last')::int], follow), '{}');
      apart := apart + cardinality(more);
      rows := null;
    end if;
    for one in execute format($q$
      select x.op, x.key, x.old_row, x.new_row, x.changes, p.place
      from unnest($1) x left join (
        select y.op, y.key, y.old_row, y.new_row, z.first + y.place - 1 as place
        from (select (x ->> 'first')::int as first, (x ->> 'last')::int as last from jsonb_array_elements($2) x
              where (x ->> 'tracked')::int = $3) z,
          unnest($4[z.first:z.last]) with ordinality y(op, key, old_row, new_row, changes, place)
        where y.op is not null) p on vestige.one_key(p.key, $5) collate "C" = vestige.one_key(x.key, $5)
      where x.op is not null and (p.op is null or x.op = 'U' and p.op = 'U' and exists (
        select from (select (left(x.old_row, -1) || %1$L)::%2$s as xo, (left(x.new_row, -1) || %1$L)::%2$s as xn,
                            (left(p.old_row, -1) || %1$L)::%2$s as po, (left(p.new_row, -1) || %1$L)::%2$s as pn offset 0) f
        where %3$s))$q$, q ->> 'padding', q ->> 'fields',
      (select string_agg(format('(xo).f%1$s is distinct from (xn).f%1$s and (po).f%1$s is not distinct from (pn).f%1$s', c ->> 'place'), ' or ')
       from jsonb_array_elements(q -> 'columns') c)) using rows, tables, t.id, goal, width
    loop
      o := vestige.fields(one.old_row);
      n := vestige.fields(one.new_row);
      if one.op = 'U' then
        foreach width in array follow loop
          o[width] := n[width];
        end loop;
      end if;
      width := jsonb_array_length(q -> 'keys');
      continue when one.op = 'U' and o is not distinct from n;
      if one.place is null then
        r := row(one.op, one.key, vestige.row_of(o), vestige.row_of(n), one.changes);
        if one.op = 'U' then
          parts := case when width = 1 then array[r.key] else vestige.fields(r.key) end;
          for k in 1..width loop
            if o[places[k]] is distinct from n[places[k]] then
              parts[k] := o[places[k]];
            end if;
          end loop;
          r.key := case when width = 1 then parts[1] else vestige.row_of(parts) end;
        end if;
        more := more || r;
      else
        g := goal[one.place];
        before_ := vestige.fields(g.old_row);
        after_ := vestige.fields(g.new_row);
        for k in 1..cardinality(o) loop
          if o[k] is distinct from n[k] and before_[k] is not distinct from after_[k] then
            before_[k] := o[k];
            after_[k] := n[k];
          end if;
        end loop;
        g.old_row := vestige.row_of(before_);
        g.new_row := vestige.row_of(after_);
        goal[one.place] := g;
      end if;
    end loop;
    if cardinality(more) > 0 then
      tables := tables || (vestige.undo_sql(t, array(select k::int from jsonb_array_elements_text(q -> 'keys') k), cardinality(goal) + 1,
                                            cardinality(goal) + cardinality(more)) || '{"besides": true}');
      goal := goal || more;
    end if;
  end loop;
end
$$;

-- Undoes changes one by one, the newest first, as they were made: for values that rows handed round among themselves, which no
-- single statement gives back. What a constraint refuses waits until others are done, and with it what is older under the same
-- keys, since another row may stand there until then. What is left at last is tried whatever waits, and is left if that does
-- not help. Gives the statements.
create or replace function vestige.undo_steps(ids bigint[], wanted text[], path text) returns setof text language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  waiting bigint[] := array(select i from unnest(ids) i order by i desc);
  still bigint[];
  number bigint;
  keys text[];
  held text[];  -- under which something waits
  anyhow boolean := false;
  t vestige.tracked;
  rows vestige.undo_row[];
  q jsonb;
begin
  loop
    still := '{}';
    held := '{}';
    foreach number in array waiting loop
      keys := (select array_remove(array[c.tracked || ' ' || c.key, c.tracked || ' ' || c.new_key], null) from vestige.change c where c.id = number);
      if keys && held and not anyhow then
        still := still || number;
        held := held || keys;
        continue;
      end if;
      begin
        t := (select k from vestige.change c join vestige.tracked k on k.id = c.tracked where c.id = number and c.op in ('I', 'U', 'D')
              and (c.old_row is not null or c.new_row is not null));
        continue when t.id is null;
        rows := (vestige.undo_rows(t, array[number], wanted, true)).rows;
        continue when rows is null;
        q := vestige.undo_sql(t, (select vestige.key_ids(s.columns) from vestige.change c join vestige.shape s on s.id = c.shape
                                  where c.id = number), 1, 1, vestige.undo_absent(t, array[number]));
        rows := (vestige.undo_look(q, rows, 'force')).rows;
        continue when (rows[1]).op is null;
        perform vestige.undo_spares(jsonb_build_array(q), rows);
        perform vestige.undo_apply(jsonb_build_array(q), rows, path);
        return query select vestige.undo_patch(jsonb_build_array(q), rows);
      exception when integrity_constraint_violation or sqlstate 'VS003' or sqlstate 'VS004' then
        still := still || number;
        held := held || keys;
      end;
    end loop;
    exit when cardinality(still) = 0 or anyhow and cardinality(still) = cardinality(waiting);
    anyhow := cardinality(still) = cardinality(waiting);
    waiting := still;
  end loop;
end
$$;
