-- The capture functions, generated for each table.

drop function if exists vestige.usual_context(oid, vestige.tracked, vestige.shape);
drop function if exists vestige.inserted_statement(vestige.shape, text);
drop function if exists vestige.inserted_statement(vestige.shape, text, text, text, text);
drop function if exists vestige.inserted_rows(text, text, text);

-- Whether the table that fires is the one that a capture function was made for: a condition, as SQL. The owner of a
-- partitioned table may use its capture function (refit), and could have another table fire it.
create or replace function vestige.is_own(rel oid) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select format(case when relkind = 'p' then 'pg_partition_root(tg_relid) is not distinct from %s::oid' else 'tg_relid = %s' end, rel)
          from pg_class where oid = rel);
end
$$;

-- Whether everything is as it most often is, so far as can be told at once: the session says that a context stands, no
-- trigger is around, and the table is the one that it was. What the session says is looked up where the change is written.
create or replace function vestige.usual(rel oid, t vestige.tracked, s vestige.shape) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return format($usual$current_setting('vestige.state', true) = %1$s
    and vestige.standing('%2$s'::regclass) = %3$s and %5$s and pg_trigger_depth() = 1
    and coalesce(current_setting('vestige.nested_%4$s', true), '') = ''$usual$,
    vestige.hint(), rel, s.signature, t.id, vestige.is_own(rel));
end
$$;

-- The check of what a policy requires of the context, as a line of a capture function; '' when it requires nothing.
create or replace function vestige.requirement(t vestige.tracked) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  return (select case when count(*) = 0 then '' else
           format(E'\n  perform vestige.require_fields(%L, %L, current_setting(''vestige.context'', true));',
                  format('%I.%I', t.schema_name, t.table_name), array_agg(f)) end
  from jsonb_array_elements_text(t.policy -> 'require') f);
end
$$;

