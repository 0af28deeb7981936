-- Whose public keys data keys are wrapped to, by class (vestige/trail/recipient.h). Made at the first one, and tracked.
create table if not exists vestige_recipient (
  id integer primary key,
  class text not null check (class <> ''),
  public text not null check (public <> ''),
  since text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  until text
);
