// Event: a change in a format that others read: a SIEM, a bus, a lake (docs/siem.md). Each format is a pure function of the change
// and of where it is from. Values that are encrypted or redacted are named as such in all of them, and never leave.
// Test: event_test.cc, test/real/siem_formats.py.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vestige/record/change.h"

namespace vestige {

/// What a change does not say of itself.
struct Origin {
  std::string
      log;  // what the trail is called: the origin of its checkpoints, "audit.example.com/shop"
  std::string database;  // "shop"
  std::string version;   // of vestige
};

using EventFunction = std::string (*)(const Change&, const Origin&);

struct EventFormat {
  std::string_view name;  // "ocsf"
  EventFunction write;    // one line, without its end
};

/// Every format, in the order in which docs/siem.md explains them.
std::span<const EventFormat> event_formats();

/// nullptr: there is none of that name
const EventFormat* find_event_format(std::string_view name);

/// A change as it may leave: encrypted values have given way to {"$encrypted":true}, names that are not UTF-8 to readable ones. The
/// change itself where it has neither.
class Outgoing {
 public:
  explicit Outgoing(const Change& change);

  const Change& change() const { return copied_ ? copy_ : change_; }

 private:
  const Change& change_;
  Change copy_;
  bool copied_ = false;
};

}  // namespace vestige
