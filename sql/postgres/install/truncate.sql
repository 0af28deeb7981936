-- TRUNCATE: a DELETE for each row that it removes, and then one change for itself (policy on_truncate: rows, mark, deny).
-- Of a partition alone, the DELETEs only, whatever the policy: the table is not empty then.

create or replace function vestige.capture_truncate() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  e record;
  target text;
  last_op "char";
  root oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  manner text;
  message text;
begin
  select * into t from vestige.tracked where id = tg_argv[0]::int and untracked_at is null;
  -- A copy of the schema alone; a partition that was detached.
  if t.id is null or root <> t.relation and root is distinct from vestige.live_relation(t) then
    return null;
  end if;
  perform pg_current_xact_id();  -- before any id is taken: the sealer counts on it
  manner := coalesce(t.policy ->> 'on_truncate', 'rows');
  if manner = 'deny' then
    raise exception 'vestige: TRUNCATE of %.% is refused by its policy', tg_table_schema, tg_table_name
      using errcode = 'insufficient_privilege', hint = 'delete the rows, or change the policy: on_truncate = "rows"';
  end if;
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  -- Of a partition, whether it was recorded with the whole table: then that TRUNCATE is the last thing that this transaction
  -- recorded of the table.
  if root <> tg_relid then
    select c.op into last_op from vestige.change c
    where c.tracked = t.id and c.xid = pg_current_xact_id() and c.id >= vestige.context_of() order by c.id desc limit 1;
    if last_op = 'T' then
      return null;
    end if;
  end if;
  t.shape := vestige.note_shape(t, root, null);
  select * into s from vestige.shape where id = t.shape;
  e := vestige.capture_expressions(s.columns, false, 'live.', 'live.');
  -- The whole table by one statement. Of what stands between it and its partitions, each partition answers for itself, unless
  -- it was made since the triggers were.
  foreach target in array case
    when manner = 'mark' and root = tg_relid then '{}'
    when not exists (select from pg_class c where c.oid = tg_relid and c.relkind = 'p') then array['only ' || tg_relid::regclass]
    when root = tg_relid then array[tg_relid::regclass::text]
    else array(select 'only ' || p.relid from pg_partition_tree(tg_relid) p where p.isleaf
                 and not exists (select from pg_trigger g where g.tgrelid = p.relid and g.tgname = '0_vestige_truncate')) end
  loop
    begin
      execute format('insert into vestige.change (xid, context, key_hash, tracked, shape, op, key, old_row)'
                     ' select $1, $2, hashtextextended(%1$s, $3), $3, $4, ''D'', %1$s, %2$s from %3$s as live%4$s',
                     e.old_key, e.old_row, target, ' where ' || nullif(vestige.not_large(s.columns), ''))
        using pg_current_xact_id(), vestige.context_of(), t.id, s.id;
      perform vestige.write_large(s, 'D', target || ' as live');
    exception when insufficient_privilege then
      message := format('TRUNCATE of %s by %s: its rows are not in the trail, since the trail''s owner may not read them',
                        tg_relid::regclass, session_user);
      perform vestige.note_gap(t.id, message);
      insert into vestige.note values (default, message);
    end;
  end loop;
  if root = tg_relid then
    perform vestige.write_change(t.id, t.shape, 'T', null, null, null, null);
  end if;
  return null;
end
$$;
