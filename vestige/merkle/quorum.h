// Quorum: which logs are trusted, and which witnesses must have cosigned (C2SP tlog-policy).
//
//   log VKEY [URL]
//   witness NAME VKEY [URL]
//   group NAME all|any|K MEMBER…       members were named before; each name in one group at most
//   quorum NAME|none                   exactly once
//
// Empty lines and lines that begin with # are passed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/merkle/checkpoint.h"

namespace vestige::merkle {

struct Quorum {
  struct Log {
    NoteKey key;
    std::string url;  // "": none
  };
  struct Witness {
    std::string name;  // within the file
    NoteKey key;
    std::string url;
  };
  struct Group {
    std::string name;
    std::size_t needed = 0;
    std::vector<std::string> members;
  };
  std::vector<Log> logs;
  std::vector<Witness> witnesses;
  std::vector<Group> groups;
  std::string needed;  // a witness or a group; "none"

  /// Every key: the logs', then the witnesses'.
  std::vector<NoteKey> keys() const;

  /// True when those who signed are enough: the quorum's witnesses. Whether the log signed is not asked.
  bool reached(const std::vector<Signed>& signatures) const;
};

/// As many as `needed` of these witnesses; their names and keys differ.
///
/// needed   from 1 up to their number
Quorum quorum_of(std::size_t needed, std::vector<Quorum::Witness> witnesses);

/// faults   invalid; the message names the line
Result<Quorum> parse_quorum(std::string_view file);

}  // namespace vestige::merkle
