// status: what is tracked and how it stands.
#include <algorithm>

#include "cli/change_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/status.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/feed/cursor.h"
#include "vestige/trail/tracking.h"

namespace vestige::cli {
namespace {

std::string joined_names(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ",") + name;
  return out;
}

std::string encrypted_names(const std::map<std::string, std::string>& encrypt) {
  std::string out;
  for (const auto& [column, of] : encrypt)
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", column, of);
  return out;
}

std::string policy_text(const Policy& policy) {
  std::string out;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, value);
  };
  add("include", joined_names(policy.include));
  add("exclude", joined_names(policy.exclude));
  add("redact", joined_names(policy.redact));
  add("encrypt", encrypted_names(policy.encrypt));
  add("subject", policy.subject);
  add("when", policy.when);
  add("require", joined_names(policy.require));
  add("key", joined_names(policy.key));
  add("capture", policy.full ? "full" : "");
  add("retention", policy.retention);
  add("classification", policy.classification);
  add("tags", joined_names(policy.tags));
  return out;
}

std::string state_text(const TableStatus& one) {
  if (one.table.untracked_at.has_value()) return "untracked";
  if (one.intact && one.waiting > 0)
    return fmt::format("ok, {} to be encrypted by vestige seal", counted(one.waiting, "change"));
  return one.intact ? "ok" : one.trouble;
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 10'000) return grouped(bytes) + " B";
  if (bytes < 10'000'000) return grouped(bytes / 1000) + " kB";
  return grouped(bytes / 1'000'000) + " MB";
}

std::string optional_time(const std::optional<std::int64_t>& micros) {
  return micros.has_value() ? short_time(*micros) : "";
}

void print_csv(Output& output, const Status& status) {
  output.csv({"table", "tracked", "policy", "changes", "bytes", "first_change", "last_change",
              "intact", "trouble"});
  const auto time = [](const std::optional<std::int64_t>& micros) {
    return micros.has_value() ? format_time(*micros) : "";
  };
  for (const TableStatus& one : status.tables)
    output.csv({csv_text(one.table.name), one.table.untracked_at.has_value() ? "false" : "true",
                csv_text(to_json(one.table.policy)), std::to_string(one.changes),
                std::to_string(one.bytes), time(one.first_change), time(one.last_change),
                one.intact ? "true" : "false", one.trouble.empty() ? "" : csv_text(one.trouble)});
}

void print_consumers(Output& output, const std::vector<CursorStanding>& cursors) {
  if (cursors.empty()) return;
  output.line({});
  Table table(output, {{.name = "consumer", .elastic = true},
                       {.name = "last index", .right = true},
                       {.name = "changes behind", .right = true}});
  for (const CursorStanding& one : cursors)
    table.row({{Label::name, one.consumer},
               {Label::plain, one.upto < 0 ? "none" : grouped(one.upto)},
               {Label::plain, grouped(one.behind)}});
  table.end();
}

void print_table(Output& output, const Status& status) {
  output.line({{Label::head, status.where},
               {Label::plain, fmt::format(": {} recorded", counted(status.changes, "change"))}});
  if (!status.tables.empty()) output.line({});
  Table table(output, {{.name = "table"},
                       {.name = "changes", .right = true},
                       {.name = "size", .right = true},
                       {.name = time_heading("first")},
                       {.name = time_heading("last")},
                       {.name = "triggers", .elastic = true},
                       {.name = "policy", .elastic = true}});
  for (const TableStatus& one : status.tables) {
    const Label label = one.table.untracked_at.has_value() ? Label::faint
                        : one.intact                       ? Label::good
                                                           : Label::bad;
    table.row({{Label::name, one.table.name},
               {Label::plain, grouped(one.changes)},
               {Label::plain, bytes_text(one.bytes)},
               {Label::time, optional_time(one.first_change)},
               {Label::time, optional_time(one.last_change)},
               {label, state_text(one)},
               {Label::plain, policy_text(one.table.policy)}});
  }
  table.end();
  std::string names;
  for (const std::string& name : status.untracked) {
    const bool listed = std::any_of(status.tables.begin(), status.tables.end(),
                                    [&](const TableStatus& one) { return one.table.name == name; });
    if (!listed) names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return;
  output.line({});
  output.line({{Label::faint, "not tracked: "}, {Label::plain, names}});
}

Result<int> run_status(Session& session) {
  Database& db = *TRY(session.database());
  const Status found = TRY(status(db));
  const std::vector<CursorStanding> consumers = TRY(cursors(db));
  switch (session.format()) {
    case Format::json: session.output().json(to_json(found, consumers)); break;
    case Format::csv: print_csv(session.output(), found); break;
    case Format::table:
      print_table(session.output(), found);
      print_consumers(session.output(), consumers);
      if (TRY(tracking_of(db)->log_has_more()))
        session.say(
            "the log of writes has in clear what was encrypted since, or wraps that were destroyed:"
            " vestige seal begins it anew when nobody reads the database");
      break;
  }
  return kDone;
}

}  // namespace

Command status_command() {
  return {
      .name = "status",
      .group = "set up",
      .summary = "what is tracked, how much is recorded, whether the triggers stand",
      .about =
          {"Lists the tracked tables with their policies, the number and size of their "
           "changes, their first and last change, and whether the triggers are as they "
           "should be; then the tables that are not tracked, and how far those are who follow the "
           "feed by a name (log --consumer). `vestige doctor` says more."},
      .options = {format_option()},
      .examples = {{"vestige status", "how it stands"}},
      .run = run_status};
}

}  // namespace vestige::cli
