#include "vestige/trail/postgres/who.h"

namespace vestige::postgres {
namespace {

constexpr std::int64_t kAtOnce = 8192;  // blocks, as the function has it
constexpr int kMore = 3;  // calls that leave less than that: others write all the time

}  // namespace

Result<void> index_who(Database& db) {
  if (TRY(scalar_integer(db,
                         "select coalesce(pg_catalog.has_function_privilege("
                         "pg_catalog.to_regprocedure('vestige.index_who(integer)'), 'execute'),"
                         " false)::int")) == 0)
    return {};
  for (int calls = 0; calls < kMore;) {
    const auto left = scalar_integer(db, "select vestige.index_who()");
    if (!left.has_value() && left.error().fault == Fault::conflict) return {};
    if (TRY(left) == 0) return {};
    if (*left < kAtOnce) ++calls;
  }
  return {};
}

// 0: any name may stand in that block.
Result<std::vector<std::int64_t>> missing_in_who(Database& db) {
  std::vector<std::int64_t> found;
  auto rows =
      TRY(db.query("select min(s.first) from (select c.context, c.xid, (c.id - 1) / 64 as block,"
                   " min(c.id) as first from vestige.change c"
                   " where c.id <= (select u.upto from vestige.who_upto u) group by 1, 2, 3) s"
                   " join vestige.context x on x.id = s.context and x.xid = s.xid"
                   " cross join lateral (values"
                   " (coalesce(vestige.given_fields(x.fields) ->> 'actor', x.db_user::text), 0),"
                   " (x.db_user::text, 1)) n(name, of_user)"
                   " where not exists (select from vestige.who k where k.block = s.block and"
                   " k.name_hash in (pg_catalog.hashtextextended(n.name, n.of_user), 0))"
                   " group by n.name, n.of_user, s.block order by 1"));
  while (TRY(rows->next()) == Step::row)
    if (found.empty() || found.back() != rows->integer(0)) found.push_back(rows->integer(0));
  return found;
}

}  // namespace vestige::postgres
