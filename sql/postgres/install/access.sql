-- Who was shown what: reads that an application reports, and reads of the trail itself. And what became of policies. Rows of
-- the trail's own tables (own.sql); who, and from where, is the context of their changes.

-- Reports that rows of a table were read, or disclosed to somebody outside. Anybody may; nothing of it is believed but what it says.
--
-- key        the row's, where its key has one column; whole_key: all columns of it, in their order
-- returns    the id of the row of vestige.access
create or replace function vestige.access("table" regclass, key text default null, purpose text default null,
  kind text default 'read', recipient text default null, recipient_address text default null, description text default null,
  request_ref text default null, suspended_until timestamptz default null, entries bigint default null,
  whole_key text[] default null) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  number bigint;
  said text;
  shown text := (select vestige.shown_name(n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where c.oid = "table");
begin
  if kind is null or kind not in ('read', 'disclosure') then
    raise exception 'access: kind is %', coalesce(kind, 'null') using errcode = 'invalid_parameter_value',
      hint = 'it is read or disclosure';
  elsif kind = 'disclosure' and btrim(coalesce(recipient, '')) = '' then
    raise exception 'access: a disclosure has a recipient' using errcode = 'invalid_parameter_value',
      hint = 'recipient => ''Dr. Roe'', and recipient_address where it is known';
  elsif shown is null then
    raise exception 'access: the table is missing' using errcode = 'undefined_table';
  elsif not isfinite(suspended_until) then
    raise exception 'access: suspended_until is %', suspended_until using errcode = 'invalid_parameter_value',
      hint = 'it is the time from which the disclosure may be told';
  end if;
  -- Anybody may call this, and what is recorded stays.
  foreach said in array array[key, purpose, recipient, recipient_address, description, request_ref, whole_key::text] loop
    if octet_length(said) > 8192 then
      raise exception 'access: a text of % bytes is too long', octet_length(said) using errcode = 'string_data_right_truncation',
        hint = 'each may have 8192';
    end if;
  end loop;
  perform vestige.own_table('access');
  insert into vestige.access as a (kind, subject_table, subject_key, purpose, recipient, recipient_address, description, request_ref,
                                   suspended_until, entries)
  values (access.kind, shown, to_json(case when whole_key is not null then whole_key when key is not null then array[key] end)::text, purpose, recipient, recipient_address, description,
          request_ref, suspended_until, entries)
  returning a.id into number;
  return number;
end
$$;

-- Writes down a read of the trail, by whoever may read it: what a program shows, and nothing that an application reports.
create or replace function vestige.record_read(kind text, verb text, filter text, purpose text) returns void language plpgsql
security definer set search_path = pg_catalog, pg_temp as $$
begin
  if kind is null or kind not in ('trail', 'export', 'unseal') then
    raise exception 'record_read: kind is %', coalesce(kind, 'null') using errcode = 'invalid_parameter_value',
      hint = 'it is trail, export or unseal; what is read elsewhere is reported by vestige.access';
  end if;
  perform vestige.own_table('access');
  insert into vestige.access (kind, verb, filter, purpose)
  values (record_read.kind, record_read.verb, record_read.filter, record_read.purpose);
end
$$;

-- Whether that is asked for, and policies' changes are recorded.
create or replace function vestige.recording() returns boolean language sql stable set search_path = pg_catalog, pg_temp as $$
  select exists (select from vestige.meta m where m.name = 'record_access')
$$;

-- Writes down what became of a policy, where that is asked for. The trail's own tables have none.
create or replace function vestige.note_policy(verb text, t vestige.tracked, before jsonb, after jsonb) returns void language plpgsql
set search_path = pg_catalog, pg_temp as $$
begin
  if vestige.recording() and t.schema_name is distinct from 'vestige' then
    perform vestige.own_table('policy_change');
    insert into vestige.policy_change (verb, table_name, before, after)
    values (note_policy.verb, vestige.shown_name(t.schema_name, t.table_name), note_policy.before::text, note_policy.after::text);
  end if;
end
$$;

-- Asks for it, or no longer. Either is recorded.
create or replace function vestige.record_access("on" boolean) returns boolean language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  was boolean;
begin
  perform from vestige.meta m where m.name = 'schema_version' for update;  -- one at a time
  was := vestige.recording();
  if "on" is null or "on" = was then
    return was;
  end if;
  perform vestige.own_table('access');
  perform vestige.own_table('policy_change');
  if "on" then
    insert into vestige.meta values ('record_access', 'on');
  else
    delete from vestige.meta where name = 'record_access';
  end if;
  insert into vestige.policy_change (verb, before, after)
  values ('record', jsonb_build_object('record', was)::text, jsonb_build_object('record', "on")::text);
  return was;
end
$$;
