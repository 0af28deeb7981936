// Errors and names between the host's SQLite and the library, and errors to it. The only headers of SQLite here are those of a loadable
// extension: every call goes to the SQLite that loaded it.
#pragma once

#include <exception>
#include <string>

#include "vestige/db/sqlite_api.h"
#include "vestige/db/sqlite_values.h"
#include "vestige/record/value.h"

namespace vestige::extension {

/// A table's name, or a key's value, as somebody would type it.
std::string typed(const Value& value);

/// "vestige: no such table: x; vestige track x"
std::string message_of(const Error& error);

/// What `body` returns; what it throws (there is no memory left) as an error: nothing is thrown into the host.
template <class T, class Body>
Result<T> guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::exception& thrown) {
    return fail(Fault::internal, "{}", thrown.what());
  }
}

}  // namespace vestige::extension
