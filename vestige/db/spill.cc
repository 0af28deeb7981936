#include "vestige/db/spill.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>

namespace vestige {
namespace {

tl::unexpected<Error> no_room() {
  return hinted(fail(Fault::offline, "keep rows aside in a temporary file: {}", strerror(errno)),
                "make room, or name another directory in $TMPDIR");
}

}  // namespace

Result<void> Spill::open() {
  const char* directory = getenv("TMPDIR");
  std::string name = directory == nullptr || *directory == '\0' ? "/tmp" : directory;
  name += "/vestige-XXXXXX";
  const int descriptor = mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0) return no_room();
  unlink(name.c_str());
  file_.reset(fdopen(descriptor, "w+"));
  if (file_ == nullptr) return no_room();
  return {};
}

Result<void> Spill::append(std::string_view record) {
  const std::uint64_t size = record.size();
  const std::string_view head(reinterpret_cast<const char*>(&size), sizeof size);
  if (file_ == nullptr && memory_.size() + head.size() + record.size() <= kMemory) {
    memory_ += head;
    memory_ += record;
    return {};
  }
  if (file_ == nullptr) TRY(open());
  for (const std::string_view part : {head, record})
    if (fwrite(part.data(), 1, part.size(), file_.get()) != part.size()) return no_room();
  return {};
}

Result<char> Spill::next(std::string& record) {
  std::uint64_t size = 0;
  if (!memory_left().empty()) {
    memcpy(&size, memory_left().data(), sizeof size);
    record = memory_left().substr(sizeof size, size);
    read_ += sizeof size + size;
    return 'y';
  }
  if (file_ == nullptr) return 'n';
  if (!rewound_) {
    if (fflush(file_.get()) != 0 || fseek(file_.get(), 0, SEEK_SET) != 0) return no_room();
    rewound_ = true;
  }
  const std::size_t got = fread(&size, 1, sizeof size, file_.get());
  if (got == 0 && feof(file_.get()) != 0) return 'n';
  if (got != sizeof size) return no_room();
  record.resize(size);
  if (fread(record.data(), 1, size, file_.get()) != size) return no_room();
  return 'y';
}

}  // namespace vestige
