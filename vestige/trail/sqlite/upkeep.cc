#include "vestige/trail/upkeep.h"

#include <cstddef>
#include <random>
#include <utility>

#include "vestige/base/time.h"
#include "vestige/db/sql.h"
#include "vestige/db/sqlite_depth.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/sqlite/encrypting.h"
#include "vestige/trail/sqlite/installation.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/patient.h"
#include "vestige/trail/sqlite/row_index.h"
#include "vestige/trail/sqlite/standing.h"
#include "vestige/trail/sqlite/trail.h"
#include "vestige/trail/sqlite/trail_objects.h"
#include "vestige/trail/sqlite/who.h"

namespace vestige::sqlite {
namespace {

class Doctor {
 public:
  explicit Doctor(Database& db) : db_(db) {}

  Result<void> examine();
  Result<void> fix();
  std::vector<Finding> take();

 private:
  void add(Severity severity, std::string code, std::string message, std::string remedy,
           bool fixable) {
    findings_.push_back(
        {severity, std::move(code), "", std::move(message), std::move(remedy), fixable});
  }
  Result<void> examine_trail();
  Result<void> examine_context();
  Result<void> examine_settings();
  Result<void> examine_index();
  Result<void> examine_depth(const Tracked& table);
  Result<void> examine_clock();
  Result<void> examine_evidence();

