// A change as a part of an archive says it: one line of changes.ndjson, which is the object of docs/json.md with its place in the tree,
// and the ids of its shape and table. Test: test/archive_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vestige/record/change.h"
#include "vestige/record/entry.h"

namespace vestige {

struct ArchivedChange {
  Change change;
  std::int64_t table_id = 0;
  bool shown = true;  // false: an UPDATE in which nothing differs, of which readers say nothing
};

/// A value of it is as the database printed it (Manifest::tokens).
bool has_tokens(const Change& change);

std::string archived_json(const Change& change, std::int64_t table_id, std::uint64_t index);
/// The same of a change that readers pass over.
std::string unshown_json(const Entry& entry, std::uint64_t index);

/// faults   corrupt
Result<ArchivedChange> archived_change(std::string_view line, bool tokens);

/// What an erasure leaves of a change: as readers say it of one that was erased in the database.
///
/// taken    a part of it, and the ERASE that took it
void lose(Change& change, const ErasedPart& taken);

/// What a change says otherwise than its entry at a place, for people; "": nothing.
std::string not_said(const ArchivedChange& said, const Entry& proved, std::uint64_t index);

}  // namespace vestige
