// Alerts as they are kept: in a table of the trail's own, so that what was found, and what became of it, is recorded and sealed as
// everything is. Test: test/watch_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/rules/alert.h"

namespace vestige {

enum class AlertState { open, acknowledged, closed, silenced };

std::string_view name(AlertState state);

struct KeptAlert {
  Alert alert;
  AlertState state = AlertState::open;
  std::string owner;    // who took it up
  std::string comment;  // why it was closed, or silenced
  bool backfilled = false;
  std::int64_t until = 0;  // of a silence, microseconds
  std::string damaged;  // why its row cannot be read whole: somebody else wrote it; empty: it can
};

std::string to_json(const KeptAlert& kept);

/// Which of them; everything that is set must hold.
struct AlertSelection {
  std::optional<AlertState> state;
  std::string rule;
  std::int64_t limit = 0;  // 0: all
};

/// Latest first. One that is damaged stands among them, and hinders none of the others.
Result<std::vector<KeptAlert>> kept_alerts(Database& db, const AlertSelection& selection);

/// By its id, or the beginning of it.
///
/// faults   missing, invalid (more than one begins so)
Result<KeptAlert> kept_alert(Database& db, const std::string& id);

/// Takes one up, or closes it.
///
/// faults   missing; conflict: it is closed already; denied
Result<KeptAlert> set_alert(Database& db, const std::string& id, AlertState state,
                            const std::string& by, const std::string& comment,
                            const Context& context);

/// From now on what is meant is recorded and told to nobody, until a moment: "rule:night-work actor:ann".
///
/// faults   invalid: the words mean nothing; denied
Result<KeptAlert> silence(Database& db, const std::string& words, std::int64_t from,
                          std::int64_t until, const std::string& by, const std::string& reason,
                          const Context& context);

/// Silences, also those that are over, latest first: the words stand as the title, `until` says when it ends, and one that was lifted is
/// closed.
Result<std::vector<KeptAlert>> kept_silences(Database& db);

/// Ends a silence before its time, by its id, or the beginning of it.
///
/// faults   missing, invalid (more than one begins so); conflict: it is over, or was lifted; denied
Result<KeptAlert> lift_silence(Database& db, const std::string& id, std::int64_t now,
                               const std::string& by, const std::string& reason,
                               const Context& context);

/// In the caller's transaction: those that are not there yet. One that a silence is about is silenced.
Result<void> keep_alerts(Database& db, const std::vector<KeptAlert>& alerts);

/// What a silence says, field by field: rule, severity, table, actor.
///
/// faults   invalid: the words mean nothing
Result<std::vector<std::pair<std::string, std::string>>> silence_words(const std::string& words);

/// Whether a silence is about an alert.
///
/// faults   invalid: the words mean nothing
Result<bool> silences(const std::string& words, const Alert& alert);

}  // namespace vestige
