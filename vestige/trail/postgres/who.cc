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

}  // namespace vestige::postgres
