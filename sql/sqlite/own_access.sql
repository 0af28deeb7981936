-- Reads and disclosures: who was shown what, and what for. Made when the first is written down, and tracked. An application
-- inserts its own: the columns that it knows, kind always (docs/compliance.md).
create table if not exists vestige_access (
  id integer primary key,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  kind text not null check (kind in ('read', 'disclosure', 'trail', 'export', 'unseal')),
  subject_table text,
  subject_key text,
  purpose text,
  verb text,
  filter text,
  entries integer check (entries >= 0),
  recipient text,
  recipient_address text,
  description text,
  request_ref text,
  suspended_until text
);
