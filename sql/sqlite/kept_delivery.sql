-- To whom an alert was told, or when it is tried next. Not recorded: the alert is.
create table if not exists vestige_delivery (
  alert text not null,
  target text not null,
  place text not null,
  attempts integer not null,
  next_attempt integer not null,
  delivered_at integer,
  gone integer not null default 0,
  last_error text,
  primary key (alert, target)
) without rowid;
