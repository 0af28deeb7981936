// Spelling: how a database writes what both say alike otherwise: the trail's own tables, their times, names. Values, no more.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/letters.h"
#include "vestige/db/database.h"

namespace vestige {

struct Spelling {
  std::string_view prefix;         // of their names
  std::string_view of_table;       // the column of a change that says which table it is of
  std::string_view micros;         // what their `at` is in microseconds
  std::string_view from_micros;    // what ?2, in microseconds, is as such an `at`
  std::string_view record_read;    // writes a read of the trail down: kind, verb, filter, purpose
  std::string_view place_hold;     // matter, filter, conditions, two_persons; by the actor in force
  std::string_view release_hold;   // the hold's id
  std::string_view refused_hold;   // its id, and what was tried
  std::string_view begin_reading;  // a transaction that only reads, and sees one moment

  bool any_case;   // letters of another case make no other name of a table
  bool has_users;  // each change says which of the database's users made it

  bool same_name(std::string_view left, std::string_view right) const {
    return any_case ? lower(left) == lower(right) : left == right;
  }
  std::string table(std::string_view name) const { return std::string(prefix) + std::string(name); }
};

Spelling spelling_of(Database& db);

}  // namespace vestige
