// Undoing: rows become what they were, in one transaction in which only capture's triggers fire, so that they become exactly that,
// and the undoing is recorded like any other change. What restore and revert (audit/revert.h) ask.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/record/fold.h"
#include "vestige/trail/context.h"
#include "vestige/trail/later_changes.h"

namespace vestige {

struct Outcome;

/// Where the statements of a patch go, one at a time, and then what came of them.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;
  virtual Result<void> statement(const std::string& sql) = 0;
  /// Nothing was refused, and all is about to be committed; a fault here rolls it back.
  virtual Result<void> outcome(const Outcome&) { return {}; }
  /// There are conflicts, and nothing is done.
  virtual void refused(const Outcome&) {}
};

enum class OnConflict { refuse, skip, force };

struct ApplyOptions {
  Context
      context;  // of the undoing; restore and revert fill the reason in when it is empty: "revert of tx 12"
  OnConflict on_conflict = OnConflict::refuse;
  bool dry_run = false;
  Sink* patch = nullptr;  // receives every statement; may be null
};

/// A row that is not as the change left it.
struct Conflict {
  std::int64_t change = 0;  // 0 for restore
  std::string table;
  Row key;
  std::string what;                  // "price has changed since: 94900 expected, 89900 found"
  std::vector<std::string> columns;  // the columns that have changed since
};

struct Outcome {
  std::int64_t applied = 0;         // changes undone, or 1 for a restored row; 0: nothing to do
  std::int64_t skipped = 0;         // conflicts skipped
  std::set<std::string> tables;     // whose rows were written
  std::optional<std::int64_t> tx;   // the transaction that recorded the undoing
  std::vector<Conflict> conflicts;  // skipped or forced; when refused, they are in the Error
  std::vector<std::string> notes;   // columns that could not be restored, and why
};

/// One object (docs/json.md).
///
/// refused   for its conflicts: nothing was changed
std::string to_json(const Outcome& outcome, bool dry_run, bool refused = false);

/// The error of an undoing that was refused for its conflicts; nothing was changed.
tl::unexpected<Error> conflicts_refused(const std::string& what, const Outcome& outcome,
                                        const ApplyOptions& options);

/// What a row was.
struct RowThen {
  RowName name;        // what it is called now, or was when it was deleted
  bool lives = false;  // it is there now
  State then;
};

/// What a restore of several rows says that it is.
inline constexpr std::string_view kRestoreOfRows = "restore of rows of ";

/// `column` is the one column to undo or to put back, if it is not all of them; then of UPDATEs only. `what` is what is done, for messages: "revert of tx 12".
class Undoing {
 public:
  Undoing() = default;
  Undoing(const Undoing&) = delete;
  Undoing& operator=(const Undoing&) = delete;
  virtual ~Undoing() = default;

  /// Undoes the selected changes, newest first.
  ///
  /// faults   missing (no such changes), conflict, denied (a constraint, a privilege)
  virtual Result<Outcome> undo(const Selection& selection, const std::optional<std::string>& column,
                               const ApplyOptions& options, const std::string& what) = 0;

  /// Makes one row what it was just after change `upto`.
  ///
  /// faults   missing (it was not there, and is not now; a change of it was erased), conflict, denied,
  ///          invalid: nobody can tell which row it was
  virtual Result<Outcome> put_back(const Tracked& table, const RowName& name, std::int64_t upto,
                                   const std::optional<std::string>& column,
                                   const ApplyOptions& options, const std::string& what) = 0;

  /// Makes several rows what they were, by what suits the database: undoing what happened to them since, or writing them as they
  /// were.
  ///
  /// later    the changes since
  /// then     gives the rows, in the order in which they are to be written; may not be called
  /// faults   conflict, denied
  virtual Result<Outcome> put_back(const Tracked& table, const LaterChanges& later,
                                   const std::function<Result<std::vector<RowThen>>()>& then,
                                   const std::optional<std::string>& column,
                                   const ApplyOptions& options, const std::string& what) = 0;
};

std::unique_ptr<Undoing> undoing_of(Database& db);

/// The error of an undoing that finds nothing to undo.
tl::unexpected<Error> no_such_changes(const std::string& what);

}  // namespace vestige
