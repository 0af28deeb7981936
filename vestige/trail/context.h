// Context in force: exact, because it is set and cleared inside one transaction.
#pragma once

#include <cstdint>
#include <optional>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// A transaction whose changes carry a context. The context is cleared before the commit, and rolls
/// back with everything else: it can never be attributed to anybody else's changes.
///
///   auto scope = TRY(ContextScope::begin(db, context));
///   TRY(db.run("update products set price = ?1 where id = ?2", {949, 1}));
///   TRY(scope.commit());
class ContextScope {
 public:
  /// faults   conflict (another writer holds the database), missing (no trail)
  static Result<ContextScope> begin(Database& db, const Context& context);

  /// From here on, changes carry another context; they stay in the same transaction.
  Result<void> change(const Context& context);

  /// The changes that were recorded since begin(), and their transaction; before commit().
  struct Written {
    std::int64_t changes = 0;
    std::optional<std::int64_t> tx;
  };
  Result<Written> written();

  /// Clears the context and commits.
  Result<void> commit();

 private:
  ContextScope(Database& db, Transaction transaction, std::int64_t mark)
      : db_(&db), transaction_(std::move(transaction)), mark_(mark) {}

  Database* db_;
  Transaction transaction_;
  std::int64_t mark_;  // see Contexts::begin
};

}  // namespace vestige
