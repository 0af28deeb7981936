#include "vestige/audit/archive_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "vestige/base/file.h"

namespace vestige {

Result<ArchiveLock> ArchiveLock::take(const std::string& directory) {
  const std::string path = directory + "/.lock";
  ArchiveLock out(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (out.descriptor_ < 0) return file_refused("make", path);
  if (::flock(out.descriptor_, LOCK_EX | LOCK_NB) == 0) return out;
  if (errno != EWOULDBLOCK) return file_refused("lock", path);
  return hinted(fail(Fault::conflict, "archive: another run is writing into {}", directory),
                "it is run again once that has ended");
}

ArchiveLock::ArchiveLock(ArchiveLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

ArchiveLock::~ArchiveLock() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
}

}  // namespace vestige
