-- TRUNCATE: one change for itself, and a DELETE for each row that it removes (policy on_truncate: rows, mark, deny).
-- Of a partition alone, the DELETEs only, whatever the policy: the table is not empty then.
create or replace function vestige.capture_truncate() returns trigger language plpgsql security definer
set search_path = pg_catalog, pg_temp set row_security = off as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  e record;
  leaf oid;
  root oid := coalesce(pg_partition_root(tg_relid), tg_relid);
  setting text := format('vestige.truncated_%s', tg_argv[0]);
  manner text;
begin
  perform pg_current_xact_id();  -- before any id is taken: the sealer counts on it
  select * into t from vestige.tracked where id = tg_argv[0]::int;
  manner := coalesce(t.policy ->> 'on_truncate', 'rows');
  if manner = 'deny' then
    raise exception 'vestige: TRUNCATE of %.% is refused by its policy', tg_table_schema, tg_table_name
      using errcode = 'insufficient_privilege', hint = 'delete the rows, or change the policy: on_truncate = "rows"';
  end if;
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  t.shape := vestige.note_shape(t, root, null);
  if root = tg_relid then
    perform vestige.write_change(t.id, t.shape, 'T', null, null, null, null);
    perform set_config(setting, statement_timestamp()::text, true);
  end if;
  if manner = 'mark' and current_setting(setting, true) = statement_timestamp()::text then
    return null;
  end if;
  select * into s from vestige.shape where id = t.shape;
  e := vestige.expressions(s.columns, false, 'live.', 'live.');
  -- Each partition answers for itself, unless it was made since the triggers were.
  for leaf in
    select c.oid from pg_class c where c.oid = tg_relid and c.relkind = 'r'
    union all
    select p.relid from pg_partition_tree(tg_relid) p where p.isleaf and p.relid <> tg_relid
      and not exists (select from pg_trigger g where g.tgrelid = p.relid and g.tgname = '0_vestige_truncate')
  loop
    begin
      execute format('insert into vestige.change (xid, context, key_hash, tracked, shape, op, key, old_row)'
                     ' select $1, $2, hashtextextended(%1$s, $3), $3, $4, ''D'', %1$s, %2$s from only %3$s as live',
                     e.old_key, e.old_row, leaf::regclass)
        using pg_current_xact_id(), vestige.context_of(), t.id, s.id;
    exception when insufficient_privilege then
      insert into vestige.note (message)
      values (format('TRUNCATE of %s by %s: its rows are not in the trail, since the trail''s owner may not read them',
                     leaf::regclass, session_user));
    end;
  end loop;
  return null;
end
$$;
