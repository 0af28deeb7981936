-- Takes the trail away: every vestige_* object except the capture triggers, which untracking removes.
--
-- in      inside a transaction, after every table was untracked
-- out     a database as if Vestige had never been there

drop view vestige_session;
drop view vestige_follow;
drop view vestige_pairs_more;
drop view vestige_pairs;
drop view vestige_write;
drop view vestige_late;
drop view vestige_late_now;
drop view vestige_put_back;
drop view vestige_clear;
drop view vestige_tx;
drop view vestige_last;
drop view vestige_unfinished;
drop view vestige_next;
drop view vestige_in_force;
drop view vestige_clock;
drop table if exists vestige_erased;
drop table if exists vestige_sealer;
drop table if exists vestige_checkpoint;
drop table if exists vestige_tile;
drop table if exists vestige_bundle;
drop table vestige_retention;
drop table vestige_replaced;
drop table vestige_key;
drop table vestige_more;
drop table vestige_change;
drop table vestige_current;
drop table vestige_context;
drop table vestige_shape;
drop table vestige_table;
drop table vestige_meta;
