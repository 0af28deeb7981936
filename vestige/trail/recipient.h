// Recipients: whose public keys the data keys of a class are wrapped to. A table of the trail's own, so that who added one shows.
// Test: test/cli/encrypt.txt, test/real/encrypt_twins.py.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/policy.h"

namespace vestige {

struct Recipient {
  std::int64_t id = 0;
  std::string of;          // the class
  std::string public_key;  // the line that `vestige keys generate` prints
  // Microseconds: from when on, and before when, a class is encrypted for it.
  std::int64_t since = 0;
  std::optional<std::int64_t> until = {};
};

/// The age recipient in such a line.
///
/// returns  32 bytes
/// faults   invalid
Result<std::string> age_half(std::string_view public_key);

/// That it is such a line, age1… or age1… openpgp:…, both public halves, and nothing else.
///
/// faults   invalid; the message never repeats what was given
Result<void> check_recipient(std::string_view public_key);

/// A class of keys that can be: letters, digits, dots, - and _, 63 at most, a letter or digit first.
///
/// faults   invalid
Result<void> check_class(std::string_view of);

/// Those that a class has now.
Result<std::vector<Recipient>> recipients(Database& db, std::string_view of);

/// All that a class ever had, or will have; of every class where it is empty. By id.
Result<std::vector<Recipient>> all_recipients(Database& db, std::string_view of);

/// Those of a class that stand at a moment; where none stands yet, those that come first: what is to be encrypted never waits for a clock.
std::vector<Recipient> standing(const std::vector<Recipient>& all, std::int64_t at);

/// Every class that a policy encrypts for has one.
///
/// faults   missing
Result<void> require_recipients(Database& db, const Policy& policy, const std::string& table);

/// Adds one, in the caller's transaction; one that stands already stays.
///
/// from     it begins then, and who stands then ends; where another one begins later, it ends there. Nothing: it begins now, beside
///          the others
/// faults   invalid (the class, or the key), conflict (with `from`, of one that stands already), denied
Result<void> add_recipient(Database& db, const std::string& of, const std::string& public_key,
                           std::optional<std::int64_t> from = {});

/// From now on that one and no other; the caller's transaction.
///
/// returns  false: it was so
Result<bool> set_recipient(Database& db, const std::string& of, const std::string& public_key);

}  // namespace vestige