  Database& db_;
  std::vector<Finding> findings_;
  std::vector<Patient> patients_;
  bool readable_ = true;
  bool runs_written_ = true;  // the trigger that writes vestige_key and vestige_who stands
};

Result<void> Doctor::examine_evidence() {
  const auto counted = require_sealing(db_);
  if (!counted.has_value() && counted.error().fault == Fault::missing) return {};  // an older trail
  TRY(counted);
  const std::int64_t count = TRY(scalar_integer(db_, "select unreadable from vestige_sealer"));
  if (count > 0)
    add(Severity::warning, "unreadable",
        fmt::format(
            "{} changes could not be read, or in part, when they were sealed: those parts are"
            " sealed as null",
            count),
        "vestige verify names them; find out who wrote to the trail, or which part of the disk is "
        "bad",
        false);
  return {};
}

Result<void> Doctor::examine() {
  if (const bool shared = TRY(captures_shared(db_)); !shared || !TRY(finds_who(db_))) {
    readable_ = false;
    add(Severity::error, "schema-version",
        shared ? "the trail is older than this vestige: it records changes, but not where those of "
                 "somebody stand"
               : "the trail is older than this vestige: it records changes, but in a dearer way",
        "vestige init", false);
    return {};
  }
  TRY(examine_trail());
  if (!readable_) return {};
  for (Tracked& table : TRY(tracked_tables(db_)))
    if (!table.untracked_at.has_value()) {
      TRY(examine_depth(table));
      patients_.push_back(TRY(Patient::examine(db_, std::move(table))));
    }
  TRY(examine_context());
  TRY(examine_settings());
  TRY(examine_clock());
  TRY(examine_evidence());
  return examine_index();
}

// The trail's own tables, views and guards, against those of a new trail.
Result<void> Doctor::examine_trail() {
  for (const TrailObject& object : TRY(altered_trail_objects(db_))) {
    const bool fixable = object.type != "table";
    runs_written_ = runs_written_ && object.name != "vestige_change_run";
    readable_ = readable_ && fixable;
    const char* state = object.missing ? "is missing" : "is not as vestige made it";
    add(Severity::error, "trail-altered",
        fixable ? fmt::format("the trail's {} {} {}: what it guards may have been changed",
                              object.type, object.name, state)
                : fmt::format("the trail's table {} {}", object.name, state),
        fixable ? kDoctorFix : "restore the database from a backup", fixable);
  }
  return {};
}

Result<void> Doctor::examine_context() {
  auto rows = TRY(
      db_.query("select c.actor, u.expires from vestige_current as u left join vestige_context as c"
                " on c.id = u.context"));
  if (TRY(rows->next()) == Step::end) return {};
  const std::string actor = rows->is_null(0) ? "nobody named" : rows->text(0);
  const std::int64_t expires = rows->integer(1);
  const std::int64_t now = clock_now() / 1000;
  if (expires <= now) {
    add(Severity::warning, "context-left",
        fmt::format("a context was never cleared (actor: {}); it has expired and does no harm",
                    actor),
        kDoctorFix, true);
  } else {
    const bool always = expires - now > 100LL * 365 * 24 * 3600 * 1000;
    add(Severity::error, "context-left",
        fmt::format(
            "a context was never cleared (actor: {}); changes of others may be recorded as theirs"
            " until {}",
            actor, always ? "it is cleared" : format_time(expires * 1000)),
        kDoctorFix, true);
  }
  return {};
}

Result<void> Doctor::examine_settings() {
  const Value file = TRY(scalar(db_, "select file from pragma_database_list where name = 'main'"));
  const auto* path = std::get_if<Text>(&file);
  if (path == nullptr || path->bytes.empty()) return {};  // in memory: nothing to lose
  const Value read = TRY(scalar(db_, "pragma journal_mode"));
  const std::string mode = std::holds_alternative<Text>(read) ? std::get<Text>(read).bytes : "";
  if (mode == "off" || mode == "memory")
    add(Severity::warning, "journal",
        fmt::format("journal_mode is {}: a crash in the middle of a write can destroy the database",
                    mode),
        "pragma journal_mode = wal", false);
  else if (mode != "wal")
    add(Severity::note, "journal",
        fmt::format(
            "journal_mode is {}; with wal, readers and the writer do not wait for each other",
            mode),
        "", false);
  if (TRY(scalar_integer(db_, "pragma synchronous")) == 0)
    add(Severity::warning, "synchronous",
        "synchronous is off on this connection: a power cut can take changes and trail together",
        "pragma synchronous = normal (wal) or full, on every connection", false);
  return {};
}

// Capture looks for the rows that a REPLACE removes by the table's own expressions, five deeper than they are.
Result<void> Doctor::examine_depth(const Tracked& table) {
  constexpr int kOwn = 5;
  const auto live = read_table(db_, table.name);
  if (!live.has_value()) return {};  // it is gone: its patient says so
  for (const UniqueIndex& index : live->unique) {
    bool deep = TRY(deeper_than(index.where, kOwn));
    for (const UniqueIndex::Term& term : index.terms)
      deep = deep || TRY(deeper_than(term.sql, kOwn));
    if (deep)
      add(Severity::note, "deep-index",
          fmt::format(
              "a connection with SQLITE_LIMIT_EXPR_DEPTH 10 may be unable to write {}: a"
              " unique index of it has an expression or a condition that is more than {} deep",
              table.name, kOwn),
          "", false);
  }
  return {};
}

Result<void> Doctor::examine_clock() {
  auto rows =
      TRY(db_.query("select count(*), max(id) from vestige_change where backward is not null"));
  TRY(rows->next());
  if (rows->integer(0) > 0)
    add(Severity::note, "clock-backward",
        fmt::format(
            "the clock ran backwards {} times, last at change {}; the order of changes is that of"
            " their ids",
            rows->integer(0), rows->integer(1)),
        "", false);
  return {};
}

Result<void> Doctor::examine_index() {
  constexpr std::int64_t kMany = 200;
  const std::int64_t runs = TRY(loose_runs(db_));
  if (runs >= kMany)
    add(Severity::note, "row-index",
        fmt::format(
            "finding the changes of one row searches {} sorted runs; merged, it is one search",
            runs),
        "vestige doctor --fix", true);
  return {};
}

Result<void> Doctor::fix() {
  if (!readable_) return {};
  TRY(runs_written_ ? merge_runs(db_) : rebuild_runs(db_));
  if (!runs_written_) TRY(rebuild_who(db_));
  TRY(restore_trail_objects(db_));
  // Two tables may have swapped their names: none of the old ones may stand in the way.
  for (const Patient& patient : patients_) TRY(patient.free_name(db_));
  for (Patient& patient : patients_) TRY(patient.mend(db_));
  TRY(db_.run("delete from vestige_current"));
  for (Finding& finding : findings_) {
    if (finding.code != "trail-altered" && finding.code != "context-left" &&
        finding.code != "row-index")
      continue;
    finding.fixed = true;
    finding.remedy = "";
  }
  return {};
}

std::vector<Finding> Doctor::take() {
  for (const Patient& patient : patients_)
    findings_.insert(findings_.end(), patient.findings().begin(), patient.findings().end());
  return std::move(findings_);
}

constexpr std::size_t kSample = 1000;  // changes of a table that are measured

// The changes of one table, as far as one look at each tells.
struct Counted {
  std::int64_t changes = 0;
  std::int64_t first = 0;  // ids
  std::int64_t last = 0;
  std::vector<std::int64_t> sample = {};  // ids; every change is in it with the same likelihood
};

// Reads the id and the table of every change, in order, and nothing else of it.
Result<std::map<std::int64_t, Counted>> count_by_table(Database& db) {
  std::map<std::int64_t, Counted> counted;
  std::mt19937_64 dice(1);  // the same trail, the same answer
  auto rows = TRY(db.query("select id, tbl from vestige_change order by id"));
  while (TRY(rows->next()) == Step::row) {
    const std::int64_t id = rows->integer(0);
    Counted& table = counted[rows->integer(1)];
    if (table.changes++ == 0) table.first = id;
    table.last = id;
    if (table.sample.size() < kSample) {
      table.sample.push_back(id);
    } else {
      const auto place = dice() % static_cast<std::uint64_t>(table.changes);
      if (place < kSample) table.sample[place] = id;
    }
  }
  return counted;
}

Result<std::int64_t> measure(Database& db, const Counted& table) {
  const std::string ids = fmt::format("[{}]", fmt::join(table.sample, ","));
  const std::int64_t bytes = TRY(scalar_integer(db, sql::sample, {Text{ids}}));
  const auto sampled = static_cast<std::int64_t>(table.sample.size());
  if (sampled == table.changes) return bytes;
  return static_cast<std::int64_t>(static_cast<double>(bytes) / static_cast<double>(sampled) *
                                   static_cast<double>(table.changes));
}

Result<std::int64_t> time_of(Database& db, std::int64_t change) {
  return TRY(scalar_integer(db, "select at from vestige_change where id = ?1", {change})) * 1000;
}

class SqliteUpkeep final : public Upkeep {
 public:
  explicit SqliteUpkeep(Database& db) : db_(db) {}

