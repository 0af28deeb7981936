-- The capture functions, generated for each table.

-- The body of a table's capture function. Values go through variables: PL/pgSQL keeps the state of an assignment's
-- expression for the whole transaction, but prepares those of an INSERT each time.
create or replace function vestige.capture_source(rel oid, t vestige.tracked, s vestige.shape) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  e record := vestige.expressions(s.columns, s.whole, 'OLD.', 'NEW.');
  required text := (select quote_literal(array_agg(f)) from jsonb_array_elements_text(t.policy -> 'require') f);
  condition text := coalesce(t.policy ->> 'when', '');
begin
  return format($source$
declare
  number bigint;
  context bigint;
  xid xid8;
  given text;
  op "char";
  wanted boolean := true;
  key_hash bigint;
  old_key text;
  new_key text;
  old_row text;
  new_row text;
begin
  if vestige.standing('%1$s'::regclass) <> %2$s then
    if tg_op = 'INSERT' then
      perform vestige.capture_anew(tg_relid, %3$s, 'I', NEW, NEW);
    elsif tg_op = 'UPDATE' then
      perform vestige.capture_anew(tg_relid, %3$s, 'U', OLD, NEW);
    else
      perform vestige.capture_anew(tg_relid, %3$s, 'D', OLD, OLD);
    end if;
    return null;
  end if;%4$s
  if tg_op = 'UPDATE' then
    if not (%5$s) then
      return null;
    end if;
    op := 'U';
    old_key := %6$s;
    new_key := %7$s;
    if new_key = old_key then
      new_key := null;
    end if;
    old_row := %8$s;
    new_row := %9$s;
  elsif tg_op = 'INSERT' then
    op := 'I';
    old_key := %7$s;
    new_row := %11$s;
  else
    op := 'D';
    old_key := %6$s;
    old_row := %10$s;
  end if;
  given := coalesce(current_setting('vestige.context', true), '');%12$s
  if pg_trigger_depth() > 1 or current_setting('vestige.nested_%3$s', true) <> '' then
    if op = 'I' then
      perform vestige.capture_nested(tg_relid, %3$s, %13$s, op, old_key, new_key, old_row, new_row, NEW, NEW);
    elsif op = 'U' then
      perform vestige.capture_nested(tg_relid, %3$s, %13$s, op, old_key, new_key, old_row, new_row, OLD, NEW);
    else
      perform vestige.capture_nested(tg_relid, %3$s, %13$s, op, old_key, new_key, old_row, new_row, OLD, OLD);
    end if;
    return null;
  end if;
  number := nextval('vestige.change_id');
  xid := pg_current_xact_id();
  if current_setting('vestige.state', true) = xid::text || ' ' || given then
    context := current_setting('vestige.number');
  else
    context := vestige.begin_context(number, xid::text, given);
  end if;
  key_hash := hashtextextended(old_key, %3$s);
  insert into vestige.change values (number, clock_timestamp(), xid, context, %3$s, %13$s, op, key_hash, old_key, new_key,
                                     old_row, new_row);
  if new_key is not null then
    insert into vestige.moved values (hashtextextended(new_key, %3$s), number, clock_timestamp());
  end if;
  return null;
end
$source$,
    rel, s.signature, t.id,
    case when condition = '' then '' else format($w$
  begin
    wanted := %s;
  exception when others then
    wanted := true;
  end;
  if not wanted then
    return null;
  end if;$w$, condition) end,
    e.changed, e.old_key, e.new_key, e.old_changed, e.new_changed, e.old_row, e.new_row,
    case when required is null then '' else format(E'\n  perform vestige.require_fields(%L, %s, given);',
                                                   format('%I.%I', t.schema_name, t.table_name), required) end,
    s.id);
end
$$;

-- The statement that writes down all rows of an INSERT, of the transition table `inserted`. Its parameters, however they
-- are spelled: the id of the first change (null: the next), the transaction, the context.
create or replace function vestige.inserted_statement(s vestige.shape, number text, xid text, context text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  select format($statement$insert into vestige.change
    select %1$s, clock_timestamp(), %2$s, %3$s, %4$s, %5$s, 'I', hashtextextended(%6$s, %4$s), %6$s, null, null, %7$s from inserted as live$statement$,
    case when number is null then 'nextval(''vestige.change_id'')'
         else format('case row_number() over () when 1 then %s else nextval(''vestige.change_id'') end', number) end,
    xid, context, s.tracked, s.id, e.new_key, e.new_row)
  from vestige.expressions(s.columns, true, 'live.', 'live.') e
$$;

-- The body of the function that captures a table's INSERTs, a statement at a time. Inside a trigger, and where one
-- changed the table in this transaction, each row finds its place by itself (see capture_nested).
create or replace function vestige.insert_source(rel oid, t vestige.tracked, s vestige.shape) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
  e record := vestige.expressions(s.columns, true, 'live.', 'live.');
  required text := (select quote_literal(array_agg(f)) from jsonb_array_elements_text(t.policy -> 'require') f);
begin
  return format($source$
#variable_conflict use_column
declare
  tx_number bigint;
  tx_context bigint;
  tx xid8;
  given text;
  known boolean;
  fitting vestige.shape;
  one record;
begin
  tx := pg_current_xact_id_if_assigned();
  given := coalesce(current_setting('vestige.context', true), '');
  known := coalesce(current_setting('vestige.state', true) = tx::text || ' ' || given, false);
  if not known and not exists (select from inserted) then
    return null;
  end if;%3$s
  if vestige.standing('%1$s'::regclass) <> %2$s then
    if pg_trigger_depth() > 1 or current_setting('vestige.nested_%4$s', true) <> '' then
      for one in execute format('select row(live.*)::%%s as live from inserted live', tg_relid::regclass) loop
        perform vestige.capture_anew(tg_relid, %4$s, 'I', one.live, one.live);
      end loop;
      return null;
    end if;
    tx_number := vestige.shape_anew(tg_relid, %4$s);
    fitting := vestige.shape_row(tx_number::int);
  elsif pg_trigger_depth() > 1 or current_setting('vestige.nested_%4$s', true) <> '' then
    for one in select row(live.*)::%5$s as live, %6$s as key, %7$s as printed from inserted live loop
      perform vestige.capture_nested(tg_relid, %4$s, %8$s, 'I', one.key, null, null, one.printed, one.live, one.live);
    end loop;
    return null;
  end if;
  if known then
    tx_context := current_setting('vestige.number');
    if fitting.id is null then
      %10$s;
      return null;
    end if;
  end if;
  tx_number := nextval('vestige.change_id');
  if not known then
    tx := pg_current_xact_id();
    tx_context := vestige.begin_context(tx_number, tx::text, given);
  end if;
  if fitting.id is not null then
    execute vestige.inserted_statement(fitting, '$1', '$2', '$3') using tx_number, tx, tx_context;
    return null;
  end if;
  %9$s;
  return null;
end
$source$,
    rel, s.signature,
    case when required is null then '' else format(E'\n  perform vestige.require_fields(%L, %s, given);',
                                                   format('%I.%I', t.schema_name, t.table_name), required) end,
    t.id, rel::regclass, e.new_key, e.new_row, s.id,
    vestige.inserted_statement(s, 'tx_number', 'tx', 'tx_context'),
    vestige.inserted_statement(s, null, 'tx', 'tx_context'));
end
$$;
