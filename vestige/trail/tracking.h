// Tracking: which tables of the application are recorded, and how a database takes one on. What everybody calls stands in
// track.h and table_work.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/denied.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/migration.h"
#include "vestige/trail/recipient.h"
#include "vestige/trail/table_work.h"
#include "vestige/trail/track.h"

namespace vestige {

/// Which data keys of a class are no more: those that are in use from a change on, or an earlier one.
struct EndOfKeys {
  std::string of;
  std::int64_t upto = 0;
  std::int64_t data_keys = 0;  // how many they are
  std::string subject = {};    // only this one's (subject.h); empty: all of them
};

class Tracking {
 public:
  Tracking() = default;
  Tracking(const Tracking&) = delete;
  Tracking& operator=(const Tracking&) = delete;
  virtual ~Tracking() = default;

  /// The application's own tables that can be tracked, by name.
  virtual Result<std::vector<std::string>> trackable() = 0;

  /// A table as it stands now.
  ///
  /// faults   missing, invalid
  virtual Result<LiveTable> live(const std::string& name) = 0;

  /// In the caller's transaction (see track.h).
  virtual Result<Tracked> track(const std::string& name, const Policy& policy) = 0;
  virtual Result<void> untrack(const std::string& name) = 0;
  virtual Result<Tracked> own(std::string_view name) = 0;
  /// Whether reads of the trail, and what becomes of policies, are recorded from here on; whether they were.
  virtual Result<bool> record_access(bool on) = 0;
  virtual Result<std::int64_t> baseline(const Tracked& table) = 0;

  /// Whom a class of keys is encrypted for from now on, too, and whom no longer (see recipient.h).
  virtual Result<std::vector<Recipient>> recipients(std::string_view of) = 0;
  virtual Result<void> add_recipient(const std::string& of, const std::string& public_key,
                                     std::optional<std::int64_t> from) = 0;
  /// Of one that has not begun, those who were to end when it begins stand as long as it would have.
  virtual Result<void> end_recipient(std::int64_t id) = 0;
  /// Wraps are destroyed, and made of keys that stand, one after the other: until the caller's transaction ends.
  virtual Result<void> lock_wraps() = 0;
  /// Takes away the wraps of data keys, and records it, in the caller's transaction; who calls it has asked whether they are held.
  virtual Result<void> destroy_keys(const EndOfKeys& end) = 0;
  /// After the commit: wipes what a log of the file has of them.
  ///
  /// returns  what is left all the same and what to do about it, a sentence each: in such a log while others read it, and in
  ///          transactions that are still open, of which nobody sees what they write
  virtual Result<std::vector<std::string>> left_of_wraps() = 0;
  /// Whether a log of the file has what was to be wiped, since somebody reads it: values that were encrypted since, or such wraps.
  virtual Result<bool> log_has_more() = 0;

  /// The tracked tables on their way through a script (see audit/ddl.h). Made outside of transactions.
  virtual Result<std::unique_ptr<Migration>> migration(std::string_view script) = 0;

  /// Work on many tables of an application that goes on writing to them (see vestige::table_by_table).
  virtual Result<std::vector<Undone>> table_by_table(const TableWork& work,
                                                     std::string_view lock_timeout) = 0;

  /// What the database refused, said so that whoever reads it knows what to ask for (see vestige::explained).
  virtual Error explained(const Error& error, const Attempted& attempted) = 0;
};

std::unique_ptr<Tracking> tracking_of(Database& db);

}  // namespace vestige
