// Witness: signs a checkpoint only when it extends the one that it signed before (C2SP tlog-witness).
//
//   POST add-checkpoint      old N \n, base64(hash) \n for each of a consistency proof, \n, the checkpoint
//
//   200  cosignature lines
//   400  not understood, or old is above the checkpoint's size
//   403  no signature of a key that is trusted for the origin
//   404  the origin is unknown
//   409  old is not the size that was signed last; the answer is that size, as text/x.tlog.size
//   422  the checkpoint does not extend the one that was signed last
//
// Pure: what was signed last comes and goes through the caller, who keeps one writer at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vestige/merkle/checkpoint.h"
#include "vestige/merkle/proof.h"

namespace vestige::merkle {

/// What a witness is asked.
struct AddCheckpoint {
  std::uint64_t old_size = 0;
  Proof proof;             // that the checkpoint extends the tree of old_size; at most 63 hashes
  std::string checkpoint;  // the signed note, verbatim
};

std::string to_text(const AddCheckpoint& request);

/// faults   invalid; the checkpoint is not looked into
Result<AddCheckpoint> parse_add_checkpoint(std::string_view body);

/// What a witness answers.
struct WitnessAnswer {
  int status = 0;
  std::string body;
  std::string type = "text/plain; charset=utf-8";
  /// Of a 200: the origin, and the checkpoint with the cosignature. It must be kept on the disk before
  /// anybody is answered.
  std::string origin = {};
  std::string keep = {};
};

/// The checkpoint that was cosigned last for an origin, as it was kept; nothing when none was.
using Kept = std::function<Result<std::optional<std::string>>(const std::string& origin)>;

/// Decides about one request.
///
/// logs     the keys of the logs that are known; the name of a key is its log's origin
/// now      seconds since 1970-01-01 UTC
/// faults   those of `kept`, corrupt (what was kept is no checkpoint), internal
Result<WitnessAnswer> answer(std::string_view body, std::span<const NoteKey> logs, const Kept& kept,
                             const NoteSigner& signer, std::uint64_t now);

/// The cosignature in a witness's answer, verified.
///
/// answer      the body of a 200
/// checkpoint  the signed note that it was asked about
/// faults      corrupt (no cosignature of this key, or not of this checkpoint)
Result<NoteSignature> cosignature_in(std::string_view answer, std::string_view checkpoint,
                                     const NoteKey& witness);

/// Where a witness shows the last checkpoint of an origin, below its address: hex(SHA-256(origin)) and
/// "/checkpoint".
std::string monitoring_path(std::string_view origin);

}  // namespace vestige::merkle
