#include "vestige/trail/undoing.h"

#include "vestige/trail/row_history.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/sqlite/undo.h"

namespace vestige::sqlite {
namespace {

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

class SqliteUndoing final : public Undoing {
 public:
  explicit SqliteUndoing(Database& db) : db_(db) {}

  Result<Outcome> undo(const Selection& selection, const std::optional<std::string>& column,
                       const ApplyOptions& options, const std::string& what) override {
    Selection chosen = selection;
    chosen.upto = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
    const auto tables = TRY(tables_of(db_, chosen));
    if (tables.empty()) return no_such_changes(what);
    auto undo = TRY(Undo::begin(db_, tables, column, options));
    {
      auto changes = TRY(read_changes(db_, chosen));
      while (auto change = TRY(changes->next())) TRY(undo->undo(*change));
    }
    return undo->finish(what);
  }

  Result<Outcome> put_back(const Tracked& table, const RowName& named, std::int64_t upto,
                           const std::optional<std::string>& column, const ApplyOptions& options,
                           const std::string& what) override {
    TRY(require_same_key(db_, table, upto, what));
    const auto row = TRY(live_row(db_, table, named));
    State target;
    if (row.has_value()) {
      target = *row;
      auto history = TRY(row_history(db_, table, named, kNow));
      while (auto change = TRY(history->next())) {
        if (change->id <= upto) break;
        if (change->lost_values() && change->op != Op::insert) return not_known(what, *change);
        fold_backward(target, *change);
      }
    }
    if (!target.has_value()) {
      // Another row may have had the key then: deleted since, or moved away.
      target = TRY(state_of(db_, table, named, upto));
      if (!target.has_value() && !row.has_value())
        return fail(Fault::missing, "{}: there was no such row then, and there is none now", what);
    }
    auto undo = TRY(Undo::begin(db_, {table}, column, options));
    TRY(undo->put(table, named, row.has_value(), target));
    return undo->finish(what);
  }

  // The rows are written as they were.
  Result<Outcome> put_back(const Tracked& table, const LaterChanges& later,
                           const std::function<Result<std::vector<RowThen>>()>& then,
                           const std::optional<std::string>& column, const ApplyOptions& options,
                           const std::string& what) override {
    const std::vector<RowThen> rows = TRY(then());
    auto undo = TRY(Undo::begin(db_, {table}, column, options));
    for (const Change& change : later.lost()) TRY(undo->undo(change));
    for (const RowThen& row : rows) TRY(undo->put(table, row.name, row.lives, row.then));
    return undo->finish(what);
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Undoing> undoing(Database& db) { return std::make_unique<SqliteUndoing>(db); }

}  // namespace vestige::sqlite
