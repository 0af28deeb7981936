-- Holds: what must be kept, and for which matter (vestige/trail/hold.h). Made at the first one, and tracked.
create table if not exists vestige_hold (
  id integer primary key,
  matter text not null check (matter <> ''),
  filter text not null,
  conditions text,
  two_persons integer not null default 0 check (two_persons in (0, 1)),
  placed_by text not null check (placed_by <> ''),
  placed_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  released_by text,
  released_at text,
  refused integer not null default 0,
  attempt text
);
