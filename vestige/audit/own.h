// The last transaction of whoever asks: what undo is about. Test: own_test.cc.
#pragma once

#include <optional>
#include <string>

#include "vestige/audit/stat.h"

namespace vestige {

/// Whose transactions one's own are: those of the actor, of the database's user where none is said, or where the database has no
/// users those of nobody who was named.
struct Own {
  std::optional<std::string> who;

  /// "ann", or "nobody who was named"
  std::string text() const { return who.value_or("nobody who was named"); }
};

/// actor   in the application's terms; nullptr: none is said
Result<Own> own(Database& db, const std::string* actor);

/// The last transaction in which rows were inserted, updated or deleted, with all that it did.
///
/// faults   missing: there is none
Result<TransactionStat> last_transaction(Database& db, const Own& own);

}  // namespace vestige
