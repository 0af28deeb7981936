#include "vestige/audit/revert.h"

#include <algorithm>
#include <map>

#include "vestige/audit/diff.h"
#include "vestige/audit/later_changes.h"
#include "vestige/audit/log.h"
#include "vestige/audit/postgres_undo.h"
#include "vestige/audit/undo.h"
#include "vestige/base/time.h"
#include "vestige/trail/install.h"
#include "vestige/trail/past.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

constexpr std::string_view kRestoreOfRows = "restore of rows of ";

// PostgreSQL undoes the changes of a row together, SQLite puts the row.
bool undoes_together(Database& db) { return db.engine() == Engine::postgres; }

// "change 17", a time, or "now".
std::string moment_text(const Moment& moment) {
  if (moment.kind == Moment::Kind::change) return fmt::format("change {}", moment.value);
  return moment.kind == Moment::Kind::time ? format_time(moment.value) : "now";
}

Context with_reason(const ApplyOptions& options, const std::string& reason) {
  Context context = options.context;
  if (context.get("reason") == nullptr) context.set("reason", reason);
  return context;
}

Result<std::vector<Tracked>> tables_of(Database& db, const Selection& selection) {
  auto changes = TRY(read_changes(db, selection));
  std::vector<Tracked> tables;
  while (auto change = TRY(changes->next())) {
    bool known = false;
    for (const Tracked& table : tables) known = known || table.name == change->table;
    if (!known) tables.push_back(TRY(tracked_table(db, change->table)));
  }
  return tables;
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

tl::unexpected<Error> no_such_changes(const std::string& what) {
  return hinted(fail(Fault::missing, "{}: no such changes", what), "vestige log lists them");
}

// Under another key nobody can follow the row.
Result<void> require_same_key(Database& db, const Tracked& table, std::int64_t after,
                              const std::string& what) {
  const auto names = [](const std::vector<Column>& key) {
    std::vector<std::int64_t> ids;
    for (const Column& column : key) ids.push_back(column.id);
    return ids;
  };
  bool same = true;
  for (const Shape& shape : TRY(shapes(db, table.id)))
    same = same && names(shape.key()) == names(table.shape.key());
  if (same) return {};
  Selection later;
  later.table = table.id;
  later.after = after;
  auto changes = TRY(read_changes(db, later));
  while (auto change = TRY(changes->next())) {
    bool fits = change->key.size() == table.shape.key().size();
    for (std::size_t i = 0; fits && i < change->key.size(); ++i)
      fits = change->key[i].name == table.shape.key()[i].name;
    if (fits || change->op == Op::truncate || change->op == Op::erase) continue;
    return hinted(fail(Fault::invalid,
                       "{}: the key of {} had other columns until change {}, and it cannot be told"
                       " which row it was",
                       what, table.name, change->id),
                  "vestige log shows the changes, vestige revert undoes them");
  }
  return {};
}

}  // namespace

tl::unexpected<Error> conflicts_refused(const std::string& what, const Outcome& outcome,
                                        const ApplyOptions& options) {
  constexpr std::size_t kShown = 10;
  if (options.patch != nullptr) options.patch->refused(outcome);
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, outcome.conflicts.size()); ++i) {
    const Conflict& conflict = outcome.conflicts[i];
    list += fmt::format("{}change {} ({} {}): {}", i == 0 ? "" : "; ", conflict.change,
                        conflict.table, key_text(conflict.key), conflict.what);
  }
  if (outcome.conflicts.size() > kShown)
    list += fmt::format("; and {} more", outcome.conflicts.size() - kShown);
  const bool forced = options.on_conflict == OnConflict::force;
  std::string hint = forced ? "a row that is gone cannot be forced"
                            : "--force puts the old values back all the same";
  // There is nothing of a single row that could be left out.
  if (!what.starts_with("restore of ") || what.starts_with(kRestoreOfRows))
    hint += forced ? "; --skip-conflicts leaves it alone"
                   : ", --skip-conflicts leaves these rows alone";
  return hinted(
      fail(Fault::conflict, "{}: {} of its changes cannot be undone, nothing was changed: {}", what,
           outcome.skipped, list),
      std::move(hint));
}

