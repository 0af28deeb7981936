// KeyFilter: rows of one table, chosen by what their keys are, in the words of filters (docs/filter.md): key:17,18
// key.order_id>100. Test: restore_rows_test.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vestige/audit/at.h"
#include "vestige/record/filter.h"
#include "vestige/trail/catalog.h"

namespace vestige {

class KeyFilter {
 public:
  /// faults   invalid: a condition that says nothing of a key, or of a column that the table's key does not have
  static Result<KeyFilter> of(const Tracked& table, Filter filter);

  /// key   a row's key, or the row
  bool matches(const Row& key) const;

 private:
  Filter filter_;
  std::vector<std::string> columns_;  // of the key
};

/// The rows of a table at a moment (see at) whose keys a filter chooses.
Result<std::unique_ptr<States>> at(Database& db, const std::string& table, const Moment& moment,
                                   const Filter& filter);

}  // namespace vestige
