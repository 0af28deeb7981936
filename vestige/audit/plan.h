// plan and apply: policies as code (vestige.toml; grammar in docs/cli.md).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/audit/check.h"
#include "vestige/audit/plan_keys.h"
#include "vestige/audit/review_file.h"
#include "vestige/db/database.h"
#include "vestige/record/policy.h"
#include "vestige/report/population.h"
#include "vestige/trail/retention.h"
#include "vestige/trail/table_work.h"

namespace vestige {

/// [evidence]: whom verify trusts when it is not told.
struct PlanEvidence {
  Trust trust;         // of `vkey` and [evidence.witnesses]
  std::string policy;  // a file of C2SP tlog-policy, relative to the plan's folder; "": none
};

/// A vestige.toml.
struct Plan {
  std::optional<std::string> database;
  std::map<std::string, RetentionClass> retention;  // by name
  std::map<std::string, PlannedKeys> keys;          // by class: for whom its data keys are wrapped
  std::map<std::string, Policy> tables;
  bool prune =
      false;  // what stands in the database and not in the file goes; otherwise it is left, by a step of its own
  std::optional<PlanEvidence> evidence;
  ReportSettings report;
  std::vector<PlannedReview> reviews;  // [review.NAME]
  std::optional<bool> records_access;  // [access] record; nothing: as it stands
  std::optional<std::map<std::string, std::string>>
      console_users;    // [console.users]: whose rights in the database each of the console's has
  std::string archive;  // [archive]: the directory that readers look into, too; "": none
  bool two_persons =
      false;  // [hold]: who places a hold does not release it; each keeps what held when it was placed
  // Where things stand in the file, for messages: "tables.products", "tables.products.exclude.0" →
  // "vestige.toml:7:12". Empty for a plan that does not come from a file.
  std::map<std::string, std::string> places;
};

/// faults   missing (no such file), invalid (with line and column, and the nearest known name)
Result<Plan> read_plan(const std::string& path);

/// One difference between a plan and a database: "track products", "change products: exclude …", ….
struct PlanStep {
  // "install", "track", "change", "untrack", "retention", "keys", "access"; "leave", "warn": nothing is done
  std::string action;
  std::string table;                 // empty for install, retention, keys and access
  std::string text;                  // for people
  std::optional<Error> undone = {};  // why it could not be done

  bool acts() const { return action != "leave" && action != "warn"; }
};

/// What apply would do; without a step that acts, the database is as planned.
///
/// faults   missing (a table that is not there), invalid (a column that is not there, a trail of
///          another version)
Result<std::vector<PlanStep>> plan(Database& db, const Plan& plan);

/// Does it: on SQLite in one transaction; on PostgreSQL table by table, and a step that could not be done says why
/// (vestige/trail/table_work.h).
///
/// tell     told whenever a table is done; may be empty
Result<std::vector<PlanStep>> apply(Database& db, const Plan& plan,
                                    std::string_view lock_timeout = kLockTimeout,
                                    const std::function<void(std::size_t, std::size_t)>& tell = {});

}  // namespace vestige
