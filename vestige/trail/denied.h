// What the database refuses, said so that whoever reads it knows what to ask for. Covered by test/cli/postgres/rights.txt and
// test/real/registered_elsewhere.py.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// What was under way when the database refused: the tables' names, as typed or shown, among other words; and whether they
/// were to be written.
struct Attempted {
  std::vector<std::string> words;
  bool writes = false;
};

/// A refusal in the trail's words: what was tried, who may not, and in the hint the GRANT that lets them; on SQLite, what needs a
/// collation or a function that only the application registers. Any other error as it is.
Error explained(Database& db, const Error& error, const Attempted& attempted);

}  // namespace vestige
