// What only the application registers on its connections to SQLite: collations, functions, tokenizers, modules. SQLite keeps their
// names alone, so that no other program can use what needs them.
#pragma once

#include <optional>
#include <string>

#include "vestige/base/result.h"

namespace vestige {

struct Unregistered {
  std::string kind;  // "collation", "function", "tokenizer", "module"
  std::string name;  // empty: SQLite does not say it
};

/// What the database does not know, where an error says that; nothing for any other error.
std::optional<Unregistered> unregistered(const Error& error);

}  // namespace vestige
