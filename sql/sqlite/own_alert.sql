-- Alerts: what rules found, and what became of it. Made at the first one, and tracked.
create table if not exists vestige_alert (
  id text primary key not null,
  rule text not null,
  rule_hash text not null,
  severity text not null,
  state text not null check (state in ('open', 'acknowledged', 'closed', 'silenced')),
  grp text,
  title text,
  first_index integer,
  last_index integer,
  opened_at text not null,
  changes text,
  detail text,
  owner text,
  comment text,
  backfilled integer not null default 0 check (backfilled in (0, 1))
);
