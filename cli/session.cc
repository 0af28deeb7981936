#include "cli/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cli/login.h"
#include "cli/plan_file.h"
#include "cli/printable.h"
#include "vestige/audit/identity.h"
#include "vestige/audit/plan.h"
#include "vestige/base/time.h"
#include "vestige/source/archive.h"
#include "vestige/trail/access.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/denied.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/kept_words.h"
#include "vestige/trail/live_table.h"

namespace vestige::cli {
namespace {

Output::Choice choice(const Arguments& arguments) {
  Output::Choice choice;
  const std::string format = arguments.text("--format");
  if (format == "json") choice.format = Format::json;
  if (format.ends_with("csv")) choice.format = Format::csv;
  choice.raw = format == "raw-csv";
  choice.colour = arguments.value("--color").value_or("auto");
  choice.pager = !arguments.has("--no-pager");
  return choice;
}

// libpq's own environment says which database.
bool names_postgres() {
  for (const char* name : {"PGDATABASE", "PGSERVICE", "PGHOST", "PGHOSTADDR"})
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') return true;
  return false;
}

Result<std::string> read_file(const std::string& path) {
  std::error_code ignored;
  errno = std::filesystem::is_directory(path, ignored) ? EISDIR : 0;
  std::ifstream file;
  if (errno == 0) file.open(path, std::ios::binary);
  if (!file.is_open()) return fail(Fault::missing, "read {}: {}", path, std::strerror(errno));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

tl::unexpected<Error> none_named() {
  return hinted(fail(Fault::invalid, "no database is named"),
                "use --db shop.db, or $VESTIGE_DB, or `database = \"shop.db\"` in vestige.toml, or "
                "$DATABASE_URL, or $PGDATABASE");
}

}  // namespace

Session::Session(const Command& command, Arguments arguments)
    : command_(command),
      arguments_(std::move(arguments)),
      output_(choice(arguments_)),
      progress_("vestige " + command.name) {
  output_.before_terminal([this] { progress_.stop(); });
}

Result<Database*> Session::database() {
  const std::string plan = plan_file();
  return database(plan, plan);
}

Result<Database*> Session::database(const std::string& plan, const std::string& from) {
  if (database_ != nullptr) return database_.get();
  database_ = TRY(connect(plan, from));
  TRY(record());
  progress_.start();
  return database_.get();
}

Result<std::unique_ptr<Database>> Session::connect() {
  const std::string plan = plan_file();
  return connect(plan, plan);
}

// What names it; "": nothing does.
Result<std::string> Session::named(const std::string& plan, const std::string& from) const {
  std::string url = arguments_.text("--db");
  if (url.empty())
    if (const char* told = std::getenv("VESTIGE_DB")) url = told;
  if (url.empty() && std::filesystem::exists(plan))
    url = beside_plan(from, TRY(read_plan(plan)).database.value_or(""));
  if (url.empty())
    if (const char* told = std::getenv("DATABASE_URL")) url = told;
  if (url.empty() && names_postgres()) url = "postgresql://";
  return url;
}

Result<std::string> Session::url() const {
  const std::string plan = plan_file();
  std::string url = TRY(named(plan, plan));
  if (url.empty()) return none_named();
  return url;
}

Result<std::unique_ptr<Database>> Session::connect(const std::string& plan,
                                                   const std::string& from) {
  const std::string url = TRY(named(plan, from));
  const std::string archive = command_.archived ? TRY(this->archive(plan, from)) : "";
  if (url.empty() && !archive.empty()) {
    reached_ = true;
    alone_ = true;
    for (const std::string& missing : missing_in(TRY(archive_parts(archive))))
      say(fmt::format("note: {} are not in the archive {}", missing, archive));
    return archive_alone(archive);
  }
  if (url.empty()) return none_named();
  reached_ = true;
  auto opened = TRY(open_database(url));
  if (const auto identity = arguments_.value("--identity"); identity.has_value())
    opened = TRY(with_identity(std::move(opened), *identity));
  if (archive.empty()) return opened;
  auto both = with_archive(std::move(opened), archive);
  if (both.has_value() || both.error().fault != Fault::missing || arguments_.has("--archive"))
    return both;
  return hinted(tl::unexpected<Error>(both.error()),
                "[archive] of vestige.toml names it; --archive '' asks the database alone");
}

Result<std::string> Session::archive() const {
  const std::string plan = plan_file();
  return archive(plan, plan);
}

Result<std::string> Session::archive(const std::string& plan, const std::string& from) const {
  std::string named = arguments_.text("--archive");
  if (arguments_.has("--archive") || !std::filesystem::exists(plan)) return named;
  named = TRY(read_plan(plan)).archive;
  return named.empty() ? named : beside_plan(from, named);
}

// Of what was asked for, what may stand in the trail for good: an option that is not named here may say anything.
std::string Session::kept(std::string_view option, std::size_t place,
                          const std::string& value) const {
  constexpr std::array<std::string_view, 25> kPlain = {
      "--after", "--change",   "--column",  "--db-user", "--disclose", "--field",  "--format",
      "--from",  "--identity", "--kind",    "--limit",   "--op",       "--period", "--profile",
      "--rule",  "--sample",   "--section", "--since",   "--state",    "--time",   "--to",
      "--tx",    "--timezone", "--tz",      "--until"};
  if (option == "--query") return kept_filter(value);
  if (option == "--subject") {  // TABLE/KEY
    const std::size_t slash = value.find('/');
    const std::size_t key = slash == std::string::npos ? 0 : slash + 1;  // without one nobody knows
    return value.substr(0, key) + kept_key(value.substr(key));
  }
  if (!option.empty())
    return std::find(kPlain.begin(), kPlain.end(), option) == kPlain.end() ? kNotKept : value;
  // A table, or a report and a table; then a key, and behind it a column.
  const auto& words = arguments_.words();
  const bool of_field =
      command_.name == "field" || (command_.name == "report" && words.front() == "field");
  constexpr std::string_view kHex = "0123456789abcdef";
  const bool of_alert =
      command_.name == "alert" && value.find_first_not_of(kHex) == std::string::npos;
  const bool is_name = place == 0 || of_alert || (of_field && place + 1 == words.size()) ||
                       (place == 1 && (command_.name == "report" || command_.name == "review" ||
                                       command_.name == "keys"));
  return is_name ? value : kept_key(value);
}

// Here, since whatever is shown is asked of the database first.
Result<void> Session::record() {
  // Whether reads are recorded is a change of its own, and must be possible where they cannot be.
  const bool opens = arguments_.has("--identity");
  if (!opens && (command_.reads.empty() || arguments_.has("--record"))) return {};
  if (!opens && !TRY(records_access(*database_))) return {};
  Context by;
  if (const auto who = arguments_.value("--by"); who.has_value()) by.set("actor", *who);
  TrailRead read{.kind = opens ? "unseal" : command_.reads, .verb = command_.name};
  read.purpose = arguments_.text("--purpose");
  read.user = login();
  read.filter = arguments_.written_out(
      {"--db", "--purpose", "--by", "--color", "--no-pager"},
      [this](std::string_view option, std::size_t place, const std::string& value) {
        return kept(option, place, value);
      });
  auto written = record_read(*database_, read, by);
  if (written.has_value()) return {};
  Error error = explained(written.error());
  if (error.fault == Fault::invalid) error.fault = Fault::denied;
  error.message = "nothing is shown, since this read cannot be recorded: " + error.message;
  if (error.hint.empty())
    error.hint = opens
                     ? "whoever opens encrypted values is recorded before anything is shown"
                     : "reads of this trail are recorded before anything is shown; vestige access "
                       "--record off ends that";
  return tl::unexpected<Error>(std::move(error));
}

Error Session::explained(const Error& error) {
  if (database_ == nullptr) return error;
  return vestige::explained(*database_, error, {arguments_.words(), command_.writes});
}

void Session::say(std::string_view text) {
  progress_.stop();
  output_.say(text);
}

Result<void> Session::say_neighbours(std::int64_t tx, std::string_view verb) {
  const auto found = TRY(doubtful_neighbours(*TRY(database()), tx));
  if (found.empty()) return {};
  say(
      fmt::format("note: without a context SQLite does not say where a transaction begins and "
                  "ends; written in the"
                  " same millisecond as tx {}: tx {}",
                  tx, fmt::join(found, ", ")));
  for (const std::int64_t one : found) say(fmt::format("  → vestige {} --tx {}", verb, one));
  return {};
}

Result<Moment> Session::moment(const std::string& text) {
  const Now now(clock_now(), Zone::local);
  const auto plain = parse_moment(text, now);
  return plain.has_value() ? plain : find_moment(*TRY(database()), text, now);
}

Result<void> Session::say_expired(const std::string& typed) {
  const Tracked table = TRY(tracked_table(*TRY(database()), typed));
  const auto furthest = TRY(horizon_of(*TRY(database()), table.id));
  if (furthest.has_value())
    say(fmt::format("note: of {} what was recorded before {} has expired ({}, kept for {})",
                    table.name, said_time(furthest->horizon), furthest->retention, furthest->keep));
  return {};
}

Result<void> Session::say_limits(const std::string& typed, const Moment& moment) {
  const Tracked tracked = TRY(tracked_table(*TRY(database()), typed));
  const std::string& table = tracked.name;
  const std::int64_t upto = TRY(resolve(*TRY(database()), moment));
  for (const std::string& gap : TRY(gaps(*TRY(database()), tracked.id, upto)))
    say(fmt::format("note: after this, not every change of {} is known: {}", table, gap));
  if (const auto began = TRY(began_after(*TRY(database()), table, moment)); began.has_value())
    say(fmt::format("note: tracking of {} began at {}; this is the oldest that is known", table,
                    said_time(*began)));
  const ErasedSince erased = TRY(erased_since(*TRY(database()), table, moment));
  if (erased.changes > 0)
    say(
        fmt::format("note: {} of {} after this were erased: a row whose values then are not known"
                    " is left out",
                    counted(erased.changes, "change"), table));
  if (erased.keys > 0)
    say(
        fmt::format("note: of which rows {} of them were is not known: such a row is shown as if"
                    " they had not been",
                    grouped(erased.keys)));
  if (alone_) {
    say("note: read from an archive alone: a row that none of its changes touched is not known");
    return {};
  }
  const auto live = live_table(*TRY(database()), table);
  if (!live.has_value() && live.error().fault == Fault::missing)
    say(fmt::format("note: table {} is gone; only rows that were deleted before are known", table));
  return {};
}

Result<std::string> Session::sql() const {
  const auto& words = arguments_.words();
  const auto file = arguments_.value("--file");
  if (file.has_value() && !words.empty())
    return fail(Fault::invalid, "{}: there is SQL on the command line and a --file", command_.name);
  if (!words.empty()) return words.front();
  if (file.has_value() && *file != "-") return read_file(*file);
  if (isatty(STDIN_FILENO) != 0 && !file.has_value())
    return hinted(fail(Fault::invalid, "{}: SQL is missing", command_.name),
                  "give it as a word, by --file FILE, or on stdin");
  return std::string(std::istreambuf_iterator<char>(std::cin), {});
}

std::string short_time(std::int64_t micros) { return wall_time(micros, Zone::local).substr(0, 19); }

std::string minute_time(std::int64_t micros) {
  return wall_time(micros, Zone::local).substr(0, 16);
}

std::string time_cell(const Output& output, std::int64_t micros) {
  constexpr int kRoom = 120;
  const bool narrow = output.width() > 0 && output.width() < kRoom;
  return narrow ? minute_time(micros) : short_time(micros);
}

std::string time_heading(std::string_view name) {
  return fmt::format("{} ({})", name, zone_name(Zone::local));
}

std::string said_time(std::int64_t micros) {
  constexpr std::size_t kSeconds = 19;
  constexpr std::size_t kFraction = 7;
  return offset_time(micros, Zone::local).erase(kSeconds, kFraction);
}

}  // namespace vestige::cli
