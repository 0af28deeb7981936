-- How long history is kept, by the names that policies give: "7 years", "forever".
create table if not exists vestige.retention (name text primary key, keep text not null);
