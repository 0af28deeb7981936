-- Data keys, wrapped for each recipient: what opens the tokens of encrypted columns (docs/decisions/0032-encrypted-columns.md). Append-only.
create table if not exists vestige_encrypted_key (
  id blob not null check (length(id) = 16),
  class text not null,
  recipient integer not null,
  wrapped blob not null,
  first_change integer not null,
  subject blob,  -- whose values it encrypts: a digest (vestige/trail/subject.h); null: of no one in particular
  primary key (id, recipient)
) without rowid;

create trigger if not exists vestige_encrypted_key_no_update before update on vestige_encrypted_key
begin
  select raise(abort, 'vestige: vestige_encrypted_key is append-only: update refused');
end;
create trigger if not exists vestige_encrypted_key_no_delete before delete on vestige_encrypted_key
begin
  select raise(abort, 'vestige: vestige_encrypted_key is append-only: delete refused');
end;
create trigger if not exists vestige_encrypted_key_no_replace before insert on vestige_encrypted_key
when exists (select 1 from vestige_encrypted_key where id = NEW.id and recipient = NEW.recipient)
begin
  select raise(abort, 'vestige: vestige_encrypted_key is append-only: replace refused');
end;
