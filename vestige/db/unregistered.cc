#include "vestige/db/unregistered.h"

#include <array>
#include <string_view>

namespace vestige {
namespace {

struct Wording {
  std::string_view kind;
  std::string_view words;
};

// SQLite's, and those of its full-text modules.
constexpr std::array kWordings = {
    Wording{"collation", "no such collation sequence: "},
    Wording{"function", "no such function: "},
    Wording{"function", "unknown function: "},
    Wording{"tokenizer", "no such tokenizer: "},
    Wording{"tokenizer", "unknown tokenizer: "},
    Wording{"module", "no such module: "},
    // of a table WITHOUT ROWID, whose rows have an order that is not known
    Wording{"collation", "no query solution"},
};

}  // namespace

std::optional<Unregistered> unregistered(const Error& error) {
  for (const Wording& wording : kWordings) {
    const std::size_t at = error.message.find(wording.words);
    if (at == std::string::npos) continue;
    std::string name = error.message.substr(at + wording.words.size());
    if (name.ends_with("()")) name.resize(name.size() - 2);
    return Unregistered{std::string(wording.kind), std::move(name)};
  }
  return std::nullopt;
}

}  // namespace vestige
