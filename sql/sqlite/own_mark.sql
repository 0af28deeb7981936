-- Marks: names for places in the trail. Made at the first mark, and tracked.
create table if not exists vestige_mark (name text primary key not null, change integer not null);
