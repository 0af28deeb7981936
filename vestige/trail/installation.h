// Installation: the trail as a thing that stands in a database. What install.h promises, each database's way.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "vestige/db/database.h"
#include "vestige/trail/remains.h"

namespace vestige {

class Installation {
 public:
  Installation() = default;
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  virtual ~Installation() = default;

  /// 0 when there is no trail.
  ///
  /// faults   denied: the role may not read it; corrupt: of its tables those are missing that say so
  virtual Result<std::int64_t> version() = 0;

  /// What is left of a trail, whole or not.
  virtual Result<Remains> remains() = 0;

  /// Makes a trail where nothing of one is left. In the caller's transaction, as all that writes here but the engines.
  virtual Result<void> make() = 0;

  /// The same where nobody can look at the application's tables without one, which is so on PostgreSQL.
  virtual Result<void> make_to_look() = 0;

  /// Brings a trail of this version to what this vestige installs.
  ///
  /// returns  false when it is so already
  /// faults   corrupt (tables are missing, or are not as they were installed), denied
  virtual Result<bool> renew() = 0;

  /// Takes away whatever is left: triggers, views, functions, tables.
  virtual Result<void> remove() = 0;

  /// Whether an older trail has what the evidence, the sealer, an erasure and those who follow need.
  virtual Result<bool> has_evidence() = 0;
  virtual Result<bool> lets_seal() = 0;
  virtual Result<bool> lets_erase() = 0;
  virtual Result<bool> has_cursors() = 0;

  /// A table in which the trail's programs keep what they know from one run to the next (see kept_table.h).
  virtual Result<void> keep_table(std::string_view name) = 0;
  virtual Result<bool> has_table(std::string_view name) = 0;

  /// Which engine records (see install.h).
  virtual Result<void> require_engine(std::string_view engine) = 0;
  virtual Result<void> renew_engine() = 0;
  virtual Result<std::int64_t> use_engine(std::string_view engine) = 0;

  /// How many tables have capture triggers that record nothing.
  virtual Result<std::int64_t> idle_tables() = 0;
};

std::unique_ptr<Installation> installation_of(Database& db);

}  // namespace vestige
