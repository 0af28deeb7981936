// Undoing: one transaction in which only capture's triggers fire, so that rows become exactly what they
// were, and the undoing is recorded like any other change. Used by undoing.cc.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/orphans.h"
#include "vestige/trail/sqlite/statement.h"
#include "vestige/trail/undoing.h"

namespace vestige::sqlite {

class Undo {
 public:
  /// Opens the transaction. The application's triggers are off and foreign keys are not followed: the
  /// changes that they made once are in the trail and are undone for themselves. What they keep in
  /// virtual tables goes on being kept (derived.h). Foreign keys are checked at the end.
  ///
  /// column   the one column to undo; then of UPDATEs only
  static Result<std::unique_ptr<Undo>> begin(Database& db, const std::vector<Tracked>& tables,
                                             const std::optional<std::string>& column,
                                             const ApplyOptions& options);
  Undo(const Undo&) = delete;
  Undo& operator=(const Undo&) = delete;
  ~Undo();

  /// Undoes one change, or notes why it cannot be done.
  Result<void> undo(const Change& change);

  /// Makes a row what it was.
  ///
  /// name    what it is called now, or was when it was deleted
  /// lives   it is there now
  Result<void> put(const Tracked& table, const RowName& name, bool lives, const State& target);

  /// Checks foreign keys and ends the transaction: committed, or rolled back for a dry run.
  Result<Outcome> finish(const std::string& what);

 private:
  struct Place {
    Tracked table;
    SqliteTable live;
  };
  // What of a row the trail does not have, or not in clear.
  struct Withheld {
    std::vector<std::string> columns;
    std::set<std::string_view> why;
  };

  Undo(Database& db, const ApplyOptions& options) : db_(db), options_(options) {}
  Result<const Place*> place(const std::string& table) const;

  Result<void> unfollow();
  Result<void> check_children(const std::string& table);

  // Where a row is: SQL conditions over its key, or over its rowid.
  Statement& where(Statement& statement, const Place& place, const Row& key,
                   const std::optional<std::int64_t>& row_id) const;
  Result<std::optional<Row>> read(const Place& place, const Row& key,
                                  const std::optional<std::int64_t>& row_id) const;
  Result<void> run(const Statement& statement);
  Result<void> insert(const Place& place, const Row& values, std::optional<std::int64_t> row_id);
  Result<void> update(const Place& place, const Row& key, const std::optional<std::int64_t>& row_id,
                      const Row& values);
  Result<void> remove(const Place& place, const Row& key,
                      const std::optional<std::int64_t>& row_id);
  bool restorable(const Place& place, const std::string& column);
  void note(const std::string& text);
  Withheld take_withheld(Row& row) const;
  void left_alone(std::int64_t change, const std::string& table, const Row& key,
                  const Withheld& withheld, bool whole);
  // True when the change is to be undone all the same.
  bool conflict(const Change& change, const Row& key, std::string what,
                std::vector<std::string> columns, bool can_force);
  // True, and noted as a conflict, when several rows may be the one that was changed.
  Result<bool> doubtful(const Place& place, const Change& change, const Row& key);
  Result<bool> key_went(const Place& place, const Change& change, const Row& key);
  // Of a table without a key: the rowid of a row that is as the change left it, its own or another's.
  Result<std::optional<std::int64_t>> equal_row(const Place& place, const Change& change);
  Result<void> undo_update(const Place& place, const Change& change);
  Result<void> undo_insert(const Place& place, const Change& change);
  Result<void> undo_remove(const Place& place, const Change& change);

  Database& db_;
  const ApplyOptions& options_;
  std::optional<ContextScope> scope_;
  std::map<std::string, Place> places_;
  std::set<std::string> checked_;  // tables whose foreign keys are checked
  std::vector<std::string> kept_;  // TEMP triggers that keep what is derived
  std::vector<std::string> derived_notes_;
  std::optional<std::string> column_;
  Orphans before_;
  std::int64_t last_ = 0;      // the last change before this
  bool foreign_keys_ = false;  // they were followed before
  bool followed_ = false;      // and are still
  Outcome outcome_;
};

}  // namespace vestige::sqlite
