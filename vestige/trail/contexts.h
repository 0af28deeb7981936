// Contexts: how a database carries the context of a transaction to the changes in it. ContextScope (context.h) is what
// everybody uses.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/trail/context.h"

namespace vestige {

/// All of it in the caller's transaction.
class Contexts {
 public:
  Contexts() = default;
  Contexts(const Contexts&) = delete;
  Contexts& operator=(const Contexts&) = delete;
  virtual ~Contexts() = default;

  /// Changes carry this context from here on.
  ///
  /// returns  a mark for written()
  virtual Result<std::int64_t> begin(const Context& context) = 0;

  /// From here on they carry another.
  virtual Result<void> change(const Context& context) = 0;

  /// The changes that were recorded since begin().
  virtual Result<ContextScope::Written> written(std::int64_t mark) = 0;

  /// The database's own name for whoever is connected; nothing where it has none.
  virtual Result<std::optional<std::string>> user() = 0;

  /// They carry none; before the commit, where it would outlast it.
  virtual Result<void> clear() = 0;
};

std::unique_ptr<Contexts> contexts_of(Database& db);

}  // namespace vestige
