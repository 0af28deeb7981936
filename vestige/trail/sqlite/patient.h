// patient: one tracked table in doctor's hands: what is out of order with it, and its repair.
// Test: doctor_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/trail/catalog.h"
#include "vestige/trail/sqlite/standing.h"
#include "vestige/trail/upkeep.h"

namespace vestige::sqlite {

/// What `remedy` says where doctor itself is one.
inline constexpr const char* kDoctorFix = "vestige doctor --fix";

class Patient {
 public:
  /// Examines a table that is tracked.
  static Result<Patient> examine(Database& db, Tracked table);

  /// Frees the name under which a renamed table was known: another table may be about to take it.
  Result<void> free_name(Database& db) const;

  /// Repairs what is safe, without guessing; what cannot be repaired stays as it was, and its remedy
  /// says why. Runs in the caller's transaction.
  Result<void> mend(Database& db);

  const std::vector<Finding>& findings() const { return findings_; }

 private:
  explicit Patient(Tracked table) : table_(std::move(table)) {}

  void add(Severity severity, std::string code, std::string message,
           std::string remedy = kDoctorFix);
  void examine_columns();
  bool renamed() const { return safe_ && standing_.live != table_.name; }
  Result<void> refit_now(Database& db);

  Tracked table_;
  Standing standing_;
  std::vector<Finding> findings_;
  bool safe_ = true;  // a refit mends it
};

}  // namespace vestige::sqlite
