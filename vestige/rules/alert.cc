#include "vestige/rules/alert.h"

#include <fmt/ranges.h>

#include "vestige/base/bytes.h"
#include "vestige/base/crypto.h"
#include "vestige/base/time.h"
#include "vestige/record/value.h"

namespace vestige {

namespace {

constexpr std::size_t kDigits = 16;

}  // namespace

std::string alert_id(std::string_view rule, std::string_view rule_hash, std::string_view kind,
                     std::string_view group, std::int64_t first_index) {
  const std::string about = list_json({std::string(rule), std::string(rule_hash), std::string(kind),
                                       std::string(group), std::to_string(first_index)});
  return to_hex(view(sha256(about))).substr(0, kDigits);
}

std::string to_json(const Alert& alert) {
  return fmt::format(
      R"({{"id":{},"rule":{},"rule_hash":{},"kind":{},"severity":{},"group":{},"title":{},"first_index":{},"last_index":{},"at":"{}","changes":[{}],"quiet":{},"why":{}}})",
      text_json(alert.id), text_json(alert.rule), text_json(alert.rule_hash), text_json(alert.kind),
      text_json(alert.severity), alert.group, text_json(alert.title), alert.first_index,
      alert.last_index, format_time(alert.at), fmt::join(alert.changes, ","), alert.quiet,
      to_json(text_or_null(alert.why)));
}

}  // namespace vestige
