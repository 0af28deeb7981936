#include "vestige/trail/sqlite/who.h"

namespace vestige::sqlite {

Result<std::int64_t> who_upto(Database& db) {
  return scalar_integer(db, "select coalesce(max(id), 0) >> 9 << 9 from vestige_change");
}

Result<void> rebuild_who(Database& db) {
  TRY(db.run("delete from vestige_who"));
  TRY(
      db.run("insert into vestige_who (actor, block) select distinct x.actor, c.id - 1 >> 6"
             " from vestige_change as c join vestige_context as x on x.id = c.context"
             " where c.id <= ?1 and x.actor is not null order by 1, 2",
             {TRY(who_upto(db))}));
  return {};
}

Result<std::vector<std::int64_t>> missing_in_who(Database& db) {
  std::vector<std::int64_t> found;
  auto rows = TRY(db.query(
      "select min(c.id) from vestige_change as c join vestige_context as x"
      " on x.id = c.context where c.id <= ?1 and x.actor is not null and not exists"
      " (select 1 from vestige_who as w where w.actor = x.actor and w.block = c.id - 1 >> 6)"
      " group by x.actor, c.id - 1 >> 6 order by 1",
      {TRY(who_upto(db))}));
  while (TRY(rows->next()) == Step::row) found.push_back(rows->integer(0));
  return found;
}

Result<void> forget_names(Database& db, const std::map<std::string, std::set<std::int64_t>>& gone) {
  for (const auto& [actor, blocks] : gone)
    for (const std::int64_t block : blocks)
      TRY(db.run(
          "delete from vestige_who where actor = ?1 and block = ?2 and not exists (select 1 from"
          " vestige_change as c join vestige_context as x on x.id = c.context where c.id > ?2 * 64"
          " and c.id <= ?2 * 64 + 64 and x.actor = ?1)",
          {Text{actor}, block}));
  return {};
}

}  // namespace vestige::sqlite
