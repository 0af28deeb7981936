#include "vestige/base/regular_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "vestige/base/file.h"

namespace vestige {

Result<RegularFile> open_regular(const std::string& path, Links links) {
  // A pipe that nobody writes to would keep open() for ever.
  const int descriptor = ::open(
      path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | (links == Links::refused ? O_NOFOLLOW : 0));
  if (descriptor < 0 && (errno == ELOOP || errno == ENXIO))
    return fail(Fault::corrupt, "read {}: it is no file", path);
  if (descriptor < 0) return file_refused("read", path);
  RegularFile out;
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  if (!known || !S_ISREG(status.st_mode)) {
    (void)::close(descriptor);
    return fail(Fault::corrupt, "read {}: it is no file", path);
  }
  out.bytes = static_cast<std::uint64_t>(status.st_size);
  out.file.reset(::fdopen(descriptor, "rb"));
  if (out.file == nullptr) {
    auto refused = file_refused("read", path);
    (void)::close(descriptor);
    return refused;
  }
  return out;
}

Result<std::string> regular_bytes(const std::string& path, std::uint64_t most) {
  const RegularFile opened = TRY(open_regular(path));
  std::string bytes;
  std::string piece(std::size_t{1} << 16, '\0');
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), opened.file.get())) {
    bytes.append(piece, 0, count);
    if (bytes.size() > most)
      return fail(Fault::corrupt, "read {}: it is longer than {} bytes", path, most);
  }
  if (std::ferror(opened.file.get()) != 0) return file_refused("read", path);
  return bytes;
}

}  // namespace vestige
