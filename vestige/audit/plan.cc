#include "vestige/audit/plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "vestige/audit/plan_due.h"
#include "vestige/base/nearest.h"
#include "vestige/record/cleared.h"
#include "vestige/trail/access.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/recipient.h"
#include "vestige/trail/retention.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/table_work.h"
#include "vestige/trail/track.h"
#include "vestige/trail/tracking.h"

namespace vestige {
namespace {

using NameList = std::vector<std::string>;

// "plan" or "plan vestige.toml:7:12": how an error about `path` begins.
std::string attempt(const Plan& plan, const std::string& path) {
  const auto place = plan.places.find(path);
  return place == plan.places.end() ? "plan" : "plan " + place->second;
}

tl::unexpected<Error> suggest_name(tl::unexpected<Error> error, const std::string& typed,
                                   const NameList& names) {
  const std::string near = nearest(typed, names);
  return near.empty() ? std::move(error) : hinted(std::move(error), "did you mean " + near + "?");
}

// A policy with every column under the spelling that the table has, and without order where order means
// nothing, so that two policies that mean the same are equal.
Policy settled(Policy policy, const LiveTable& live) {
  for (NameList* columns : {&policy.include, &policy.exclude, &policy.redact, &policy.key})
    for (std::string& column : *columns)
      if (const std::string* own = live.find(column); own != nullptr) column = *own;
  for (NameList* list :
       {&policy.include, &policy.exclude, &policy.redact, &policy.require, &policy.tags}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  std::map<std::string, std::string> encrypt;
  for (const auto& [column, of] : policy.encrypt) {
    const std::string* own = live.find(column);
    encrypt[own == nullptr ? column : *own] = of;
  }
  policy.encrypt = std::move(encrypt);
  if (const std::string* own = live.find(policy.subject); own != nullptr) policy.subject = *own;
  return policy;
}

Result<void> check_columns(const Plan& plan, const std::string& table, const Policy& policy,
                           const LiveTable& live) {
  const std::pair<const char*, const NameList*> lists[] = {{"include", &policy.include},
                                                           {"exclude", &policy.exclude},
                                                           {"redact", &policy.redact},
                                                           {"key", &policy.key}};
  const auto check = [&](const std::string& column, const std::string& path) -> Result<void> {
    if (live.find(column) != nullptr) return {};
    return suggest_name(
        fail(Fault::invalid, "{}: {} has no column '{}'",
             attempt(plan, fmt::format("tables.{}.{}", table, path)), live.name, column),
        column, live.columns);
  };
  for (const auto& [member, columns] : lists)
    for (std::size_t i = 0; i < columns->size(); ++i)
      TRY(check((*columns)[i], fmt::format("{}.{}", member, i)));
  for (const auto& [column, of] : policy.encrypt) TRY(check(column, "encrypt." + column));
  if (!policy.subject.empty()) TRY(check(policy.subject, "subject"));
  return {};
}

// "ssn for phi, name for phi"
std::string encrypt_text(const std::map<std::string, std::string>& encrypt) {
  std::string out;
  for (const auto& [column, of] : encrypt)
    out += fmt::format("{}{} for {}", out.empty() ? "" : ", ", column, of);
  return out;
}

// What a policy says, member by member, for people.
std::vector<std::pair<std::string, std::string>> described(const Policy& policy) {
  const auto list = [](const NameList& names) { return fmt::format("{}", fmt::join(names, ", ")); };
  return {{"include", list(policy.include)},
          {"exclude", list(policy.exclude)},
          {"redact", list(policy.redact)},
          {"encrypt", encrypt_text(policy.encrypt)},
          {"subject", policy.subject},
          {"when", policy.when},
          {"require", list(policy.require)},
          {"key", list(policy.key)},
          {"capture", policy.full ? "full" : "changes"},
          {"on_truncate", policy.on_truncate},
          {"retention", policy.retention},
          {"classification", policy.classification},
          {"tags", list(policy.tags)}};
}

// "exclude price → note; tags SOX → none"; what does not differ is left out.
std::string described_change(const Policy& from, const Policy& to) {
  const auto before = described(from);
  const auto after = described(to);
  const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
  std::string out;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].second == after[i].second) continue;
    if (!out.empty()) out += "; ";
    out +=
        fmt::format("{} {} → {}", before[i].first, shown(before[i].second), shown(after[i].second));
  }
  if (const auto clear = cleared(from, to, false); !clear.empty())
    out += fmt::format(" (recorded in clear from now on: {})", fmt::join(clear, ", "));
  return out;
}

// The same for a table that is not tracked yet: what its policy says beyond the default.
std::string described_new(const Policy& policy) {
  const auto standard = described(Policy());
  const auto members = described(policy);
  std::string out;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].second == standard[i].second) continue;
    out += fmt::format("{}{} {}", out.empty() ? ": " : "; ", members[i].first, members[i].second);
  }
  return out;
}

