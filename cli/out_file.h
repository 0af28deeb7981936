// A file that is written beside its place and put there when it is whole.
#pragma once

#include <string>

#include "vestige/base/result.h"

namespace vestige::cli {

class OutFile {
 public:
  /// Only its owner may read it.
  ///
  /// faults   missing (no such directory), denied, invalid (a device, a pipe, a directory stands there)
  static Result<OutFile> make(const std::string& path);
  OutFile(OutFile&& other) noexcept;
  OutFile& operator=(OutFile&&) = delete;
  ~OutFile();

  int descriptor() const { return descriptor_; }

  /// Puts it in its place.
  ///
  /// faults   denied; then what stood there still does
  Result<void> keep();

 private:
  OutFile(std::string path, std::string beside, int descriptor)
      : path_(std::move(path)), beside_(std::move(beside)), descriptor_(descriptor) {}

  std::string path_;
  std::string beside_;  // "": it is in its place
  int descriptor_;
};

}  // namespace vestige::cli
