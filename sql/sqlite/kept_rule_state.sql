-- What rules remember from one change of the feed to the next, in parts: a window, a row, a value that was seen. Written with the
-- alerts and the cursor in one transaction, and not recorded: it follows from what is.
create table if not exists vestige_rule_state (
  rule text not null,
  rule_hash text not null,
  part text not null,
  state text not null,
  primary key (rule, rule_hash, part)
) without rowid;
