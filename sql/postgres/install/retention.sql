-- How long history is kept, by the names that policies give: "7 years", "forever".
create table if not exists vestige.retention (name text primary key, keep text not null);
-- Of it in the database (null: all of it), and whether an archive must have it before it goes.
alter table vestige.retention add column if not exists hot text, add column if not exists archive boolean not null default false;
