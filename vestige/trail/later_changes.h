// What happened since a moment to rows that are chosen by their keys, wherever those went. For undoing.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

class LaterChanges {
 public:
  /// cost   the table's changes after `upto`; memory for the ids of the chosen ones
  static Result<LaterChanges> read(Database& db, const Tracked& table, std::int64_t upto,
                                   const std::function<bool(const Row& key)>& chosen);

  /// The same of changes that are known to be one row's.
  static Result<LaterChanges> of(Database& db, const std::vector<std::int64_t>& ids);

  struct LaterRow {
    bool came = false;                  // it was not there at the moment
    std::string then;                   // the key that it had, as JSON
    std::vector<std::int64_t> updates;  // its UPDATEs
  };
  /// The rows that stand now, by their keys as JSON.
  const std::map<std::string, LaterRow>& rows() const { return rows_; }
  /// Every INSERT, UPDATE and DELETE of the chosen rows, oldest first.
  const std::vector<std::int64_t>& ids() const { return ids_; }
  /// The UPDATEs of those that were there all the time, oldest first.
  std::vector<std::int64_t> updates() const;
  /// Those of which the row before them is not known any more.
  const std::vector<Change>& lost() const { return lost_; }

 private:
  void take(const Change& change);

  std::map<std::string, LaterRow> rows_;
  std::vector<std::int64_t> ids_;
  std::vector<Change> lost_;
};

}  // namespace vestige
