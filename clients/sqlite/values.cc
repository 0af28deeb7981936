#include "clients/sqlite/values.h"

namespace vestige::extension {

std::string typed(const Value& value) {
  const auto* text = std::get_if<Text>(&value);
  return text != nullptr ? text->bytes : to_json(value);
}

std::string message_of(const Error& error) {
  return fmt::format("vestige: {}{}{}", error.message, error.hint.empty() ? "" : "; ", error.hint);
}

}  // namespace vestige::extension