// A step, and what apply needs to take it.
struct Task {
  PlanStep step;
  Policy policy = {};             // track, change
  RetentionClass retention = {};  // how long; empty: it goes
  KeyStep key = {};               // keys
  bool records_access = false;    // access: as the plan says it, however it stands by then
};

Result<std::vector<Task>> retention_tasks(Database& db, const Plan& plan,
                                          const std::optional<ThenDue>& due) {
  std::map<std::string, RetentionClass> standing;
  if (due.has_value())
    for (RetentionClass& one : TRY(retention_classes(db))) standing[one.name] = std::move(one);
  std::vector<Task> tasks;
  const auto add = [&tasks](const RetentionClass& one, std::string text) {
    tasks.push_back({{"retention", "", std::move(text)}, {}, one});
  };
  for (const auto& [name, one] : plan.retention) {
    const auto found = standing.find(name);
    if (found == standing.end())
      add(one, fmt::format("retention {}: {}{}", name, described(one),
                           due.has_value() ? TRY(due->of_class(name)) : ""));
    else if (found->second != one)
      add(one, fmt::format("retention {}: {} → {}{}", name, described(found->second),
                           described(one), due.has_value() ? TRY(due->of_class(name)) : ""));
  }
  for (const auto& [name, one] : standing)
    if (!plan.retention.contains(name)) {
      if (plan.prune)
        add({name, ""}, fmt::format("retention {}: remove ({})", name, described(one)));
      else
        tasks.push_back(
            {{"leave", "", fmt::format("retention {} ({}) is not in the plan", name, one.keep)}});
    }
  return tasks;
}

// A table beside the plan whose class of retention has no time: nothing of it ever expires, and nobody said that. Of its own tables
// the plan's file has the class (read_plan).
Result<void> warn_of_retention(Database& db, const Plan& plan, const std::vector<Tracked>& beside,
                               std::vector<Task>& tasks) {
  if (beside.empty()) return {};
  const auto standing = TRY(retention_classes(db));
  for (const Tracked& table : beside) {
    const std::string& named = table.policy.retention;
    const bool kept = std::any_of(standing.begin(), standing.end(),
                                  [&](const RetentionClass& one) { return one.name == named; });
    if (named.empty() || plan.retention.contains(named) || (kept && !plan.prune)) continue;
    tasks.push_back({{"warn", table.name,
                      fmt::format("{}: its class of retention, {}, has no time: nothing expires",
                                  table.name, named)}});
  }
  return {};
}

// Whom data keys are wrapped to. What the plan does not name stays.
Result<std::vector<Task>> key_tasks(Database& db, const Plan& plan, bool installed) {
  std::vector<Task> tasks;
  for (const auto& [of, planned] : plan.keys)
    for (KeyStep& step : TRY(key_steps(db, of, planned, installed, plan.prune))) {
      Task task;
      task.step = {step.kind == KeyStep::Kind::leave ? "leave" : "keys", "", std::move(step.text)};
      task.key = std::move(step);
      tasks.push_back(std::move(task));
    }
  return tasks;
}

// Whether reads are recorded, where the plan says it.
Result<void> look_at_access(Database& db, const Plan& plan, bool installed,
                            std::vector<Task>& tasks) {
  if (!plan.records_access.has_value()) return {};
  const bool stands = installed && TRY(records_access(db));
  if (stands == *plan.records_access) return {};
  Task task;
  task.step = {"access", "",
               stands ? "access: reads of the trail are not recorded any more"
                      : "access: reads of the trail and changes of policies are recorded"};
  task.records_access = *plan.records_access;
  tasks.push_back(std::move(task));
  return {};
}

