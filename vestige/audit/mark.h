// mark: names for places in the trail. They stand in a table of the trail's own, which is tracked as others are: who made a mark,
// and that somebody moved it, is a change of the trail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/changes.h"
#include "vestige/trail/moment.h"

namespace vestige {

struct Mark {
  std::string name;
  std::int64_t change = 0;  // it is just after that one; 0: before the first
  std::optional<Change>
      written;  // how it came to be there; nothing where the trail does not know any more
};

/// faults   invalid: a name that means a moment already, or is none
Result<void> check_mark_name(const std::string& name);

/// Makes a mark; or moves the one of that name.
///
/// moment   where; by default behind the last change
/// faults   invalid; conflict: there is one, and it is not to be moved; denied
Result<Mark> mark(Database& db, const std::string& name, const Moment& moment, bool move,
                  const Context& context);

/// Takes a mark away.
///
/// faults   missing
Result<void> unmark(Database& db, const std::string& name, const Context& context);

/// All of them, by their places.
Result<std::vector<Mark>> marks(Database& db);

/// faults   missing: no such mark
Result<Moment> marked(Database& db, const std::string& name);

std::string to_json(const Mark& mark);

}  // namespace vestige
