// HeldNames: under which names tables and columns were ever known, so that no new name gets anything out of a hold; and what a hold's
// filter says. For vestige/trail/hold.cc and vestige/audit/verify_holds.cc. Test: test/hold_test.cc.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vestige/record/change.h"
#include "vestige/record/filter.h"
#include "vestige/trail/catalog.h"

namespace vestige {

class HeldNames {
 public:
  static Result<HeldNames> of(Database& db);

  /// Whether a change may be what a condition describes: it is, or nobody can tell any more.
  bool may_meet(const Condition& condition, const Change& change) const;

  /// Whether a condition on tables describes one, by today's name, under any name that it has or had before a change.
  bool had_name(const Condition& condition, const std::string& table, std::int64_t before) const;

  bool knows(const std::string& table) const { return tables_.contains(table); }

  /// A table's name today; nothing where there is no such table.
  std::string today(std::int64_t table) const;

  /// The tables that have or had a name.
  std::vector<Tracked> named(const std::string& name) const;

 private:
  struct Table {
    std::vector<Tracked> tables;  // of today's name: one may have come where another went
    std::map<std::string, std::int64_t> names;  // today's with the former ones: after which change
    std::map<std::string, bool> columns;  // each that it ever had: whether one is called so today
  };
  bool renamed(const std::string& column, const std::string& table) const;
  /// An archive says the name of its time, which another table may have today.
  const std::string& table_of(const Change& change) const;

  std::map<std::string, Table> tables_;        // by today's name
  std::map<std::int64_t, std::string> by_id_;  // today's name, as in the next
  std::map<std::int64_t, std::string> by_shape_;
};

/// Whether a change has what a condition asks of it: it may have lost that.
bool can_tell(const Condition& condition, const Change& change);

/// A filter as a hold keeps it: tables under the names that the trail shows.
///
/// faults   invalid: it goes by what a policy may change tomorrow; missing: no such table or column
Result<Filter> held_filter(Database& db, Filter filter);

/// What a filter says, for SQL (sql/postgres/install/hold.sql).
std::string conditions_json(const Filter& filter);

}  // namespace vestige
