// Outbox: which alerts are told to whom, when next, and what became of it. An alert is told at least once: under its id, so that who
// gets it twice knows. Test: test/real/delivery.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/rules/notice.h"
#include "vestige/rules/notify_file.h"

namespace vestige {

struct Delivery {
  Notice notice;
  std::string target;
  std::int64_t attempts = 0;  // before this one
};

struct Due {
  std::vector<Delivery> now;
  std::optional<std::int64_t> next;  // when the earliest of the others is, microseconds
};

/// Alerts that are open, were not told to one of their targets yet, and whose time has come; oldest first. One that was raised quietly
/// or of what was long over is told to nobody.
Result<Due> due(Database& db, const std::vector<NotifyTarget>& targets, std::int64_t now);

/// Writes down what became of one.
///
/// returns  when it is tried again, microseconds; nothing: it is not
Result<std::optional<std::int64_t>> settle(Database& db, const NotifyTarget& target,
                                           const Delivery& delivery, const Attempt& attempt,
                                           std::int64_t now);

/// What became of telling one alert to one target, so far.
struct Told {
  std::string target;
  std::int64_t attempts = 0;
  std::optional<std::int64_t> delivered;  // when, microseconds
  std::optional<std::int64_t> next;       // when it is tried again; nothing: it is not
  std::string error;                      // of the last attempt, if it failed
};

/// Of one alert, by target.
Result<std::vector<Told>> told_of(Database& db, const std::string& alert);

/// Targets that said that there is nobody any more.
Result<std::vector<std::string>> gone_targets(Database& db,
                                              const std::vector<NotifyTarget>& targets);

/// How long after so many attempts the next one is, microseconds: 5 s, 5 min, 30 min, 2, 5, 10, 14, 20 hours, then every day; up to
/// a tenth more, so that not all come at once.
///
/// dice   0 to 255
std::int64_t pause_after(std::int64_t attempts, unsigned char dice);

}  // namespace vestige