Result<std::vector<Task>> tasks_of(Database& db, const Plan& plan) {
  std::vector<Task> tasks;
  const bool installed = TRY(installed_version(db)) != 0;
  if (!installed) TRY(installation_of(db)->make_to_look());
  std::vector<Tracked> tracked;
  if (installed) {
    TRY(require_trail(db));
    for (Tracked& table : TRY(tracked_tables(db)))
      if (!table.untracked_at.has_value() && !is_own_table(db, table.name))
        tracked.push_back(std::move(table));
  } else {
    tasks.push_back({{"install", "", "install the trail"}});
  }
  TRY(look_at_access(db, plan, installed, tasks));
  std::optional<ThenDue> due;
  if (installed) due.emplace(TRY(ThenDue::of(db, plan)));
  for (Task& task : TRY(retention_tasks(db, plan, due))) tasks.push_back(std::move(task));
  for (Task& task : TRY(key_tasks(db, plan, installed))) tasks.push_back(std::move(task));

  NameList tables = TRY(trackable_tables(db));
  // What is tracked can be compared by whoever may look.
  for (const Tracked& one : tracked)
    if (std::find(tables.begin(), tables.end(), one.name) == tables.end() &&
        live_table(db, one.name).has_value())
      tables.push_back(one.name);
  NameList seen;
  const Spelling spelling = spelling_of(db);
  for (const auto& [name, policy] : plan.tables) {
    const std::string meant = TRY(meant_table(db, name)).value_or(name);
    const auto same = [&](const std::string& other) { return spelling.same_name(other, meant); };
    const auto live_name = std::find_if(tables.begin(), tables.end(), same);
    if (live_name == tables.end() && live_table(db, meant).has_value())
      return hinted(fail(Fault::denied, "{}: table {} is not yours to track",
                         attempt(plan, "tables." + name), meant),
                    "its owner can, or who is a member of it");
    if (live_name == tables.end())
      return suggest_name(fail(Fault::missing, "{}: there is no table '{}' that can be tracked",
                               attempt(plan, "tables." + name), name),
                          name, tables);
    if (std::find(seen.begin(), seen.end(), *live_name) != seen.end())
      return fail(Fault::invalid, "{}: table {} is named twice", attempt(plan, "tables." + name),
                  *live_name);
    seen.push_back(*live_name);
    const LiveTable live = TRY(live_table(db, *live_name));
    TRY(check_columns(plan, name, policy, live));
    const Policy wanted = settled(policy, live);
    const auto own = std::find_if(tracked.begin(), tracked.end(),
                                  [&](const Tracked& table) { return same(table.name); });
    if (own == tracked.end()) {
      tasks.push_back({{"track", live.name, "track " + live.name + described_new(wanted)}, policy});
      continue;
    }
    const Policy standing = settled(own->policy, live);
    if (standing != wanted) {
      const std::string then_due =
          TRY(due->of_table(own->id, standing.retention, wanted.retention));
      tasks.push_back({{"change", own->name,
                        fmt::format("change {}: {}{}", own->name,
                                    described_change(standing, wanted), then_due)},
                       policy});
    }
    tracked.erase(own);
  }
  for (const Tracked& table : tracked)
    tasks.push_back(plan.prune
                        ? Task{{"untrack", table.name,
                                fmt::format("untrack {} (its history stays)", table.name)}}
                        : Task{{"leave", table.name,
                                fmt::format("{} is tracked, and is not in the plan", table.name)}});
  TRY(warn_of_retention(db, plan, tracked, tasks));
  return tasks;
}

Result<void> perform(Database& db, const Task& task) {
  const std::string& action = task.step.action;
  if (action == "install")
    return TRY(installed_version(db)) == 0 ? installation_of(db)->make() : Result<void>();
  if (!task.step.acts()) return {};
  if (action == "untrack") return untrack(db, task.step.table);
  if (action == "access") {
    TRY(tracking_of(db)->record_access(task.records_access));
    return {};
  }
  if (action == "keys") {
    return take_step(db, task.key);
  }
  if (action == "retention") {
    const RetentionClass& one = task.retention;
    if (!one.keep.empty()) return put_retention(db, one);
    TRY(db.run(fmt::format("delete from {} where name = ?1", spelling_of(db).table("retention")),
               {Text{one.name}}));
    return {};
  }
  TRY(track(db, task.step.table, task.policy));
  return {};
}

std::vector<PlanStep> steps_of(std::vector<Task> tasks) {
  std::vector<PlanStep> steps;
  for (Task& task : tasks) steps.push_back(std::move(task.step));
  return steps;
}

}  // namespace

Result<std::vector<PlanStep>> plan(Database& db, const Plan& plan) {
  // Undone at the end: a trail may have been installed to look with.
  auto look = TRY(Transaction::begin(db));
  return steps_of(TRY(tasks_of(db, plan)));
}

Result<std::vector<PlanStep>> apply(Database& db, const Plan& plan, std::string_view lock_timeout,
                                    const std::function<void(std::size_t, std::size_t)>& tell) {
  std::vector<Task> tasks;
  std::vector<std::size_t> of_tables;  // those that lock one
  TableWork work;
  work.begin = [&]() -> Result<NameList> {
    tasks = TRY(tasks_of(db, plan));
    of_tables.clear();
    NameList tables;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const PlanStep& step = tasks[i].step;
      if (step.table.empty() || !step.acts()) {
        TRY(perform(db, tasks[i]));
        continue;
      }
      of_tables.push_back(i);
      tables.push_back(step.table);
    }
    return tables;
  };
  work.table = [&](std::size_t place) { return perform(db, tasks[of_tables[place]]); };
  work.tell = tell;
  for (Undone& one : TRY(table_by_table(db, work, lock_timeout)))
    tasks[of_tables[one.place]].step.undone = std::move(one.error);
  return steps_of(std::move(tasks));
}

}  // namespace vestige
