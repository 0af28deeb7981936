// access: who was shown what. Reads and disclosures that an application reports, and reads of the trail itself, where they are
// recorded (docs/compliance.md, docs/decisions/0025-own-tables.md). Test: access_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vestige/trail/changes.h"

namespace vestige {

/// A read of the trail.
struct TrailRead {
  std::string kind = "trail";  // trail, export, unseal
  std::string verb;            // log, export, …
  std::string filter;          // what was asked for
  std::string purpose;         // what for; empty: nobody said
  std::string user =
      "";  // of this system: who it was, where the database has no users and the context names nobody
};

/// Whether reads of the trail, and what becomes of policies, are recorded. False where there is no trail, or where whoever asks
/// may not read one.
Result<bool> records_access(Database& db);

/// Has them recorded from here on, or no longer; that is recorded, too.
///
/// returns  whether they were before
/// faults   denied
Result<bool> record_access(Database& db, bool on, const Context& context);

/// Writes a read of the trail down, and commits: before the first row is shown. In no transaction.
///
/// faults   denied, conflict, offline: then nothing may be shown
Result<void> record_read(Database& db, const TrailRead& read, const Context& context);

/// Makes the table of reads, where it is not there yet: so that an application of SQLite can write to it.
Result<void> prepare_access(Database& db);

/// A read, as it was reported.
struct Access {
  std::int64_t change = 0;  // that it was recorded by
  std::int64_t at = 0;      // microseconds, by the trail's clock
  std::optional<std::string> who;
  Context context;
  std::string kind;
  // Empty where nothing was said.
  std::string table;
  std::string key;  // a JSON array of its columns' values
  std::string purpose;
  std::string verb;
  std::string filter;
  std::optional<std::int64_t> entries;
  std::string recipient;
  std::string recipient_address;
  std::string description;
  std::string request_ref;
  std::optional<std::int64_t> suspended_until;  // it is not to be told before, microseconds
  std::vector<ErasedPart> erased;
};

/// A read as it was reported by a change: an INSERT into the table of reads.
Access access_of(const Change& change);

/// Which of them; everything that is set must hold.
struct AccessRequest {
  std::string table;             // the table that was read, as typed
  std::vector<std::string> key;  // and the row of it
  std::vector<std::string> kinds;
  std::vector<std::string> who;
  std::optional<std::int64_t> since;
  std::optional<std::int64_t> until;
  bool oldest_first = false;
};

/// By the id of a row: until when it is not to be told, where that was said after it was reported.
using Suspended = std::map<std::int64_t, std::optional<std::int64_t>>;

/// faults   missing: no trail; corrupt, offline
Result<Suspended> suspensions(Database& db);

/// What was said last of whether a read is to be told.
void apply(const Suspended& suspended, const Change& change, Access& access);

/// It is of that table, under the name that the trail shows, and of that row; empty: of any.
bool is_of(const Access& access, const std::string& table, const std::vector<std::string>& key);

/// A stream of reads; memory for one, and for those that were suspended afterwards.
class AccessLog {
 public:
  AccessLog(std::unique_ptr<Changes> changes, AccessRequest request, Suspended suspended)
      : changes_(std::move(changes)),
        request_(std::move(request)),
        suspended_(std::move(suspended)) {}

  /// faults   corrupt, offline
  Result<std::optional<Access>> next();

 private:
  std::unique_ptr<Changes> changes_;  // nullptr: there never was a read
  AccessRequest request_;
  Suspended suspended_;
};

/// The table that a person means, under the name by which reads of it are reported: one of the database, one that has a history,
/// or one of which a read was reported.
///
/// faults   missing: none has that name, with the nearest in the hint; corrupt, offline
Result<std::string> reported_table(Database& db, const std::string& typed);

/// The values of a key as it was reported: the texts of a JSON array; what is none stands as it is.
std::vector<std::string> reported_key(const std::string& key);

/// Reads, newest first unless asked otherwise.
///
/// faults   missing: no trail, or no table of that name (reported_table); corrupt, offline
Result<AccessLog> access_log(Database& db, const AccessRequest& request);

/// One object, without newline (docs/json.md).
std::string to_json(const Access& access);

}  // namespace vestige
