// Changes: a list of them, one of them, and what proves it.
#include <algorithm>

#include "server/api.h"
#include "server/lists.h"
#include "vestige/audit/check.h"
#include "vestige/audit/log.h"
#include "vestige/audit/prove.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/record/filter.h"
#include "vestige/rules/alerts.h"
#include "vestige/trail/evidence_store.h"

namespace vestige::server {
namespace {

constexpr std::int64_t kMostCounted = 10'000;

Result<LogRequest> asked_changes(Call& call) {
  LogRequest request;
  request.filter.filter = TRY(call.filter());
  request.filter.judge = TRY(call.judge());
  const std::int64_t after =
      TRY(call.number("after", 0, 1, std::numeric_limits<std::int64_t>::max()));
  if (after > 0) request.filter.upto = after - 1;
  return request;
}

// How many there are, up to a number that nobody reads to the end of.
Result<std::string> counted(Call& call) {
  LogRequest request = TRY(asked_changes(call));
  request.filter.upto.reset();
  request.filter.limit = kMostCounted + 1;
  std::int64_t count = 0;
  const auto changes = TRY(log(*TRY(call.db()), request));
  while (TRY(changes->next()).has_value()) ++count;
  if (count <= kMostCounted) return fmt::format(R"(,"count":{})", count);
  return fmt::format(R"(,"count":{},"more":true)", kMostCounted);
}

Result<std::string> sealed_json(Database& db, std::int64_t change) {
  EvidenceStore store(db);
  const auto found = TRY(store.find(change));
  if (!found.has_value()) return "null";
  const auto last = TRY(store.last_checkpoint());
  std::string checkpoint = "null";
  if (last.has_value() && last->size > found->index)
    checkpoint =
        fmt::format(R"({{"size":{},"at":"{}","origin":{}}})", last->size, format_time(last->at),
                    text_json(last->note.substr(0, last->note.find('\n'))));
  return fmt::format(R"({{"index":{},"checkpoint":{}}})", found->index, checkpoint);
}

// Of the newest alerts those that name it.
Result<std::string> alerts_json(Database& db, std::int64_t change) {
  AlertSelection newest;
  newest.limit = 500;
  std::vector<std::string> ids;
  for (const KeptAlert& one : TRY(kept_alerts(db, newest)))
    if (std::find(one.alert.changes.begin(), one.alert.changes.end(), change) !=
        one.alert.changes.end())
      ids.push_back(one.alert.id);
  return list_json(ids);
}

Result<std::string> policy_json(Database& db, const std::string& table) {
  const auto tracked = tracked_table(db, table);
  if (!tracked.has_value()) return "null";
  return to_json(tracked->policy);
}

}  // namespace

Result<Answer> get_changes(Asked call) {
  std::string more;
  if (call->asked("count") == "1" && call->format() == Format::json) more = TRY(counted(*call));
  LogRequest request = TRY(asked_changes(*call));
  const std::int64_t limit = TRY(call->limit());
  request.filter.limit = limit == 0 ? 0 : limit + 1;
  return change_list(call, TRY(log(*TRY(call->db()), request)), more);
}

Result<Answer> get_change(Asked call) {
  const std::int64_t id = TRY(call->id(0));
  Database& db = *TRY(call->db());
  const Change change = TRY(show(db, id, TRY(call->judge())));
  const std::string sealed = TRY(sealed_json(db, id));
  const std::string alerts = TRY(alerts_json(db, id));
  const std::string policy = TRY(policy_json(db, change.table));
  return json_answer(fmt::format(R"({{"change":{},"sealed":{},"alerts":{},"policy":{}}})",
                                 to_json(change), sealed, alerts, policy));
}

Result<Answer> get_receipt(Asked call) {
  const std::int64_t id = TRY(call->id(0));
  Answer answer{.type = "text/plain; charset=utf-8"};
  answer.body = TRY(prove(*TRY(call->db()), id));
  answer.headers.emplace_back("Content-Disposition",
                              fmt::format("attachment; filename=\"{}.receipt\"", id));
  return answer;
}

Result<Answer> get_change_check(Asked call) {
  const std::int64_t id = TRY(call->id(0));
  const auto receipt = prove(*TRY(call->db()), id);
  std::string verdict = "proved";
  std::vector<std::string> said;
  if (!receipt.has_value()) {
    const Error& error = receipt.error();
    if (error.fault != Fault::missing && error.fault != Fault::corrupt)
      return tl::unexpected<Error>(error);
    verdict = error.fault == Fault::corrupt ? "altered" : "unsealed";
    said.push_back(error.message);
    if (!error.hint.empty()) said.push_back(error.hint);
  } else if (call->settings().trust.keys.empty()) {
    verdict = "sealed";
    said.emplace_back("it is as it was sealed; nothing here says which key the log signs with");
  } else if (const auto checked = check_receipt(*receipt, call->settings().trust);
             !checked.has_value()) {
    verdict = "unproved";
    said.push_back(checked.error().message);
  } else {
    said.push_back(fmt::format("it is entry {} of {} that {} has signed", checked->evidence.index,
                               checked->checkpoint.checkpoint.size,
                               checked->checkpoint.checkpoint.origin));
  }
  return json_answer(fmt::format(R"({{"verdict":"{}","said":{}}})", verdict, list_json(said)));
}

}  // namespace vestige::server
