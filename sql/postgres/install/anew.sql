-- The first write after DDL.

-- What a table looks like that was altered since its capture functions were made, as a shape's id; makes them anew, if
-- no other transaction is about to. It waits for nobody, so that no write does. Null: the table is not tracked here.
--
-- rel      the table that fired: for a partition, its own
create or replace function vestige.shape_anew(rel oid, tracked_id int) returns int language plpgsql
set search_path = pg_catalog, pg_temp as $$
declare
  t vestige.tracked;
  root oid := coalesce(pg_partition_root(rel), rel);
begin
  if not exists (select from vestige.tracked where id = tracked_id) then
    -- A copy of the schema alone. Or a transaction that began before the table was tracked, and comes after an ALTER TABLE.
    if (select is_called and last_value >= tracked_id from vestige.tracked_id_seq) then
      perform vestige.note_gap(tracked_id, 'changes of a transaction that began before tracking did are not in the trail');
    end if;
    return null;
  end if;
  if vestige.up_to_date(root) then
    begin
      perform from vestige.tracked where id = tracked_id for update skip locked;
      if found then
        perform vestige.refit(tracked_id, root, 'noticed at a write', false);
        return (select shape from vestige.tracked where id = tracked_id);
      end if;
    exception when others then
      select * into t from vestige.tracked where id = tracked_id;
      return vestige.note_shape(t, root, 'noticed at a write: ' || sqlerrm);
    end;
  end if;
  select * into t from vestige.tracked where id = tracked_id;
  return vestige.note_shape(t, root, 'noticed at a write');
end
$$;

-- A change of a table that was altered since its capture function was made: writes it down as the table is now.
create or replace function vestige.capture_anew(rel oid, tracked_id int, op "char", old_one anyelement, new_one anyelement)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$  -- pinned: values
declare
  t vestige.tracked;
  s vestige.shape;
  number int;
begin
  number := vestige.shape_anew(rel, tracked_id);
  if number is null then
    return;
  end if;
  select * into s from vestige.shape where id = number;
  select * into t from vestige.tracked where id = tracked_id;
  if jsonb_array_length(coalesce(t.policy -> 'require', '[]')) > 0 then
    perform vestige.require_fields(format('%I.%I', t.schema_name, t.table_name),
      array(select jsonb_array_elements_text(t.policy -> 'require')), current_setting('vestige.context', true));
  end if;
  perform vestige.capture_large(rel, tracked_id, s.id, op, old_one, new_one);
end
$$;
