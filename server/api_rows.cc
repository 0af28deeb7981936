// One row: as it was, its history, who made it what it is.
#include <algorithm>
#include <deque>

#include "server/api.h"
#include "server/csv.h"
#include "server/lists.h"
#include "vestige/audit/at.h"
#include "vestige/audit/blame.h"
#include "vestige/audit/diff.h"
#include "vestige/audit/log.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/report/field.h"
#include "vestige/report/plot.h"
#include "vestige/trail/row_history.h"

namespace vestige::server {
namespace {

constexpr std::size_t kMostPositions = 2000;
constexpr std::size_t kMostPoints = 10'000;

Result<LogRequest> of_row(Call& call) {
  LogRequest request;
  request.table = TRY(call.word(0));
  request.key = TRY(call.key(1));
  request.filter.filter = TRY(call.filter());
  request.filter.judge = TRY(call.judge());
  return request;
}

// Where its states begin, oldest first; the newest ones where there are many.
Result<std::string> positions_json(Call& call) {
  LogRequest request = TRY(of_row(call));
  request.filter.filter = {};
  request.filter.limit = kMostPositions + 1;
  const auto changes = TRY(log(*TRY(call.db()), request));
  std::deque<std::string> out;
  while (const auto change = TRY(changes->next())) {
    const std::string* who = change->who();
    out.push_front(fmt::format(R"({{"change":{},"at":"{}","op":"{}","who":{}}})", change->id,
                               format_time(change->at), name(change->op),
                               who == nullptr ? "null" : text_json(*who)));
  }
  const bool many = out.size() > kMostPositions;
  if (many) out.pop_front();
  return fmt::format(R"("positions":[{}],"truncated":{})", fmt::join(out, ","), many);
}

std::vector<std::string> differing(const State& then, const State& now) {
  std::vector<std::string> out;
  const auto look = [&](const Row& row, const State& other) {
    for (const Field& field : row) {
      const Value* value = other.has_value() ? find(*other, field.name) : nullptr;
      const bool differs = value == nullptr || !identical(field.value, *value);
      if (differs && std::find(out.begin(), out.end(), field.name) == out.end())
        out.push_back(field.name);
    }
  };
  if (then.has_value()) look(*then, now);
  if (now.has_value()) look(*now, then);
  return out;
}

}  // namespace

Result<Answer> get_row(Asked call) {
  const std::string table = TRY(call->word(0));
  const std::vector<std::string> key = TRY(call->key(1));
  Database& db = *TRY(call->db());
  const Tracked tracked = TRY(tracked_table(db, table));
  const RowName name = TRY(named_row(db, tracked, key));
  const Moment moment = TRY(call->moment("at"));
  const std::string positions = TRY(positions_json(*call));
  const State then = TRY(at(db, tracked.name, key, moment));
  const State now =
      moment.kind == Moment::Kind::now ? then : TRY(at(db, tracked.name, key, Moment{}));
  if (!then.has_value() && positions.starts_with("\"positions\":[]"))
    return fail(Fault::missing, "{} has no row {}, now or in the trail", tracked.name,
                key_text(name));
  std::int64_t when = clock_now();
  if (moment.kind == Moment::Kind::time) when = moment.value;
  if (moment.kind == Moment::Kind::change && moment.value > 0)
    when = TRY(show(db, moment.value)).at;
  return json_answer(fmt::format(
      R"({{"table":{},"key":{},"exists":{},"at":"{}","row":{},{},"changed":{}}})",
      text_json(tracked.name), to_json(name.key), then.has_value(), format_time(when),
      then.has_value() ? to_json(*then) : "null", positions, list_json(differing(then, now))));
}

Result<Answer> get_history(Asked call) {
  LogRequest request = TRY(of_row(*call));
  const std::int64_t after =
      TRY(call->number("after", 0, 1, std::numeric_limits<std::int64_t>::max()));
  if (after > 0) request.filter.upto = after - 1;
  const std::int64_t limit = TRY(call->limit());
  request.filter.limit = limit == 0 ? 0 : limit + 1;
  return change_list(call, TRY(log(*TRY(call->db()), request)));
}

Result<Answer> get_blame(Asked call) {
  std::vector<std::string> columns;
  if (const auto column = call->asked("column")) columns.push_back(*column);
  const Blame found = TRY(blame(*TRY(call->db()), TRY(call->word(0)), TRY(call->key(1)), columns));
  std::vector<std::string> items;
  for (const Blamed& one : found.columns) items.push_back(to_json(found, one));
  return list_answer(call, std::move(items));
}

Result<Answer> get_diff(Asked call) {
  if (!call->asked("from").has_value())
    return hinted(fail(Fault::invalid, "diff: from is missing"), "?from=MOMENT&to=MOMENT");
  const Moment from = TRY(call->moment("from"));
  const Moment to = TRY(call->moment("to"));
  return json_answer(
      to_json(TRY(diff(*TRY(call->db()), TRY(call->word(0)), TRY(call->key(1)), from, to))));
}

Result<Answer> get_field(Asked call) {
  const FieldHistory history = TRY(
      field_history(*TRY(call->db()), TRY(call->word(0)), TRY(call->key(1)), TRY(call->word(2))));
  // Of too many the newest.
  const std::size_t all = history.points.size();
  std::vector<std::string> items;
  for (std::size_t i = all > kMostPoints ? all - kMostPoints : 0; i < all; ++i)
    items.push_back(to_json(history, history.points[i]));
  return list_answer(call, std::move(items), fmt::format(R"(,"truncated":{})", all > kMostPoints));
}

Result<Answer> get_field_svg(Asked call) {
  const FieldHistory history = TRY(
      field_history(*TRY(call->db()), TRY(call->word(0)), TRY(call->key(1)), TRY(call->word(2))));
  return Answer{.type = "image/svg+xml", .body = svg_plot(history, clock_now())};
}

}  // namespace vestige::server
