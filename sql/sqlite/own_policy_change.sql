-- What became of policies: tracked, changed, untracked; and whether reads are recorded. Made at the first one, and tracked.
create table if not exists vestige_policy_change (
  id integer primary key,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  verb text not null check (verb in ('track', 'policy', 'untrack', 'record')),
  table_name text,
  before text,
  after text
);
