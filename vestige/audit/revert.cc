#include "vestige/audit/revert.h"

#include <algorithm>
#include <map>

#include "vestige/audit/diff.h"
#include "vestige/audit/key_filter.h"
#include "vestige/audit/log.h"
#include "vestige/base/time.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

// "change 17", a time, or "now".
std::string moment_text(const Moment& moment) {
  if (moment.kind == Moment::Kind::change) return fmt::format("change {}", moment.value);
  return moment.kind == Moment::Kind::time ? format_time(moment.value) : "now";
}

ApplyOptions with_reason(ApplyOptions options, const std::string& reason) {
  if (options.context.get("reason") == nullptr) options.context.set("reason", reason);
  return options;
}

// "ann", "ann, bob of db user app"
std::string whose(const RevertRequest& request) {
  const auto listed = [](const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
  };
  if (request.db_users.empty()) return listed(request.who);
  return listed(request.who) + (request.who.empty() ? "" : " of ") + "db user " +
         listed(request.db_users);
}

struct Chosen {
  Selection selection;
  std::string what;
};

// What the request says besides: a table, a row, a time, an operation, a column.
Result<void> narrow(Database& db, const RevertRequest& request, Selection& selection) {
  if (request.table.empty() && !request.key.empty())
    return hinted(fail(Fault::invalid, "revert: a key without a table"), "--table T --key K");
  const auto only = TRY(select_table(db, request.table, request.key, selection));
  selection.until = request.until;
  selection.ops = request.ops;
  if (request.column.has_value()) TRY(require_column(db, *request.column, only));
  selection.filter = request.filter;
  return resolve_names(db, only, selection.filter);
}

Result<Chosen> chosen(Database& db, const RevertRequest& request) {
  const int ways = static_cast<int>(request.tx.has_value()) +
                   static_cast<int>(!request.changes.empty()) +
                   static_cast<int>(!request.who.empty() || !request.db_users.empty());
  if (ways != 1)
    return hinted(fail(Fault::invalid, "revert: say which changes, in one way"),
                  "--tx N, or --change ID..., or --actor A --since T");
  Chosen out;
  if (request.tx.has_value()) {
    out.selection.tx = request.tx;
    out.what = fmt::format("revert of tx {}", *request.tx);
  } else if (!request.changes.empty()) {
    out.selection.ids = request.changes;
    out.what = "revert of change";
    for (const std::int64_t id : request.changes) out.what += fmt::format(" {}", id);
  } else {
    if (!request.since.has_value())
      return hinted(fail(Fault::invalid, "revert: --actor without --since"),
                    "say from when on: --since T");
    out.selection.who = request.who;
    out.selection.db_users = request.db_users;
    out.selection.since = request.since;
    out.what = fmt::format("revert of {} since {}", whose(request), format_time(*request.since));
  }
  TRY(narrow(db, request, out.selection));
  return out;
}

}  // namespace

Result<Outcome> restore(Database& db, const std::string& name,
                        const std::vector<std::string>& words, const Moment& to,
                        const ApplyOptions& options, const std::optional<std::string>& column) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  if (column.has_value()) TRY(require_column(db, *column, table));
  const RowName named = TRY(named_row(db, table, words));
  const std::int64_t upto = TRY(resolve(db, table, to));
  const std::string what =
      fmt::format("restore of {} {} to {}", table.name, key_text(named), moment_text(to));

  return undoing_of(db)->put_back(table, named, upto, column, with_reason(options, what), what);
}

namespace {

// The rows that are not what they were, as the database is now: those that have to go first, those that come last.
Result<std::vector<Diff>> rows_to_put(Database& db, const Tracked& table, const KeyFilter& keys,
                                      const LaterChanges& later, const Moment& to) {
  std::vector<Diff> rows;
  Diffs diffs = TRY(Diffs::read(db, table.name, to, Moment{}));
  while (auto diff = TRY(diffs.next())) {
    if (!keys.matches(diff->key) && !later.rows().contains(to_json(diff->key))) continue;
    TRY(names_a_row(table, {diff->key, std::nullopt}));
    rows.push_back(*std::move(diff));
  }
  const auto turn = [](const Diff& diff) {
    return !diff.from.has_value() ? 0 : diff.to.has_value() ? 1 : 2;
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Diff& a, const Diff& b) { return turn(a) < turn(b); });
  return rows;
}

// What the rows that were there all the time were, whatever their keys were then.
void follow_keys(std::vector<Diff>& rows, const LaterChanges& later) {
  std::map<std::string, State> then;
  for (const Diff& diff : rows) then[to_json(diff.key)] = diff.from;
  for (Diff& diff : rows) {
    const auto row = later.rows().find(to_json(diff.key));
    if (!diff.to.has_value() || row == later.rows().end() || row->second.came) diff.from.reset();
    else if (row->first != row->second.then) diff.from = then[row->second.then];
  }
  std::erase_if(rows, [](const Diff& diff) { return !diff.from.has_value(); });
}

}  // namespace

Result<Outcome> restore(Database& db, const RestoreRequest& request, const ApplyOptions& options) {
  const Tracked table = TRY(table_with_key(db, request.table));
  const KeyFilter keys = TRY(KeyFilter::of(table, request.filter));
  if (request.column.has_value()) TRY(require_column(db, *request.column, table));
  const std::int64_t upto = TRY(resolve(db, table, request.to));
  const std::string what =
      fmt::format("{}{} to {}", kRestoreOfRows, table.name, moment_text(request.to));
  TRY(require_same_key(db, table, upto, what));
  const LaterChanges later =
      TRY(LaterChanges::read(db, table, upto, [&](const Row& key) { return keys.matches(key); }));
  const auto then = [&]() -> Result<std::vector<RowThen>> {
    std::vector<Diff> rows = TRY(rows_to_put(db, table, keys, later, request.to));
    if (request.column.has_value()) follow_keys(rows, later);
    std::vector<RowThen> out;
    for (Diff& row : rows)
      out.push_back({{std::move(row.key), std::nullopt}, row.to.has_value(), std::move(row.from)});
    return out;
  };
  return undoing_of(db)->put_back(table, later, then, request.column, with_reason(options, what),
                                  what);
}

Result<Outcome> revert(Database& db, const RevertRequest& request, const ApplyOptions& options) {
  TRY(require_trail(db));
  const Chosen choice = TRY(chosen(db, request));
  return undoing_of(db)->undo(choice.selection, request.column, with_reason(options, choice.what),
                              choice.what);
}

}  // namespace vestige
