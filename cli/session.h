// Session: what one run of a verb has at hand: its arguments, its output, its database.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cli/arguments.h"
#include "cli/counts.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "vestige/audit/at.h"
#include "vestige/db/database.h"

namespace vestige::cli {

class Session {
 public:
  Session(const Command& command, Arguments arguments);

  const Command& command() const { return command_; }
  const Arguments& arguments() const { return arguments_; }
  Output& output() { return output_; }
  Format format() const { return output_.format(); }

  /// The database that --db, $VESTIGE_DB, vestige.toml, $DATABASE_URL or libpq's own environment names; opened
  /// once.
  ///
  /// plan     the vestige.toml to look into; otherwise the one that holds here (plan_file)
  /// from     the file that a relative path of the plan is relative to; empty: this folder
  /// faults   invalid (none is named), missing, denied, offline
  Result<Database*> database();
  Result<Database*> database(const std::string& plan, const std::string& from);
  /// A connection of its own to the same one, for what runs for long and outlives a server's restart.
  Result<std::unique_ptr<Database>> connect();
  /// How --db and its kin name it.
  ///
  /// faults   invalid (none is named)
  Result<std::string> url() const;
  /// The directory that --archive names, or [archive] of vestige.toml; "": none.
  ///
  /// faults   invalid
  Result<std::string> archive() const;
  /// What the database refused, in words that say what to ask for.
  Error explained(const Error& error);
  /// True once the arguments were understood and the database was asked for.
  bool reached_database() const { return reached_; }
  bool opened_database() const { return database_ != nullptr; }

  /// One line of talk on stderr.
  void say(std::string_view text);
  /// The moment that an option names (see find_moment).
  ///
  /// faults   invalid, missing
  Result<Moment> moment(const std::string& text);
  /// Says what is not known of a table at a moment: before tracking began, or when the table is gone.
  Result<void> say_limits(const std::string& typed, const Moment& moment);
  /// Says where a table's history ends, since what was before has expired.
  Result<void> say_expired(const std::string& typed);
  /// What may belong to a transaction too, and what would show it or undo it: `verb` is show or revert.
  Result<void> say_neighbours(std::int64_t tx, std::string_view verb);
  /// Takes progress off the terminal.
  void finish() { progress_.stop(); }
  /// A unit of progress; shown on stderr when the verb takes long and a person watches.
  void step() { progress_.step(); }
  void step(std::size_t done, std::size_t of) { progress_.step(done, of); }

  /// The SQL that was given as a word, by -f FILE, or on stdin.
  ///
  /// faults   invalid (none, or two of them), missing (no such file)
  Result<std::string> sql() const;

 private:
  Result<std::unique_ptr<Database>> connect(const std::string& plan, const std::string& from);
  Result<std::string> archive(const std::string& plan, const std::string& from) const;
  Result<std::string> named(const std::string& plan, const std::string& from) const;
  // A read of the trail, where reads are recorded.
  Result<void> record();
  std::string kept(std::string_view option, std::size_t place, const std::string& value) const;

  const Command& command_;
  Arguments arguments_;
  Output output_;
  Progress progress_;
  std::unique_ptr<Database> database_;
  bool reached_ = false;
  bool alone_ = false;  // an archive without its database
};

/// A moment in a table for people: to the second, on the wall clock that time_heading names; parse_time reads it back.
std::string short_time(std::int64_t micros);
/// The same to the minute, for narrow terminals.
std::string minute_time(std::int64_t micros);
/// One of both: a terminal narrower than 120 columns has no room for seconds.
std::string time_cell(const Output& output, std::int64_t micros);
/// "time (UTC)", "first (Berlin)": the heading over such moments.
std::string time_heading(std::string_view name);
/// A moment in a sentence: to the second, with its offset.
std::string said_time(std::int64_t micros);

}  // namespace vestige::cli
