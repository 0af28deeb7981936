// Who is told of alerts: [notify.NAME] of vestige.toml (docs/delivery.md). Test: test/real/notify.py.
#pragma once

#include <string>
#include <vector>

#include "vestige/base/crypto.h"
#include "vestige/base/toml_file.h"

namespace vestige {

struct NotifyTarget {
  enum class Kind { webhook, syslog, exec, channel };
  std::string name;
  Kind kind = Kind::webhook;
  std::string address;             // the URL, the channel; of exec the program
  std::vector<std::string> words;  // exec: the program and what it is given
  bool ocsf = false;               // what it is told: a Detection Finding, and no object of our own
  std::vector<std::string> secrets;  // webhook: where they are, "env:NAME" or "file:PATH"
};

/// Reads and checks them; secrets are not looked at.
///
/// faults   invalid, with the place of what is wrong
Result<std::vector<NotifyTarget>> read_notify(const Toml& file);

/// The secrets of a target, from the environment and from files.
///
/// folder   in which files that are named are looked for
/// faults   missing, denied (others may read it, too), invalid; no message repeats a secret
Result<std::vector<Secret>> secrets_of(const NotifyTarget& target, const std::string& folder);

/// What a target is known by where it must not be repeated: an address can be a secret.
std::string place_of(const NotifyTarget& target);

}  // namespace vestige
