#include "vestige/audit/doctor.h"

#include <algorithm>

#include "vestige/audit/expire.h"
#include "vestige/base/time.h"
#include "vestige/base/zone.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/hold.h"
#include "vestige/trail/install.h"
#include "vestige/trail/retention.h"
#include "vestige/trail/source.h"
#include "vestige/trail/spelling.h"

namespace vestige {

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warning";
    default: return "error";
  }
}

std::string to_json(const Finding& finding) {
  return fmt::format(
      R"({{"severity":"{}","code":"{}","table":{},"message":{},"remedy":{},"fixable":{},"fixed":{}}})",
      name(finding.severity), finding.code, to_json(text_or_null(finding.table)),
      text_json(finding.message), to_json(text_or_null(finding.remedy)), finding.fixable,
      finding.fixed);
}

namespace {

// What cannot be read of the catalog: nothing that is said of those tables would hold.
Result<std::vector<Finding>> look_at_catalog(Database& db) {
  std::vector<Finding> findings;
  const auto source = source_of(db);
  for (const Tracked& table : TRY(source->tables())) {
    const auto all = source->shapes(table.id);
    if (all.has_value() && table.shape.id != 0) continue;
    findings.push_back({Severity::error, "unreadable-catalog", table.name,
                        all.has_value() ? "its policy cannot be read"
                                        : "a shape of it cannot be read: " + all.error().message,
                        "restore the trail's tables from a backup"});
  }
  return findings;
}

// A table's class of retention that has no time: nothing of it ever expires, and nobody said that.
Result<void> look_at_retention(Database& db, std::vector<Finding>& findings) {
  const auto classes = TRY(retention_classes(db));
  for (const Tracked& table : TRY(tracked_tables(db))) {
    const std::string& named = table.policy.retention;
    if (named.empty() || table.untracked_at.has_value() ||
        std::any_of(classes.begin(), classes.end(),
                    [&](const RetentionClass& one) { return one.name == named; }))
      continue;
    findings.push_back(
        {Severity::warning, "retention", table.name,
         fmt::format("its class of retention, {}, has no time: nothing expires", named),
         "name it under [retention] of vestige.toml: vestige apply"});
  }
  return {};
}

// Why changes stay whose time is over, in words; holds apart, which somebody placed on purpose.
std::string why_due(const ClassExpiry& one) {
  std::string out;
  for (const auto& [count, why] :
       {std::pair(one.gone, "nobody ran vestige expire"),
        {one.unsealed, "not sealed: vestige seal"},
        {one.behind, "a consumer of the feed is not done with them"},
        {one.unarchived, "to be archived first, or in an archive that doctor does not read"},
        {one.waiting, "too few of a partition: vestige expire --all"}})
    if (count > 0) out += fmt::format("{}{} ({})", out.empty() ? "" : ", ", count, why);
  return out;
}

// What is due since more than a week: expire does not run, or keeps, and nobody would notice.
Result<void> look_at_due(Database& db, std::vector<Finding>& findings) {
  constexpr std::int64_t kWeek = std::int64_t{7} * 86'400'000'000;
  // Where expire runs there is none, and then nothing is read of what was sealed.
  const auto any = anything_due(db, clock_now() - kWeek);
  if (any.has_value() && !*any) return {};
  ExpireRequest request;
  request.dry_run = true;
  const auto due = expire(db, request, Context());
  if (!due.has_value() &&
      (due.error().fault == Fault::offline || due.error().fault == Fault::conflict))
    return tl::unexpected<Error>(due.error());
  if (!due.has_value()) return {};  // an older trail, or what this role may not read
  const TimeZone utc = TRY(TimeZone::named("UTC"));
  for (const ClassExpiry& one : due->classes) {
    const auto long_ago = kept_here_since(clock_now() - kWeek, one.retention, utc);
    if (!one.oldest.has_value() || !long_ago.has_value() || *one.oldest >= *long_ago) continue;
    findings.push_back(
        {Severity::warning, "overdue", "",
         fmt::format("class {}, kept for {}: {} changes are due and stand, the oldest of {}: {}",
                     one.retention.name, one.retention.here(), one.due - one.held - one.early,
                     format_time(*one.oldest), why_due(one)),
         one.unarchived > 0 ? "vestige archive --out DIR, then vestige expire" : "vestige expire"});
  }
  return {};
}

// Somebody wrote a release into the table of holds.
Result<void> look_at_holds(Database& db, std::vector<Finding>& findings) {
  for (const Hold& one : TRY(unheeded_releases(db)))
    findings.push_back({Severity::warning, "hold-release", spelling_of(db).table("hold"),
                        about_unheeded(one), "vestige log names who did it; the hold is in force"});
  return {};
}

}  // namespace

Result<std::vector<Finding>> doctor(Database& db, bool fix) {
  const std::int64_t version = TRY(installed_version(db));
  if (version == 0) TRY(require_trail(db));
  if (version != kSchemaVersion)
    return std::vector<Finding>{
        {Severity::error, "schema-version", "",
         fmt::format("the trail has version {}, this vestige knows {}", version, kSchemaVersion),
         version > kSchemaVersion ? "use the vestige that installed it, or a newer one"
                                  : "vestige init"}};
  const auto upkeep = upkeep_of(db);
  auto looked = fix ? upkeep->mended() : upkeep->findings();
  if (auto unreadable = look_at_catalog(db); unreadable.has_value() && !unreadable->empty())
    return unreadable;
  auto findings = TRY(std::move(looked));
  TRY(look_at_retention(db, findings));
  TRY(look_at_holds(db, findings));
  TRY(look_at_due(db, findings));
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& left, const Finding& right) {
    return left.severity > right.severity;
  });
  return findings;
}

}  // namespace vestige
