#include "cli/out_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace vestige::cli {

Result<OutFile> OutFile::make(const std::string& path) {
  struct stat there {};
  if (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode))
    return hinted(fail(Fault::invalid, "write {}: that is no file", path),
                  "without --out it goes to standard output");
  std::string beside = path + ".XXXXXX";
  const int descriptor = mkostemp(beside.data(), O_CLOEXEC);
  if (descriptor < 0)
    return fail(errno == ENOENT || errno == ENOTDIR ? Fault::missing : Fault::denied,
                "write {}: {}", path, std::strerror(errno));
  return OutFile(path, std::move(beside), descriptor);
}

OutFile::OutFile(OutFile&& other) noexcept
    : path_(std::move(other.path_)),
      beside_(std::exchange(other.beside_, "")),
      descriptor_(std::exchange(other.descriptor_, -1)) {}

OutFile::~OutFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

Result<void> OutFile::keep() {
  const bool written = fsync(descriptor_) == 0;
  if (!written || std::rename(beside_.c_str(), path_.c_str()) != 0)
    return fail(Fault::denied, "write {}: {}", path_, std::strerror(errno));
  beside_.clear();
  return {};
}

}  // namespace vestige::cli
