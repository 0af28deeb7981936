// A transaction: what it did, and what its undoing would do.
#include "server/api.h"
#include "server/lists.h"
#include "vestige/audit/log.h"
#include "vestige/audit/stat.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostLookedAt = 10'000;  // changes of it

}  // namespace

Result<Answer> get_tx(Asked call) {
  const std::int64_t tx = TRY(call->id(0));
  Database& db = *TRY(call->db());
  LogRequest request;
  request.filter.tx = tx;
  request.filter.limit = kMostLookedAt + 1;
  request.filter.judge = TRY(call->judge());
  // The context of the newest: what was said last.
  LogRequest one = request;
  one.filter.limit = 1;
  const auto newest = TRY(TRY(log(db, one))->next());
  if (!newest.has_value()) return fail(Fault::missing, "show tx {}: no such transaction", tx);
  TransactionStats stats(TRY(log(db, request)));
  const auto stat = TRY(stats.next());
  if (!stat.has_value()) return fail(Fault::missing, "show tx {}: no such transaction", tx);
  const std::string whole = to_json(*stat);
  const auto neighbours = TRY(doubtful_neighbours(db, tx));
  const bool many = stat->changes > kMostLookedAt;
  return json_answer(
      fmt::format(R"({},"context":{},"signed":{},"truncated":{},"neighbours":[{}]}})",
                  whole.substr(0, whole.size() - 1), to_json(newest->context),
                  newest->signed_word.empty() ? "null" : json::quote(newest->signed_word), many,
                  fmt::join(neighbours, ",")));
}

}  // namespace vestige::server
