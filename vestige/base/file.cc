#include "vestige/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace vestige {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) (void)::close(number_);
  }
  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_;
};

// Writes everything and waits until it is on the disk.
bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(descriptor) == 0;
}

// A name lasts when its directory is on the disk.
bool sync_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.open() && ::fsync(opened.number()) == 0;
}

}  // namespace

namespace {

constexpr std::size_t kLongestSecret = 65536;

Result<std::string> all_bytes(const Descriptor& file, const std::string& path,
                              std::size_t most = std::string::npos) {
  std::string bytes;
  char part[65536];
  for (;;) {
    const ssize_t count = ::read(file.number(), part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return file_refused("read", path);
    if (count == 0) return bytes;
    bytes.append(part, static_cast<std::size_t>(count));
    if (bytes.size() > most)
      return fail(Fault::invalid, "read {}: a secret is not longer than {} bytes", path, most);
  }
}

}  // namespace

tl::unexpected<Error> file_refused(std::string_view what, const std::string& path) {
  const int why = errno;
  const Fault fault = why == ENOENT   ? Fault::missing
                      : why == EEXIST ? Fault::conflict
                                      : Fault::denied;
  return fail(fault, "{} {}: {}", what, path, std::strerror(why));
}

Result<std::string> file_bytes(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return file_refused("read", path);
  return all_bytes(file, path);
}

Result<std::string> secret_bytes(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (!file.open() || ::fstat(file.number(), &status) != 0) return file_refused("read", path);
  // As ssh has it: a group may read what somebody else gave it to read; a pipe has no readers.
  const mode_t others = status.st_uid == ::geteuid() ? 0077 : 0007;
  if (S_ISREG(status.st_mode) && (status.st_mode & others) != 0)
    return hinted(fail(Fault::denied, "read {}: others may read it, too (mode {:04o})", path,
                       status.st_mode & 07777U),
                  "chmod 600 " + path);
  return all_bytes(file, path, kLongestSecret);
}

Result<void> make_private_file(const std::string& path, std::string_view bytes) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.open()) return file_refused("make", path);
  if (!write_all(file.number(), bytes) || !sync_directory(path)) {
    auto error = file_refused("write", path);
    (void)::unlink(path.c_str());
    return error;
  }
  return {};
}

Result<void> replace_file(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  // What was left there, or put there, is removed, not written to: it may be a link.
  constexpr int kFresh = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  if (::unlink(beside.c_str()) != 0 && errno != ENOENT) return file_refused("write", beside);
  const Descriptor file(::open(beside.c_str(), kFresh, 0644));
  if (!file.open()) return file_refused("write", beside);
  if (!write_all(file.number(), bytes) || ::rename(beside.c_str(), path.c_str()) != 0 ||
      !sync_directory(path))
    return file_refused("replace", path);
  return {};
}

}  // namespace vestige
