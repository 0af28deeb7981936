// ThenDue: what is due by a plan's retention that was not before, for plan to say. Test: test/plan_due_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "vestige/audit/plan.h"
#include "vestige/base/zone.h"
#include "vestige/trail/catalog.h"

namespace vestige {

class ThenDue {
 public:
  /// faults   offline, corrupt
  static Result<ThenDue> of(Database& db, const Plan& plan);

  /// Of the tables that are of a class, and stay so: ": 3 more changes are due, and the next expire takes them"; "": none.
  Result<std::string> of_class(const std::string& name) const;

  /// Of a table that goes from one class to another; "": it has none.
  Result<std::string> of_table(std::int64_t table, const std::string& from,
                               const std::string& to) const;

 private:
  ThenDue(Database& db, TimeZone utc, std::int64_t now)
      : db_(db), utc_(std::move(utc)), now_(now) {}
  Result<std::int64_t> count(std::int64_t table, const RetentionClass& was,
                             const RetentionClass& is) const;

  Database& db_;
  TimeZone utc_;
  std::int64_t now_;
  std::map<std::string, RetentionClass> was_;
  std::map<std::string, RetentionClass> is_;
  std::vector<Tracked> tables_;
  std::map<std::int64_t, std::string> planned_;  // the class that a table shall have
};

}  // namespace vestige
