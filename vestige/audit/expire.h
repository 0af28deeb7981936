// expire: takes away what is older than its class of retention is kept, and says so by an EXPIRE (docs/retention.md;
// docs/decisions/0027). Test: test/expire_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/archive.h"
#include "vestige/db/database.h"
#include "vestige/feed/cursor.h"
#include "vestige/record/change.h"
#include "vestige/trail/retention.h"

namespace vestige {

/// What becomes of the changes of a class that are due.
struct ClassExpiry {
  RetentionClass retention;
  std::uint64_t due = 0;
  std::uint64_t held = 0;        // by a hold
  std::uint64_t unsealed = 0;    // not sealed yet
  std::uint64_t behind = 0;      // before a consumer's cursor: it is not done with them
  std::uint64_t unarchived = 0;  // of a class that is archived: no archive has them
  std::uint64_t early = 0;       // that say an earlier time than those before them
  std::uint64_t waiting = 0;     // in a partition of which too little would go
  std::uint64_t gone = 0;        // of a dry run: that would go
  std::int64_t bytes = 0;        // of the recorded values that went
  std::optional<std::int64_t> oldest =
      {};  // when the oldest was made of those that neither a hold nor a clock keeps; of a dry run with what would go

  std::uint64_t kept() const { return unsealed + behind + unarchived + early + waiting; }
};

struct Expiring {
  std::vector<ClassExpiry> classes;     // by name; those that are kept for ever are left out
  std::vector<std::int64_t> by;         // the EXPIREs; none of a dry run
  std::vector<CursorStanding> lagging;  // consumers before whom something stays
  std::vector<ArchiveComplaint>
      unread;  // of the archive: what is wrong with it, so that nothing of that part went
};

struct ExpireRequest {
  bool dry_run = false;
  bool all = false;                 // what waits until more of its partition is due, too
  std::optional<std::int64_t> now;  // nothing: the clock; microseconds
  std::string archive;  // the directory of an archive; "": none, and what is archived first stays
};

/// Takes a stretch of the trail after the other, each whole or not at all: who is killed runs it again, and it goes on.
///
/// context  of the EXPIREs
/// step     told when a stretch is done; may be empty
/// faults   missing (no trail; an older one; no such archive), denied (PostgreSQL: this role does not own the trail), conflict (others used
///          the trail all the time)
Result<Expiring> expire(Database& db, const ExpireRequest& request, const Context& context,
                        const std::function<void()>& step = {});

/// Whether something is due at a moment, kept or not: that is seen without a look at what was sealed.
///
/// faults   those of expire
Result<bool> anything_due(Database& db, std::int64_t now);

/// One object for each class (docs/json.md).
std::string to_json(const ClassExpiry& one, bool dry_run);

}  // namespace vestige
