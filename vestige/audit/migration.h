// migration: the tracked tables on their way through the statements of a migration: what each statement
// does to them, and what became of them in the end. Test: ddl_test.cc, ddl_rebuild_test.cc.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/audit/ddl_statement.h"
#include "vestige/audit/kept_rows.h"
#include "vestige/db/database.h"
#include "vestige/trail/sqlite/fit.h"

namespace vestige {

/// Runs in the caller's transaction: begin(), run() for each statement, finish().
class Migration {
 public:
  explicit Migration(Database& db) : db_(db) {}

  /// faults   conflict: the trail is out of order already
  Result<void> begin();

  /// Runs one statement.
  Result<void> run(std::string_view sql);

  /// Fits capture to what stands now, and records what became of tables that were dropped.
  Result<void> finish();

  /// One line for each thing that was done.
  std::vector<std::string> take() { return std::move(done_); }

 private:
  // A tracked table on its way.
  struct Traveller {
    Tracked table;
    std::string first_name;
    std::optional<KeptRows> kept = {};         // it was dropped
    std::vector<std::string> dependents = {};  // indexes and triggers that went with it
  };

  Traveller* find(const DdlStatement& statement);
  Result<void> refuse_trail(const DdlStatement& statement);
  Result<void> meet_successor(const DdlStatement& statement);
  Result<void> execute(std::string_view sql);
  Result<void> alter(Traveller& traveller, std::string_view sql);
  Result<void> drop(Traveller& traveller, std::string_view sql);
  Result<void> fit(Traveller& traveller, const std::string& name,
                   const std::vector<Renamed>& renamed);
  void say_unexcluded(const Policy& before, const std::vector<Renamed>& renamed,
                      const Tracked& now);
  static std::string parked(const Traveller& traveller) {
    return fmt::format("dropped {}", traveller.table.id);
  }
  Result<void> rename_in_catalog(const Traveller& traveller, const std::string& name);
  Result<void> arrive(Traveller& traveller);
  Result<void> rebuilt(Traveller& traveller, const std::string& name);
  void say(std::string line) { done_.push_back(std::move(line)); }

  Database& db_;
  std::vector<Traveller> travellers_;
  std::set<std::string> tables_;  // those that stood at the beginning
  std::vector<std::string> done_;
};

}  // namespace vestige
