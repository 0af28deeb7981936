// Records kept aside, first in, first out, as often as they are wanted: in memory, and beyond some megabytes in a temporary file
// that no directory names.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "vestige/base/result.h"

namespace vestige {

class Spill {
 public:
  static constexpr std::size_t kMemory = std::size_t{4} << 20;

  /// faults   offline: the temporary file cannot be made or written
  Result<void> append(std::string_view record);

  /// The next record into `record`, 'n' when none is left. Not before the last append.
  ///
  /// faults   offline
  Result<char> next(std::string& record);

  /// The next record is the first again.
  void again() {
    read_ = 0;
    rewound_ = false;
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
  };
  Result<void> open();
  std::string_view memory_left() const { return std::string_view(memory_).substr(read_); }

  std::string memory_;
  std::size_t read_ = 0;
  std::unique_ptr<std::FILE, Close> file_;
  bool rewound_ = false;
};

}  // namespace vestige
