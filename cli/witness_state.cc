#include "cli/witness_state.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "vestige/base/file.h"

namespace vestige::cli {
namespace {

// hex(SHA-256) and the file's name: nothing else is ever looked up below the directory.
bool is_monitoring_path(std::string_view path) {
  constexpr std::string_view kEnd = "/checkpoint";
  return path.size() == 64 + kEnd.size() && path.ends_with(kEnd) &&
         path.substr(0, 64).find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

Result<WitnessState> WitnessState::open(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const int lock =
      error ? -1 : ::open((directory + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0)
    return fail(Fault::denied, "open the witness's state {}: no directory to write to", directory);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    (void)::close(lock);
    return fail(Fault::conflict, "open the witness's state {}: another process uses it", directory);
  }
  return WitnessState(directory, lock);
}

WitnessState::WitnessState(WitnessState&& other) noexcept
    : directory_(std::move(other.directory_)), lock_(std::exchange(other.lock_, -1)) {}

WitnessState::~WitnessState() {
  if (lock_ >= 0) (void)::close(lock_);
}

Result<merkle::WitnessAnswer> WitnessState::answer(std::string_view body,
                                                   const std::vector<merkle::NoteKey>& logs,
                                                   const merkle::NoteSigner& signer,
                                                   std::uint64_t now) {
  const std::lock_guard only(one_);
  const auto kept = [this](const std::string& origin) {
    return shown(merkle::monitoring_path(origin));
  };
  merkle::WitnessAnswer answered = TRY(merkle::answer(body, logs, kept, signer, now));
  if (answered.keep.empty()) return answered;
  const std::string path = directory_ + "/" + merkle::monitoring_path(answered.origin);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  TRY(replace_file(path, answered.keep));
  return answered;
}

Result<std::optional<std::string>> WitnessState::shown(const std::string& path) const {
  if (!is_monitoring_path(path)) return std::nullopt;
  auto bytes = file_bytes(directory_ + "/" + path);
  if (!bytes.has_value() && bytes.error().fault == Fault::missing) return std::nullopt;
  return std::optional(TRY(std::move(bytes)));
}

}  // namespace vestige::cli
