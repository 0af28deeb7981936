// Files that others may have put there: only what is a file is opened, no link is followed unasked, nothing waits for a writer of a pipe, and no
// more is read than was asked for. Test: test/archive_files_test.cc.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "vestige/base/result.h"

namespace vestige {

struct CloseFile {
  void operator()(std::FILE* file) const noexcept { (void)std::fclose(file); }
};

struct RegularFile {
  std::unique_ptr<std::FILE, CloseFile> file;
  std::uint64_t bytes = 0;  // how long it was when it was opened
};

enum class Links { refused, followed };

/// Opens it to be read.
///
/// links    whether its name may be that of a link
/// faults   missing, denied, corrupt (it is a link, a directory, a device, or a pipe)
Result<RegularFile> open_regular(const std::string& path, Links links = Links::refused);

/// All of its bytes.
///
/// most     it has no more
/// faults   those of open_regular; corrupt (it is longer)
Result<std::string> regular_bytes(const std::string& path, std::uint64_t most);

}  // namespace vestige
