-- Who is found without reading everything: in which blocks of 64 changes an actor stands (docs/decisions/0019-who.md). Block b has
-- the changes 64 * b + 1 to 64 * b + 64. Written with every 512th change (vestige_change_run); those since are looked at.
--
-- in      a trail, inside a transaction
-- out     the table below; runs again without harm

create table if not exists vestige_who (
  actor,
  block integer,
  primary key (actor, block)
) without rowid;
