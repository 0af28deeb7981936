// Alert: what a rule has to say, once. Its id comes from what it is about, so that whoever finds it again finds the same one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vestige {

struct Alert {
  std::string id;
  std::string rule;
  std::string rule_hash;
  std::string kind;  // that of the rule, or "broken", "noisy"
  std::string severity;
  std::string group;  // a JSON object
  std::string title;
  std::int64_t first_index = 0;  // places of the feed
  std::int64_t last_index = 0;
  std::int64_t at = 0;  // the time of the change that raised it, microseconds
  std::vector<std::int64_t> changes;
  std::string table;  // of the change that raised it
  std::string who;
  std::vector<std::string> notify;
  std::string why;     // broken: the error
  bool quiet = false;  // it is recorded and not delivered: the rule is noisy, or inhibited
};

/// 16 hex digits of a SHA-256.
std::string alert_id(std::string_view rule, std::string_view rule_hash, std::string_view kind,
                     std::string_view group, std::int64_t first_index);

/// One object, without newline.
std::string to_json(const Alert& alert);

}  // namespace vestige