-- The body of a table's capture function. Most of what it costs is setting its expressions up, once in a transaction:
-- so there are few of them, and they are short. Rows go through variables: PL/pgSQL keeps what an assignment set up for
-- the whole transaction, but sets an INSERT up each time.
--
-- leave   the statement that ends it
create or replace function vestige.capture_body(rel oid, t vestige.tracked, s vestige.shape, leave text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: names
declare
  e record := vestige.capture_expressions(s.columns, s.whole, 'OLD.', 'NEW.');
  condition text := coalesce(vestige.condition_text(t, rel), '');
  large text := vestige.large_test(s.columns, 'NEW.', 'OLD.');
begin
  return format($source$
#variable_conflict use_column
declare
  usual boolean;
  context bigint;
  number bigint;
  op "char";
  wanted boolean := true;
  nested boolean;%21$s%26$s
  old_key text;
  new_key text;
  old_row text;
  new_row text;
begin
  usual := %1$s;
  if usual is not true then
    if vestige.standing('%2$s'::regclass) <> %3$s or not %15$s then
      if not vestige.own(tg_relid, %4$s) then
        null;
      elsif tg_op = 'INSERT' then
        perform vestige.capture_anew(tg_relid, %4$s, 'I', NEW, NEW);
      elsif tg_op = 'UPDATE' then
        perform vestige.capture_anew(tg_relid, %4$s, 'U', OLD, NEW);
      else
        perform vestige.capture_anew(tg_relid, %4$s, 'D', OLD, OLD);
      end if;
      %20$s;
    end if;
    nested := pg_trigger_depth() > 1 or current_setting('vestige.nested_%4$s', true) <> '';
  end if;%5$s%22$s
  %23$sif tg_op = 'UPDATE' then
    op := 'U';%27$s
    old_row := %6$s;
    new_row := %7$s;
    if old_row = new_row or %8$s then
      if old_row = new_row then
        %20$s;
      end if;
      new_key := %10$s;
    end if;
    old_key := %9$s;
    if new_key = old_key then
      new_key := null;
    end if;
  elsif tg_op = 'INSERT' then
    op := 'I';
    old_key := %10$s;
    new_row := %12$s;
  else
    op := 'D';
    old_key := %9$s;
    old_row := %11$s;
  end if;%13$s
  if nested%24$s then%25$s
%16$s
    %20$s;
  end if;
  number := nextval('vestige.change_id');
  if usual then
    insert into vestige.change (id, xid, context, key_hash, tracked, shape, op, key, new_key, old_row, new_row)
    select number, x.xid, x.id, hashtextextended(old_key, %4$s), %4$s, %14$s, op, old_key, new_key, old_row, new_row
    from %17$s
    where %18$s and %19$s;
    if found then
      if new_key is not null then
        insert into vestige.moved values (hashtextextended(new_key, %4$s), number, clock_timestamp());
      end if;
      %20$s;
    end if;
  end if;
  context := vestige.begin_context(number, %4$s);
  if context is null then
%16$s
    %20$s;
  end if;
  insert into vestige.change values (number, clock_timestamp(), pg_current_xact_id(), context,
    hashtextextended(old_key, %4$s), %4$s, %14$s, op, old_key, new_key, old_row, new_row);
  if new_key is not null then
    insert into vestige.moved values (hashtextextended(new_key, %4$s), number, clock_timestamp());
  end if;
  %20$s;
end
$source$,
    vestige.usual(rel, t, s), rel, s.signature, t.id,
    case when condition = '' then '' else format($w$
  begin
    wanted := %s;
  exception when others then
    wanted := true;
  end;
  if not wanted then
    %s;
  end if;$w$, condition, leave) end,
    e.old_changed, e.new_changed, e.moved, e.old_key, e.new_key, e.old_row, e.new_row, vestige.requirement(t), s.id, vestige.is_own(rel),
    vestige.nested_call(t, s), vestige.hinted_context(), vestige.context_stands(), vestige.not_nested(t.id), leave,
    case when large is not null then E'\n  large boolean;' end, E'\n  large := ' || large || ';',
    case when large is not null then E'if large then\n    op := left(tg_op, 1);\n  els' end,
    case when large is not null then ' or large' end,
    case when large is not null then format($large$
    if large then
      if op = 'I' then
        perform vestige.capture_large(tg_relid, %1$s, %2$s, op, NEW, NEW);
      elsif op = 'U' then
        perform vestige.capture_large(tg_relid, %1$s, %2$s, op, OLD, NEW);
      else
        perform vestige.capture_large(tg_relid, %1$s, %2$s, op, OLD, OLD);
      end if;
      %3$s;
    end if;$large$, t.id, s.id, leave) end,
    case when e.tokens is not null then E'\n  tokens text[];' end, E'\n    tokens := ' || e.tokens || ';');
end
$$;

create or replace function vestige.capture_source(rel oid, t vestige.tracked, s vestige.shape) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select vestige.capture_body(rel, t, s, 'return null')
$$;

-- The lines of a capture function that write a change down which must find its place (vestige.capture_nested).
create or replace function vestige.nested_call(t vestige.tracked, s vestige.shape) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select format($call$    if op = 'I' then
      perform vestige.capture_nested(tg_relid, %1$s, %2$s, op, old_key, new_key, old_row, new_row, NEW, NEW);
    elsif op = 'U' then
      perform vestige.capture_nested(tg_relid, %1$s, %2$s, op, old_key, new_key, old_row, new_row, OLD, NEW);
    else
      perform vestige.capture_nested(tg_relid, %1$s, %2$s, op, old_key, new_key, old_row, new_row, OLD, OLD);
    end if;$call$, t.id, s.id)
$$;

-- The statement that writes down all rows of an INSERT, of the transition table `inserted`, under a context. Ids and
-- times are defaults, so that PostgreSQL computes a row in one step.
--
-- key, printed   of a row, `live`: expressions
-- more           what follows inserted as live in FROM, and WHERE
-- taken          which rows it takes: a condition (vestige.not_large); '' when it takes all
create or replace function vestige.inserted_statement(s vestige.shape, key text, printed text, context text, more text, taken text) returns text
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  if taken <> '' then
    more := more || case when more = '' then ' where ' else ' and ' end || taken;
  end if;
  return format($statement$insert into vestige.change (xid, context, key_hash, tracked, shape, op, key, new_row)
    select pg_current_xact_id(), %1$s, hashtextextended(%2$s, %3$s), %3$s, %4$s, 'I', %2$s, %5$s from inserted as live%6$s$statement$,
    context, key, s.tracked, s.id, printed, more);
end
$$;

create or replace function vestige.inserted_statement(s vestige.shape, context text, more text) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select vestige.inserted_statement(s, e.new_key, e.new_row, context, more, vestige.not_large(s.columns)) from vestige.capture_expressions(s.columns, true, 'live.', 'live.') e
$$;

-- The rows of an INSERT one by one: each as a row of its table, its key, its text.
create or replace function vestige.inserted_rows(key text, printed text, typed text, taken text) returns text language plpgsql immutable
set search_path = pg_catalog, pg_temp as $$
begin
  return format('select %s as live, %s as key, %s as printed from inserted live%s', typed, key, printed, ' where ' || nullif(taken, ''));
end
$$;

create or replace function vestige.inserted_rows(s vestige.shape, typed text) returns text language sql stable
set search_path = pg_catalog, pg_temp as $$
  select vestige.inserted_rows(e.new_key, e.new_row, typed, vestige.not_large(s.columns)) from vestige.capture_expressions(s.columns, true, 'live.', 'live.') e
$$;

-- A row of the transition table as a row of its table, as SQL. Where the trail's owner may not name the table, there is
-- none, and what needs one does without (vestige.standing_row).
create or replace function vestige.typed_row(rel oid) returns text language plpgsql stable
set search_path = pg_catalog, pg_temp as $$
begin
  return coalesce((select 'row(live.*)::' || vestige.quoted_relation(rel) from pg_class c
                   where c.oid = rel and has_schema_privilege(c.relnamespace, 'usage')), 'null::text');
end
$$;

-- The body of the function that captures a table's INSERTs, a statement at a time. Inside a trigger, and where one
-- changed the table in this transaction, each row finds its place by itself (see capture_nested). Whether there are
-- rows at all is only known when they are written, so a context that begins with them comes after them.
create or replace function vestige.insert_source(rel oid, t vestige.tracked, s vestige.shape) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$  -- pinned: names
declare
  required text := vestige.requirement(t);
  e record := vestige.capture_expressions(s.columns, true, 'live.', 'live.');
  taken text := vestige.not_large(s.columns);
  large boolean := taken <> '';
begin
  return format($source$
#variable_conflict use_variable
declare
  usual boolean;
  number bigint;
  nested boolean;%14$s
  one record;
begin%1$s
  usual := %2$s;
  if usual then
    %10$s;
    %15$s
  else
    nested := pg_trigger_depth() > 1 or current_setting('vestige.nested_%3$s', true) <> '';
    if vestige.standing('%4$s'::regclass) <> %5$s or not %12$s then
      if vestige.own(tg_relid, %3$s) and exists (select from inserted) then
        number := vestige.shape_anew(tg_relid, %3$s);
        if number is null then
          return null;
        elsif nested or vestige.deepest(%3$s) > 0 then
          for one in execute vestige.inserted_rows(vestige.shape_row(number::int), vestige.typed_row(tg_relid)) loop
            perform vestige.capture_nested(tg_relid, %3$s, number::int, 'I', one.key, null, null, one.printed, one.live, one.live);
          end loop;
        else
          execute vestige.inserted_statement(vestige.shape_row(number::int), '$1', '') using vestige.context_of();
        end if;
        %13$s
      end if;
      return null;
    end if;
  end if;
  %16$sif nested is not true and not (vestige.begun_here() and vestige.deepest(%3$s) > 0) then
    number := nextval('vestige.change_id');
    %11$s;
    if found then
      number := vestige.begin_context(number);
    end if;
  elsif has_schema_privilege(%6$s, 'usage') then
    for one in %7$s loop
      perform vestige.capture_nested(tg_relid, %3$s, %9$s, 'I', one.key, null, null, one.printed, one.live, one.live);
    end loop;
  else
    for one in %8$s loop
      perform vestige.capture_nested(tg_relid, %3$s, %9$s, 'I', one.key, null, null, one.printed, one.live, one.live);
    end loop;
  end if;%17$s
  return null;
end
$source$,
    case when required = '' then '' else format(E'\n  if exists (select from inserted) then%s\n  end if;', required) end,
    vestige.usual(rel, t, s), t.id, rel, s.signature, (select relnamespace from pg_class where oid = rel),
    vestige.inserted_rows(e.new_key, e.new_row, 'row(live.*)::' || vestige.quoted_relation(rel), taken),
    vestige.inserted_rows(e.new_key, e.new_row, 'null::text', taken), s.id,
    vestige.inserted_statement(s, e.new_key, e.new_row, 'x.id', format(', %s where %s and %s', vestige.hinted_context(), vestige.context_stands(),
                                                 vestige.not_nested(t.id)), taken),
    vestige.inserted_statement(s, e.new_key, e.new_row, 'number', '', taken),
    vestige.is_own(rel), vestige.inserted_large(t, 'number::int'),
    case when large then E'\n  done boolean;' end,
    case when large then 'done := found;' else E'if found then\n      return null;\n    end if;' end,
    case when large then E'if done then\n    null;\n  els' end,
    case when large then E'\n  ' || vestige.inserted_large(t, s.id::text) end);
end
$$;

-- The lines that write down the large rows of an INSERT, which its statements left: of the transition table `inserted`.
create or replace function vestige.inserted_large(t vestige.tracked, shape text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select format($lines$if current_setting('vestige.large', true) = 'met' and vestige.met_large() then
    for one in execute vestige.large_rows(vestige.shape_row(%2$s), 'I', 'live.', 'live.', 'inserted as live',
                                          vestige.large_test((vestige.shape_row(%2$s)).columns, 'live.')) loop
      perform vestige.capture_nested(tg_relid, %1$s, vestige.shape_without(vestige.shape_row(%2$s), one.marks), 'I', one.new_key,
        null, null, one.new_row, null::text, null::text);
    end loop;
  end if;$lines$, t.id, shape)
$$;
