// What a witness remembers: for each origin the last checkpoint that it cosigned, in a file of its own.
//
//   DIR/lock                             held by the one process that may write
//   DIR/<hex sha256(origin)>/checkpoint  the note with the cosignature; also what monitors read
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "vestige/merkle/witness.h"

namespace vestige::cli {

class WitnessState {
 public:
  /// Makes the directory where it is missing, and takes its lock.
  ///
  /// faults   conflict (another process holds it), denied
  static Result<WitnessState> open(const std::string& directory);
  WitnessState(WitnessState&& other) noexcept;
  WitnessState& operator=(WitnessState&&) = delete;
  ~WitnessState();

  /// Decides about a request, and keeps what it cosigned before it answers. One at a time.
  ///
  /// faults   those of merkle::answer, denied (the disk)
  Result<merkle::WitnessAnswer> answer(std::string_view body,
                                       const std::vector<merkle::NoteKey>& logs,
                                       const merkle::NoteSigner& signer, std::uint64_t now);

  /// The file of a monitoring path, "<hex>/checkpoint"; nothing when there is none.
  ///
  /// faults   denied (the disk)
  Result<std::optional<std::string>> shown(const std::string& path) const;

 private:
  WitnessState(std::string directory, int lock) : directory_(std::move(directory)), lock_(lock) {}

  std::string directory_;
  int lock_;
  std::mutex one_;
};

}  // namespace vestige::cli
