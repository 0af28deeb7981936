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
  verdict text not null,
  comment text,
  signed_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
