// Checkpoint: the tree's size and root at a moment, as the text of a signed note (C2SP tlog-checkpoint).
//
//   origin
//   size, decimal
//   base64(root)
//   further lines, none of them empty
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/merkle/note.h"
#include "vestige/merkle/tree.h"

namespace vestige::merkle {

struct Checkpoint {
  std::string origin;  // the name of the log, and of the key that signs for it
  std::uint64_t size = 0;
  Hash root{};
  std::vector<std::string> extensions = {};
  bool operator==(const Checkpoint&) const = default;
};

/// The text of the note, which signatures cover.
std::string to_text(const Checkpoint& checkpoint);

/// Reads the text of a note.
///
/// faults   corrupt
Result<Checkpoint> parse_checkpoint(std::string_view text);

/// The whole note with the log's signature. The origin is the signer's name.
///
/// faults   internal
Result<std::string> sign_checkpoint(const NoteSigner& signer, std::uint64_t size, const Hash& root);

/// A checkpoint, and who signed it as far as the keys that were given can tell.
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  Note note;
  std::vector<Signed> signatures;
  std::vector<std::string> passed_over;  // names on lines that open_appended left out; "": no name

  /// The log's own signature: of a key of kind log, whose name is the origin; nullptr when there is none.
  const Signed* log() const;
};

/// Reads a signed checkpoint. Known keys of kind log count for their own origin only.
///
/// faults   corrupt (also a signature that claims to be of a known key and is not)
Result<OpenedCheckpoint> open_checkpoint(std::string_view note, std::span<const NoteKey> known);

/// Reads a signed checkpoint behind which others may write lines. Those that are no signatures, or claim to be of a
/// known key and are not, are left out, where a known key signed the text (docs/decisions/0009-false-lines.md).
///
/// known    none: every line that can be read counts
/// faults   corrupt (also such a line where no known key signed)
Result<OpenedCheckpoint> open_appended(std::string_view note, std::span<const NoteKey> known);

}  // namespace vestige::merkle