  Result<std::vector<Finding>> findings() override {
    Doctor doctor(db_);
    TRY(doctor.examine());
    return doctor.take();
  }

  Result<std::vector<Finding>> mended() override {
    Doctor doctor(db_);
    auto transaction = TRY(Transaction::begin(db_));
    TRY(doctor.examine());
    TRY(doctor.fix());
    TRY(transaction.commit());
    return doctor.take();
  }

  Result<std::map<std::int64_t, Capture>> captures() override {
    std::map<std::int64_t, Capture> all;
    for (const Tracked& table : TRY(tracked_tables(db_))) {
      if (table.untracked_at.has_value()) continue;
      Standing stands = TRY(standing(db_, table));
      std::string trouble = stands.trouble();
      all[table.id] = {std::move(stands.live), std::move(trouble)};
    }
    return all;
  }

  Result<std::map<std::int64_t, Volume>> volumes() override {
    std::map<std::int64_t, Volume> all;
    for (const auto& [table, counted] : TRY(count_by_table(db_))) {
      Volume& volume = all[table];
      volume.changes = counted.changes;
      volume.bytes = TRY(measure(db_, counted));
      volume.first = TRY(time_of(db_, counted.first));
      volume.last = TRY(time_of(db_, counted.last));
    }
    for (const auto& [table, changes] : TRY(waiting_for_keys(db_))) all[table].waiting = changes;
    return all;
  }

  // A row's changes are found by the key itself.
  Result<std::vector<std::int64_t>> hidden() override { return std::vector<std::int64_t>(); }

  Result<std::vector<std::int64_t>> nameless() override { return missing_in_who(db_); }

  Result<Room> room() override {
    const std::int64_t pages = TRY(scalar_integer(db_, "pragma page_count"));
    return Room{pages * TRY(scalar_integer(db_, "pragma page_size")), std::nullopt};
  }

  Result<void> maintain() override { return {}; }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Upkeep> upkeep(Database& db) { return std::make_unique<SqliteUpkeep>(db); }

}  // namespace vestige::sqlite
