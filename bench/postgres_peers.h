// The triggers that people write by hand, or have a library write, on the tables of postgres_setup.h.
#pragma once

#include <string_view>

namespace vestige::bench {

struct Peer {
  std::string_view name;
  std::string_view sql;       // installs it, in schema peer
  std::string_view triggers;  // and then these
};

// Of one function for all tables.
inline constexpr std::string_view kOneFunction = R"(
create trigger peer_accounts after insert or update or delete on accounts for each row execute function peer.record();
create trigger peer_transfers after insert or update or delete on transfers for each row execute function peer.record();
create trigger peer_wide after insert or update or delete on wide for each row execute function peer.record();
)";

// The generic trigger that tutorials print: both rows as jsonb, and the names of the fields that differ.
inline constexpr std::string_view kJsonbTrigger = R"(
create schema peer;
create table peer.audit_log (
  id serial primary key,
  table_name varchar(100) not null,
  record_id integer not null,
  action varchar(10) not null check (action in ('INSERT', 'UPDATE', 'DELETE')),
  old_values jsonb,
  new_values jsonb,
  changed_fields text[],
  changed_by integer,
  changed_at timestamp default current_timestamp,
  ip_address inet,
  user_agent text
);
create index idx_audit_table_record on peer.audit_log (table_name, record_id);
create function peer.record() returns trigger language plpgsql as $$
declare
  old_json jsonb;
  new_json jsonb;
  changed text[];
begin
  if tg_op = 'INSERT' then
    new_json := to_jsonb(new);
    insert into peer.audit_log (table_name, record_id, action, new_values)
    values (tg_table_name, new.id, 'INSERT', new_json);
  elsif tg_op = 'UPDATE' then
    old_json := to_jsonb(old);
    new_json := to_jsonb(new);
    select array_agg(key) into changed
    from jsonb_each(old_json) as o(key, value) join jsonb_each(new_json) as n(key, value) using (key)
    where o.value is distinct from n.value;
    insert into peer.audit_log (table_name, record_id, action, old_values, new_values, changed_fields)
    values (tg_table_name, new.id, 'UPDATE', old_json, new_json, changed);
  elsif tg_op = 'DELETE' then
    old_json := to_jsonb(old);
    insert into peer.audit_log (table_name, record_id, action, old_values)
    values (tg_table_name, old.id, 'DELETE', old_json);
  end if;
  return coalesce(new, old);
end
$$;
)";

// The one of the PostgreSQL wiki's kind: the row before as hstore, and the fields that differ.
inline constexpr std::string_view kHstoreTrigger = R"(
create extension hstore;
create schema peer;
create table peer.logged_actions (
  event_id bigserial primary key,
  schema_name text not null,
  table_name text not null,
  record_id bigint not null,
  session_user_name text,
  action_tstamp_tx timestamptz not null,
  action_tstamp_clk timestamptz not null,
  transaction_id bigint,
  application_name text,
  client_addr inet,
  action text not null check (action in ('I', 'D', 'U', 'T')),
  row_data hstore,
  changed_fields hstore
);
create index on peer.logged_actions (table_name, record_id);
create function peer.record() returns trigger language plpgsql as $$
declare
  before hstore;
  changed hstore;
  record_id bigint;
begin
  if tg_op = 'UPDATE' then
    before := hstore(old);
    changed := hstore(new) - before;
    if changed = hstore('') then
      return null;
    end if;
    record_id := old.id;
  elsif tg_op = 'DELETE' then
    before := hstore(old);
    record_id := old.id;
  else
    before := hstore(new);
    record_id := new.id;
  end if;
  insert into peer.logged_actions (schema_name, table_name, record_id, session_user_name, action_tstamp_tx,
    action_tstamp_clk, transaction_id, application_name, client_addr, action, row_data, changed_fields)
  values (tg_table_schema, tg_table_name, record_id, session_user, current_timestamp, clock_timestamp(), txid_current(),
    current_setting('application_name'), inet_client_addr(), substring(tg_op, 1, 1), before, changed);
  return null;
end
$$;
)";

// A table of events for each table, with its columns and types: the row as it is afterwards. What libraries of this kind
// generate for each model.
inline constexpr std::string_view kTypedHistory = R"(
create schema peer;
do $do$
declare
  own text;
begin
  foreach own in array '{accounts,transfers,wide}'::text[] loop
    execute format('create table peer.%I (event_id bigint generated always as identity primary key,'
      ' event_at timestamptz not null, event_label text not null, event_context bigint, like %I)', own, own);
    execute format('create index on peer.%I (id)', own);
    execute format('create function peer.%I() returns trigger language plpgsql as $$ begin'
      ' insert into peer.%2$I (event_at, event_label, %3$s) values (now(), tg_op, %4$s); return null; end $$;'
      ' create function peer.%5$I() returns trigger language plpgsql as $$ begin'
      ' insert into peer.%2$I (event_at, event_label, %3$s) values (now(), tg_op, %6$s); return null; end $$;'
      ' create trigger peer_insert after insert on %2$I for each row execute function peer.%1$I();'
      ' create trigger peer_update after update on %2$I for each row when (old.* is distinct from new.*)'
      ' execute function peer.%1$I();'
      ' create trigger peer_delete after delete on %2$I for each row execute function peer.%5$I()',
      own || '_now', own,
      (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
       where attrelid = own::regclass and attnum > 0),
      (select string_agg('new.' || quote_ident(attname), ', ' order by attnum) from pg_attribute
       where attrelid = own::regclass and attnum > 0),
      own || '_gone',
      (select string_agg('old.' || quote_ident(attname), ', ' order by attnum) from pg_attribute
       where attrelid = own::regclass and attnum > 0));
  end loop;
end
$do$;
)";

inline constexpr Peer kPeers[] = {{"jsonb trigger", kJsonbTrigger, kOneFunction},
                                  {"hstore trigger", kHstoreTrigger, kOneFunction},
                                  {"typed history", kTypedHistory, ""}};

}  // namespace vestige::bench
