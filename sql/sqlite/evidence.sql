-- Where the evidence stands: written by `vestige seal` alone (docs/decisions/0004-evidence.md).
--
-- in      a trail, inside a transaction
-- out     the tables below; runs again without harm
-- bytes   docs/format.md

-- Up to 256 entries, each a length of 16 bits and its bytes, and 48 bytes of salts for each: of key, context,
-- values. The last one is replaced as it grows; nothing guards it but the signature.
create table if not exists vestige_bundle (
  n integer primary key,
  width integer not null,
  first_id integer not null,
  last_id integer not null,
  salts blob not null,
  entries blob not null
);

-- Hashes of the Merkle tree: 256 of level 8·level in each tile.
create table if not exists vestige_tile (
  level integer not null,
  n integer not null,
  hashes blob not null,
  primary key (level, n)
) without rowid;

-- What was signed: one row for each size of the tree.
create table if not exists vestige_checkpoint (
  size integer primary key,
  at integer not null,
  root blob not null,
  note text not null
);

-- How far those who follow the feed are: the index of the last change that each is done with. `vestige log --consumer` moves it.
create table if not exists vestige_cursor (
  consumer text primary key,
  upto integer not null,
  at integer not null default (cast((julianday('now') - 2440587.5) * 86400000 as integer))
) without rowid;

-- How far the sealer is: the number of entries, the last change among them, and how many of them are sealed with a null, since
-- they could not be read.
create table if not exists vestige_sealer (
  only_row integer primary key check (only_row = 1),
  size integer not null,
  last_id integer not null,
  unreadable integer not null default 0
);

-- Which changes an ERASE took values from. parts: key, context, values; separated by commas.
create table if not exists vestige_erased (
  change integer not null,
  erased integer not null,
  parts text not null,
  primary key (change, erased)
) without rowid;

create index if not exists vestige_erased_change on vestige_erased (erased);

-- What each EXPIRE took (docs/decisions/0027): of a table under a class of retention the changes that were made before a moment,
-- in microseconds; between which ids; how many; SHA-256 over their leaves in the order of the tree.
create table if not exists vestige_expired (
  change integer primary key,
  tbl integer not null,
  class text not null,
  keep text not null,
  horizon integer not null,
  first_id integer not null,
  last_id integer not null,
  changes integer not null,
  digest blob not null,
  archive text
);

-- Which entries those are: of bundle n entry i is bit i % 8 of byte i / 8.
create table if not exists vestige_expired_leaves (
  n integer not null,
  change integer not null,
  leaves blob not null,
  primary key (n, change)
) without rowid;

-- A witness's cosignature may come behind the note; nothing else changes.
drop trigger if exists vestige_checkpoint_no_update;
create trigger vestige_checkpoint_no_update before update on vestige_checkpoint
when not (NEW.size is OLD.size and NEW.at is OLD.at and NEW.root is OLD.root and typeof(NEW.note) = 'text'
  and substr(NEW.note, 1, length(OLD.note)) is OLD.note
  and substr(NEW.note, length(OLD.note) + 1) glob '— ?* ?*' || char(10)
  and instr(substr(NEW.note, length(OLD.note) + 1), char(10) || char(10)) = 0)
begin
  select raise(abort, 'vestige: vestige_checkpoint is append-only: update refused');
end;
create trigger if not exists vestige_checkpoint_no_delete before delete on vestige_checkpoint
begin
  select raise(abort, 'vestige: vestige_checkpoint is append-only: delete refused');
end;
create trigger if not exists vestige_checkpoint_no_replace before insert on vestige_checkpoint
when NEW.size <> -1 and exists (select 1 from vestige_checkpoint where size = NEW.size)
begin
  select raise(abort, 'vestige: vestige_checkpoint is append-only: replace refused');
end;
create trigger if not exists vestige_erased_no_update before update on vestige_erased
begin
  select raise(abort, 'vestige: vestige_erased is append-only: update refused');
end;
create trigger if not exists vestige_erased_no_delete before delete on vestige_erased
begin
  select raise(abort, 'vestige: vestige_erased is append-only: delete refused');
end;
create trigger if not exists vestige_erased_no_replace before insert on vestige_erased
when exists (select 1 from vestige_erased where change = NEW.change and erased = NEW.erased)
begin
  select raise(abort, 'vestige: vestige_erased is append-only: replace refused');
end;
create trigger if not exists vestige_expired_no_update before update on vestige_expired
begin
  select raise(abort, 'vestige: vestige_expired is append-only: update refused');
end;
create trigger if not exists vestige_expired_no_delete before delete on vestige_expired
begin
  select raise(abort, 'vestige: vestige_expired is append-only: delete refused');
end;
create trigger if not exists vestige_expired_no_replace before insert on vestige_expired
when NEW.change <> -1 and exists (select 1 from vestige_expired where change = NEW.change)
begin
  select raise(abort, 'vestige: vestige_expired is append-only: replace refused');
end;
create trigger if not exists vestige_expired_leaves_no_update before update on vestige_expired_leaves
begin
  select raise(abort, 'vestige: vestige_expired_leaves is append-only: update refused');
end;
create trigger if not exists vestige_expired_leaves_no_delete before delete on vestige_expired_leaves
begin
  select raise(abort, 'vestige: vestige_expired_leaves is append-only: delete refused');
end;
create trigger if not exists vestige_expired_leaves_no_replace before insert on vestige_expired_leaves
when exists (select 1 from vestige_expired_leaves where n = NEW.n and change = NEW.change)
begin
  select raise(abort, 'vestige: vestige_expired_leaves is append-only: replace refused');
end;
