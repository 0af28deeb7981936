// Population: which changes a report is about, and what makes sure that they are all. Where the trail is sealed, those that its
// last checkpoint covers, in the order of the feed; where nothing is signed, all that there are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/feed/feed.h"
#include "vestige/report/report.h"
#include "vestige/trail/expiry.h"

namespace vestige {

/// What verify said of the trail (vestige/audit/verify.h), as far as reports speak of it.
struct Verified {
  struct Finding {
    std::string code;
    std::optional<std::int64_t> change;
    std::string table;
    std::string message;
  };
  std::uint64_t covered = 0;  // entries of the last checkpoint
  std::string origin;
  bool signature = false;  // it was checked
  std::vector<std::string> witnesses;
  std::uint64_t verified = 0;
  std::uint64_t erased = 0;
  std::uint64_t left_out = 0;  // changes that the checkpoint does not cover
  std::uint64_t unreadable = 0;
  std::uint64_t missing = 0;  // entries whose change is gone
  std::uint64_t found = 0;
  std::vector<Finding> findings;  // the first thousand of them
};

/// A report of one's own: [report.NAME] of vestige.toml.
struct OwnReport {
  std::string title;
  std::string filter;                 // docs/filter.md
  std::vector<std::string> group_by;  // fields (fields.h); with them: a row for each group
  std::vector<std::string> sum;       // of each group
  std::vector<std::string> columns;   // without group_by: a row for each change
};

/// [report] of vestige.toml, and what the command line says beside it.
struct ReportSettings {
  std::string time_zone;
  std::vector<std::string> applications;  // the database's users that are applications
  std::string field;                      // daily: "accounts.balance"
  std::string over;                     // daily: a change of the field by more than that is flagged
  std::int64_t often = 0;               // daily: a row's changes beyond so many are flagged
  std::int64_t within = 3'600'000'000;  //   in so long a time, microseconds
  std::map<std::string, OwnReport> own;
};

struct ReportRequest {
  Selection selection;  // its names are looked up; since and until are the period
  std::string filter;   // the same in words
  TimeZone zone;
  std::vector<std::string> words;  // behind the name of the report
  std::int64_t sample = 0;         // changes: so many of them; 0: all
  std::string seed;                //   chosen by this
  std::string subject;  // disclosures, subject: of this table, under the name that the trail shows
  std::vector<std::string> subject_key = {};  //   and of this row
  bool with_staff = false;                    // subject: who did it, by name
  bool dpo = false;  // disclosures, subject: also those that are not to be told of yet
  ReportSettings settings;
  std::optional<Verified> verified;  // nothing: it was not asked for
  std::function<void()> step;        // one change more was looked at; may be empty
};

/// What EXPIREs took, asked for one entry after the other.
class ExpiredEntries {
 public:
  static Result<std::unique_ptr<ExpiredEntries>> of(Database& db);

  std::uint64_t count() const { return count_; }
  /// The entry at an index is of a change that one of them took.
  Result<bool> has(std::uint64_t index);

 private:
  explicit ExpiredEntries(Database& db) : store_(db) {}

  ExpiryStore store_;
  std::set<std::int64_t> by_;  // EXPIREs that stand in the trail
  std::uint64_t count_ = 0;
  std::optional<std::uint64_t> bundle_;  // whose leaves these are
  std::vector<Leaves> leaves_;
};

/// Changes that expired are read from the archive that the database is read with; those that it has not are passed over, and the head
/// of the report says how many they are.
class Population {
 public:
  /// Says in the report's head what it stands on.
  ///
  /// whole    also what was made before the period
  /// faults   missing (no trail), offline, corrupt
  static Result<std::unique_ptr<Population>> open(Database& db, const ReportRequest& request,
                                                  Report& report, bool whole = false);
  /// The same of one table of the trail's own (own_table): others are not read.
  static Result<std::unique_ptr<Population>> of_own_table(Database& db,
                                                          const ReportRequest& request,
                                                          Report& report, std::string_view name);
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;
  ~Population() = default;

  /// The next change; where there is a checkpoint, with its index.
  ///
  /// faults   offline, corrupt
  Result<std::optional<Change>> next();

 private:
  explicit Population(const ReportRequest& request) : request_(request) {}
  Result<std::optional<Change>> next_own();
  static Result<std::unique_ptr<Population>> over(Database& db, const ReportRequest& request,
                                                  Report& report, Selection selection);

  const ReportRequest& request_;
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Changes> changes_;
  std::uint64_t covered_ = 0;
  std::unique_ptr<ExpiredEntries> expired_;
  std::unique_ptr<Changes> let_go_;  // what an archive has of those that expired
  bool begun_ = false;
  std::optional<Change> own_;       // the next one of the database,
  std::optional<Change> archived_;  //   and of the archive
};

/// Fills the head of a report: what it stands on.
///
/// returns  how many entries the last checkpoint covers; nothing where there is none
Result<std::optional<std::uint64_t>> stand_on(Database& db, const ReportRequest& request,
                                              ReportHead& head);

}  // namespace vestige
