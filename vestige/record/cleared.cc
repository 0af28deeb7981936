#include "vestige/record/cleared.h"

#include <algorithm>

#include "vestige/base/letters.h"

namespace vestige {

bool names_column(const std::vector<std::string>& list, const std::string& column, bool any_case) {
  return std::any_of(list.begin(), list.end(), [&](const std::string& one) {
    return any_case ? lower(one) == lower(column) : one == column;
  });
}

std::vector<std::string> cleared(const Policy& before, const Policy& after, bool any_case) {
  std::vector<std::string> kept_out = before.redact;
  for (const auto& [column, of] : before.encrypt) kept_out.push_back(column);
  std::vector<std::string> out;
  for (const std::string& column : kept_out) {
    const bool encrypted =
        std::any_of(after.encrypt.begin(), after.encrypt.end(),
                    [&](const auto& one) { return names_column({one.first}, column, any_case); });
    const bool left_out =
        names_column(after.exclude, column, any_case) ||
        (!after.include.empty() && !names_column(after.include, column, any_case) &&
         !names_column(after.key, column, any_case));
    if (!encrypted && !left_out && !names_column(after.redact, column, any_case))
      out.push_back(column);
  }
  return out;
}

}  // namespace vestige
