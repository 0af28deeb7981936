// Deliverer: tells what alerts are due to be told, round after round (vestige/rules/outbox.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cli/session.h"
#include "vestige/rules/outbox.h"

namespace vestige::cli {

class Deliverer {
 public:
  /// plan   the vestige.toml with its [notify.NAME]
  /// faults as read_notify
  static Result<Deliverer> from(const std::string& plan);

  struct Round {
    std::int64_t told = 0;
    std::int64_t untold = 0;  // what was tried in vain
  };
  /// Tries each that is due once. Of a target that fails the others wait for as long as that one.
  Result<Round> round(Session& session, Database& db);

  /// Whether a round would have something to do: time has come, or something was raised.
  bool is_due(std::int64_t now) const { return !targets_.empty() && next_ <= now; }
  void raised() { next_ = 0; }

 private:
  Deliverer(std::vector<NotifyTarget> targets, std::string folder)
      : targets_(std::move(targets)), folder_(std::move(folder)) {}
  Attempt attempt(const NotifyTarget& target, const Delivery& delivery, Database& db) const;
  const NotifyTarget& target_of(const Delivery& delivery) const;

  std::vector<NotifyTarget> targets_;
  std::string folder_;
  std::map<std::string, std::int64_t> resting_;  // targets that failed, until when
  std::int64_t next_ = 0;
};

}  // namespace vestige::cli
