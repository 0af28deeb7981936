// Eraser: how parts of changes are taken out of a trail, and each table's by an ERASE that says so (docs/evidence.md, "Erasing").
// What erase (audit/erase.h) asks.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"

namespace vestige {

/// What goes besides the values.
struct ErasedParts {
  bool keys = false;
  bool contexts = false;  // of every change of the same transactions
};

class Eraser {
 public:
  Eraser() = default;
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;
  virtual ~Eraser() = default;

  /// Takes them, with their salts; what was erased before is passed over. In the transaction of a ContextScope.
  ///
  /// context  the scope's
  /// returns  the ERASEs, one for each table
  /// faults   invalid: one of the changes is an ERASE, or the context lacks what a table asks for
  virtual Result<std::vector<std::int64_t>> take(const std::vector<std::int64_t>& ids,
                                                 const ErasedParts& parts,
                                                 const Context& context) = 0;

  /// Behind the commit: former pages go from files that the database keeps beside its own, as far as it lets them.
  virtual void tidy() = 0;

  /// Where what was taken may be found for some time yet; for people.
  virtual std::string_view remains() const = 0;
};

std::unique_ptr<Eraser> eraser_of(Database& db);

}  // namespace vestige