Result<Outcome> restore(Database& db, const std::string& name,
                        const std::vector<std::string>& words, const Moment& to,
                        const ApplyOptions& options, const std::optional<std::string>& column) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  if (column.has_value()) TRY(require_column(db, *column, table));
  const RowName named = TRY(named_row(db, table, words));
  const std::int64_t upto = TRY(resolve(db, to));
  const std::string what =
      fmt::format("restore of {} {} to {}", table.name, key_text(named), moment_text(to));

  if (undoes_together(db)) {
    auto later = TRY(changes_of_row(db, table, named.key, upto));
    if (column.has_value()) later = TRY(LaterChanges::of(db, later)).updates();
    Outcome outcome =
        TRY(undo_on_postgres(db, later, column, with_reason(options, what), options, what));
    outcome.applied = std::min<std::int64_t>(outcome.applied, 1);
    return outcome;
  }
  TRY(require_same_key(db, table, upto, what));
  const auto row = TRY(live_row(db, table, named));
  State target;
  if (row.has_value()) {
    target = *row;
    auto history = TRY(row_history(db, table, named, kNow));
    while (auto change = TRY(history->next())) {
      if (change->id <= upto) break;
      if (change->lost_values() && change->op != Op::insert) return not_known(what, *change);
      fold_backward(target, *change);
    }
  }
  if (!target.has_value()) {
    // Another row may have had the key then: deleted since, or moved away.
    target = TRY(state_of(db, table, named, upto));
    if (!target.has_value() && !row.has_value())
      return fail(Fault::missing, "{}: there was no such row then, and there is none now", what);
  }
  auto undo = TRY(Undo::begin(db, {table}, column, with_reason(options, what), options));
  TRY(undo->put(table, named, row.has_value(), target));
  return undo->finish(what);
}

namespace {

// Undoes the selected changes, of which there is at least one.
Result<Outcome> undo_selected(Database& db, Chosen choice, const std::optional<std::string>& column,
                              const ApplyOptions& options) {
  const Context context = with_reason(options, choice.what);
  if (db.engine() == Engine::postgres) {
    const auto ids = TRY(change_ids(db, choice.selection));
    if (ids.empty()) return no_such_changes(choice.what);
    return undo_on_postgres(db, ids, column, context, options, choice.what);
  }
  choice.selection.upto = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  const auto tables = TRY(tables_of(db, choice.selection));
  if (tables.empty()) return no_such_changes(choice.what);
  auto undo = TRY(Undo::begin(db, tables, column, context, options));
  {
    auto changes = TRY(read_changes(db, choice.selection));
    while (auto change = TRY(changes->next())) TRY(undo->undo(*change));
  }
  return undo->finish(choice.what);
}

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
  const std::int64_t upto = TRY(resolve(db, request.to));
  const std::string what =
      fmt::format("{}{} to {}", kRestoreOfRows, table.name, moment_text(request.to));
  TRY(require_same_key(db, table, upto, what));
  const LaterChanges later = TRY(LaterChanges::read(db, table, keys, upto));
  if (undoes_together(db))
    return undo_on_postgres(db, request.column.has_value() ? later.updates() : later.ids(),
                            request.column, with_reason(options, what), options, what);
  std::vector<Diff> rows = TRY(rows_to_put(db, table, keys, later, request.to));
  if (request.column.has_value()) follow_keys(rows, later);
  auto undo = TRY(Undo::begin(db, {table}, request.column, with_reason(options, what), options));
  for (const Change& change : later.lost()) TRY(undo->undo(change));
  for (const Diff& row : rows)
    TRY(undo->put(table, {row.key, std::nullopt}, row.to.has_value(), row.from));
  return undo->finish(what);
}

Result<Outcome> revert(Database& db, const RevertRequest& request, const ApplyOptions& options) {
  TRY(require_trail(db));
  return undo_selected(db, TRY(chosen(db, request)), request.column, options);
}

}  // namespace vestige
