-- Sign-offs: that somebody looked at a report of a period. Made at the first one, and tracked.
create table if not exists vestige_review (
  id integer primary key,
  report text not null,
  filter text,
  period_from text not null,
  period_to text not null,
  report_hash text,
  checkpoint text,
  reviewer text not null,
  verdict text not null check (verdict in ('in-order', 'exceptions')),
  comment text,
  signed_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  check (
    period_from glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    and period_to glob '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
    and coalesce(julianday(period_from) < julianday(period_to), 0)
  )
);
