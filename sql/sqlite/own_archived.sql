-- Parts of archives: which range of the feed was written, and the SHA-256 of its manifest. Made at the first one, and tracked.
create table if not exists vestige_archived (
  id integer primary key,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  from_index integer not null check (from_index >= 0),
  upto_index integer not null check (upto_index > from_index),
  manifest text not null
);
