-- The trail's own tables: what people do with the trail, recorded and sealed as an application's tables are. Each is made when
-- it is first written to (vestige/trail/tracking.h, own). Who did it, when and from where, is the context of its changes.

create or replace function vestige.own_columns(name text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case name
    when 'mark' then 'name text primary key, change bigint not null'
    when 'access' then $own$id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      kind text not null check (kind in ('read', 'disclosure', 'trail', 'export', 'unseal')), subject_table text, subject_key text,
      purpose text, verb text, filter text, entries bigint check (entries >= 0), recipient text, recipient_address text,
      description text, request_ref text, suspended_until timestamptz$own$
    when 'review' then $own$id bigint generated always as identity primary key, report text not null, filter text,
      period_from timestamptz not null, period_to timestamptz not null, report_hash text, checkpoint text, reviewer text not null,
      verdict text not null check (verdict in ('in-order', 'exceptions')), comment text,
      signed_at timestamptz not null default clock_timestamp(), check (period_from < period_to
        and period_from >= '0001-01-01 00:00:00Z' and period_to <= '9999-12-31 23:59:59.999999Z')$own$
    when 'policy_change' then $own$id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      verb text not null check (verb in ('track', 'policy', 'untrack', 'record')), table_name text, before text, after text$own$
    when 'alert' then $own$id text primary key, rule text not null, rule_hash text not null, severity text not null,
      state text not null check (state in ('open', 'acknowledged', 'closed', 'silenced')), grp text, title text, first_index bigint,
      last_index bigint, opened_at timestamptz not null check (isfinite(opened_at)), changes text, detail text, owner text, comment text,
      backfilled boolean not null default false$own$
    when 'hold' then $own$id bigint generated always as identity primary key, matter text not null check (matter <> ''),
      filter text not null, conditions text, two_persons boolean not null default false, placed_by text not null check (placed_by <> ''),
      placed_user text not null default session_user, placed_at timestamptz not null default clock_timestamp(), released_by text, released_at timestamptz,
      refused bigint not null default 0, attempt text$own$
    -- Whose keys open what is encrypted, since when and until when.
    when 'recipient' then $own$id bigint generated always as identity primary key, class text not null check (class <> ''),
      public text not null, since timestamptz not null default clock_timestamp(), until timestamptz$own$
    -- Data keys that are no more: of a class, and where one is named of a subject (subject.sql), those in use from a change on, or an
    -- earlier one. The guard of the wraps lets it through.
    when 'destroyed' then $own$id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      class text not null check (class <> ''), upto_change bigint not null, data_keys bigint not null,
      subject text$own$
    when 'archived' then $own$id bigint generated always as identity primary key, at timestamptz not null default clock_timestamp(),
      from_index bigint not null, upto_index bigint not null, manifest text not null, check (0 <= from_index and from_index < upto_index)$own$
  end
$$;

-- returns   the id of the tracked table
create or replace function vestige.own_table(name text) returns int language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
declare
  known int;
begin
  if vestige.own_columns(name) is null then
    raise exception 'the trail has no table % of its own', name using errcode = 'invalid_parameter_value';
  end if;
  for pass in 1..2 loop
    select t.id into known from vestige.tracked t
    where (t.schema_name, t.table_name) = ('vestige', own_table.name) and t.untracked_at is null;
    if known is not null then
      return known;
    end if;
    perform from vestige.meta m where m.name = 'schema_version' for update;  -- one at a time
  end loop;
  execute format('create table if not exists vestige.%I (%s)', name, vestige.own_columns(name));
  if name = 'destroyed' then
    create index if not exists destroyed_upto on vestige.destroyed (upto_change);  -- each wrap that is written asks
  end if;
  known := vestige.set_policy(format('vestige.%I', name)::regclass, '{}');
  perform vestige.set_rights(false);
  return known;
end
$$;

-- What programs keep from one run to the next: made when it is first used, for nobody to read, and not recorded.
create or replace function vestige.kept_columns(name text) returns text language sql immutable
set search_path = pg_catalog, pg_temp as $$
  select case name
    -- What rules remember from one change of the feed to the next, in parts: it follows from what is recorded.
    when 'rule_state' then 'rule text not null, rule_hash text not null, part text not null, state text not null'
    when 'delivery' then $own$alert text not null, target text not null, place text not null, attempts bigint not null,
      next_attempt bigint not null, delivered_at bigint, gone int not null default 0, last_error text, primary key (alert, target)$own$
  end
$$;

create or replace function vestige.keep_table(name text) returns void language plpgsql security definer
set search_path = pg_catalog, pg_temp as $$
begin
  if name = 'encrypted_key' then
    return;  -- stands since the trail does, and nobody but capture writes to it
  elsif vestige.kept_columns(name) is null then
    raise exception 'the trail keeps nothing in a table %', name using errcode = 'invalid_parameter_value';
  end if;
  perform from vestige.meta m where m.name = 'schema_version' for update;  -- one at a time
  execute format('create table if not exists vestige.%I (%s)', name, vestige.kept_columns(name));
  -- Parts may be longer than an entry of an index: they are found by their hashes.
  if name = 'rule_state' then
    execute format('create index if not exists %I on vestige.%I using hash (part)', name || '_part', name);
  end if;
  perform vestige.set_rights(false);
end
$$;
