// Opener: a database of which somebody has an identity, so that what is encrypted in it is read as what it is. Nothing that is sealed or
// compared with what was sealed is read so. Test: test/cli/encrypt.txt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "vestige/base/crypto.h"
#include "vestige/db/over_database.h"
#include "vestige/record/value.h"

namespace vestige {

class Opener : public OverDatabase {
 public:
  using OverDatabase::OverDatabase;
  /// What a token was made of: the value as its database records it. Nothing where the identity does not open it.
  ///
  /// table, column   of SQLite, which binds tokens to their places
  virtual std::optional<std::string> opened(const Value& token, std::int64_t table,
                                            std::int64_t column) = 0;
  /// The data key of that id; nullptr: the identity opens none of its wraps, or there are none.
  virtual const Secret* data_key(const std::string& id) = 0;
};

/// The one among the databases that `db` asks; nullptr: nobody has an identity.
inline Opener* opener_of(Database& db) {
  for (auto* over = dynamic_cast<OverDatabase*>(&db); over != nullptr;
       over = dynamic_cast<OverDatabase*>(&over->inner()))
    if (auto* opener = dynamic_cast<Opener*>(over); opener != nullptr) return opener;
  return nullptr;
}

}  // namespace vestige
