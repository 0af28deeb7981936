-- Data keys that were destroyed: of a class, those that were in use from a change on, or an earlier one (vestige/audit/keys.h). Made at
-- the first time, and tracked. The guard of the wraps lets through what it says.
create table if not exists vestige_destroyed (
  id integer primary key,
  at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  class text not null check (class <> ''),
  upto_change integer not null,
  data_keys integer not null,
  subject text  -- of one alone: its digest in hexadecimal digits
);
create index if not exists vestige_destroyed_upto on vestige_destroyed (upto_change);

drop trigger if exists vestige_encrypted_key_no_delete;
create trigger vestige_encrypted_key_no_delete before delete on vestige_encrypted_key
when not exists (select 1 from vestige_destroyed where class = OLD.class and upto_change >= OLD.first_change
                   and (subject is null or subject = lower(hex(OLD.subject))))
begin
  select raise(abort, 'vestige: vestige_encrypted_key is append-only: delete refused');
end;
create trigger if not exists vestige_encrypted_key_no_return before insert on vestige_encrypted_key
when exists (select 1 from vestige_destroyed where class = NEW.class and upto_change >= NEW.first_change
               and (subject is null or subject = lower(hex(NEW.subject))))
begin
  select raise(abort, 'vestige: a wrap of a data key that was destroyed is refused');
end;
