// Notice: what is told to somebody of an alert. Whoever gets it twice knows it by its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace vestige {

struct Notice {
  std::string id;
  std::string severity;
  std::string title;
  std::string json;     // the whole of it, one object
  std::int64_t at = 0;  // microseconds
};

/// What one attempt to tell somebody came to.
struct Attempt {
  bool delivered = false;
  bool gone = false;                 // there is nobody any more
  std::string error;                 // why it was not; says nothing of the address
  std::optional<std::int64_t> wait;  // seconds until the next, as was asked
};

}  // namespace vestige
