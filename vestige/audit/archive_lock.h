// One run at a time writes into the directory of an archive: for archive.cc and erase_archive.cc. Test: test/archive_runs_test.cc.
#pragma once

#include <string>

#include "vestige/base/result.h"

namespace vestige {

class ArchiveLock {
 public:
  /// faults   conflict (another run has it), denied
  static Result<ArchiveLock> take(const std::string& directory);

  ArchiveLock(ArchiveLock&& other) noexcept;
  ArchiveLock(const ArchiveLock&) = delete;
  ArchiveLock& operator=(const ArchiveLock&) = delete;
  ArchiveLock& operator=(ArchiveLock&&) = delete;
  ~ArchiveLock();

 private:
  explicit ArchiveLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace vestige
