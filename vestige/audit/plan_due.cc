#include "vestige/audit/plan_due.h"

#include "vestige/base/time.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/spelling.h"

namespace vestige {
namespace {

using Classes = std::map<std::string, RetentionClass>;

// What is of no class is kept for ever, and so is what is of one without a time.
RetentionClass class_named(const Classes& classes, const std::string& name) {
  const auto found = classes.find(name);
  return found == classes.end() ? RetentionClass{name, "forever"} : found->second;
}

std::string in_words(std::int64_t due) {
  if (due == 0) return "";
  return fmt::format(": {} more change{} due, and the next expire takes them", due,
                     due == 1 ? " is" : "s are");
}

}  // namespace

Result<ThenDue> ThenDue::of(Database& db, const Plan& plan) {
  ThenDue out(db, TRY(TimeZone::named("UTC")), clock_now());
  for (const RetentionClass& one : TRY(retention_classes(db))) out.was_[one.name] = one;
  if (!plan.prune) out.is_ = out.was_;
  for (const auto& [name, one] : plan.retention) out.is_[name] = one;
  out.tables_ = TRY(tracked_tables(db));
  const Spelling spelling = spelling_of(db);
  for (const auto& [name, policy] : plan.tables) {
    const std::string meant = TRY(meant_table(db, name)).value_or(name);
    for (const Tracked& table : out.tables_)
      if (!table.untracked_at.has_value() && spelling.same_name(table.name, meant))
        out.planned_[table.id] = policy.retention;
  }
  return out;
}

Result<std::int64_t> ThenDue::count(std::int64_t table, const RetentionClass& was,
                                    const RetentionClass& is) const {
  Selection selection;
  selection.table = table;
  selection.since = kept_here_since(now_, was, utc_);
  selection.until = kept_here_since(now_, is, utc_);
  if (!selection.until.has_value() || selection.since.value_or(0) >= *selection.until) return 0;
  selection.ops = {Op::insert, Op::update, Op::remove, Op::truncate, Op::baseline};
  return change_count(db_, selection);
}

Result<std::string> ThenDue::of_class(const std::string& name) const {
  std::int64_t due = 0;
  for (const Tracked& table : tables_) {
    const auto planned = planned_.find(table.id);
    const bool stays = planned == planned_.end() || planned->second == name;
    if (table.policy.retention == name && stays)
      due += TRY(count(table.id, class_named(was_, name), class_named(is_, name)));
  }
  return in_words(due);
}

Result<std::string> ThenDue::of_table(std::int64_t table, const std::string& from,
                                      const std::string& to) const {
  if (from == to) return std::string();  // of_class says it
  return in_words(TRY(count(table, class_named(was_, from), class_named(is_, to))));
}

}  // namespace vestige
