#include "vestige/audit/plan.h"

#include <algorithm>
#include <utility>

#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/table_work.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

using Names = std::vector<std::string>;

// "plan" or "plan vestige.toml:7:12": how an error about `path` begins.
std::string attempt(const Plan& plan, const std::string& path) {
  const auto place = plan.places.find(path);
  return place == plan.places.end() ? "plan" : "plan " + place->second;
}

tl::unexpected<Error> suggest_name(tl::unexpected<Error> error, const std::string& typed,
                                   const Names& names) {
  const std::string near = nearest(typed, names);
  return near.empty() ? std::move(error) : hinted(std::move(error), "did you mean " + near + "?");
}

// A policy with every column under the spelling that the table has, and without order where order means
// nothing, so that two policies that mean the same are equal.
Policy settled(Policy policy, const LiveTable& live) {
  for (Names* columns : {&policy.include, &policy.exclude, &policy.key})
    for (std::string& column : *columns)
      if (const std::string* own = live.find(column); own != nullptr) column = *own;
  for (Names* list : {&policy.include, &policy.exclude, &policy.require, &policy.tags}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return policy;
}

Result<void> check_columns(const Plan& plan, const std::string& table, const Policy& policy,
                           const LiveTable& live) {
  const std::pair<const char*, const Names*> lists[] = {
      {"include", &policy.include}, {"exclude", &policy.exclude}, {"key", &policy.key}};
  for (const auto& [member, columns] : lists) {
    for (std::size_t i = 0; i < columns->size(); ++i) {
      const std::string& column = (*columns)[i];
      if (live.find(column) != nullptr) continue;
      return suggest_name(
          fail(Fault::invalid, "{}: {} has no column '{}'",
               attempt(plan, fmt::format("tables.{}.{}.{}", table, member, i)), live.name, column),
          column, live.columns);
    }
  }
  return {};
}

// What a policy says, member by member, for people.
std::vector<std::pair<std::string, std::string>> described(const Policy& policy) {
  const auto list = [](const Names& names) { return fmt::format("{}", fmt::join(names, ", ")); };
  return {{"include", list(policy.include)},
          {"exclude", list(policy.exclude)},
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
  Policy policy = {};     // track, change
  std::string name = {};  // retention: its name, and how long; empty: it goes
  std::string keep = {};
};

Result<std::vector<Task>> retention_tasks(Database& db, const Plan& plan, bool installed) {
  std::map<std::string, std::string> standing;
  if (installed) {
    auto rows = TRY(db.query(fmt::format("select name, keep from {} order by name",
                                         spelling_of(db).table("retention"))));
    while (TRY(rows->next()) == Step::row) standing[rows->text(0)] = rows->text(1);
  }
  std::vector<Task> tasks;
  const auto add = [&tasks](const std::string& name, const std::string& keep, std::string text) {
    tasks.push_back({{"retention", "", std::move(text)}, {}, name, keep});
  };
  for (const auto& [name, keep] : plan.retention) {
    const auto found = standing.find(name);
    if (found == standing.end()) add(name, keep, fmt::format("retention {}: {}", name, keep));
    else if (found->second != keep)
      add(name, keep, fmt::format("retention {}: {} → {}", name, found->second, keep));
  }
  for (const auto& [name, keep] : standing)
    if (!plan.retention.contains(name)) {
      if (plan.prune) add(name, "", fmt::format("retention {}: remove ({})", name, keep));
      else
        tasks.push_back(
            {{"leave", "", fmt::format("retention {} ({}) is not in the plan", name, keep)}});
    }
  return tasks;
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
  for (Task& task : TRY(retention_tasks(db, plan, installed))) tasks.push_back(std::move(task));

  Names tables = TRY(trackable_tables(db));
  // What is tracked can be compared by whoever may look.
  for (const Tracked& one : tracked)
    if (std::find(tables.begin(), tables.end(), one.name) == tables.end() &&
        live_table(db, one.name).has_value())
      tables.push_back(one.name);
  Names seen;
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
    if (standing != wanted)
      tasks.push_back(
          {{"change", own->name,
            fmt::format("change {}: {}", own->name, described_change(standing, wanted))},
           policy});
    tracked.erase(own);
  }
  for (const Tracked& table : tracked)
    tasks.push_back(plan.prune
                        ? Task{{"untrack", table.name,
                                fmt::format("untrack {} (its history stays)", table.name)}}
                        : Task{{"leave", table.name,
                                fmt::format("{} is tracked, and is not in the plan", table.name)}});
  return tasks;
}

Result<void> perform(Database& db, const Task& task) {
  const std::string& action = task.step.action;
  if (action == "install")
    return TRY(installed_version(db)) == 0 ? installation_of(db)->make() : Result<void>();
  if (action == "leave") return {};
  if (action == "untrack") return untrack(db, task.step.table);
  if (action == "retention") {
    const std::string retention = spelling_of(db).table("retention");
    if (task.keep.empty())
      TRY(db.run(fmt::format("delete from {} where name = ?1", retention), {Text{task.name}}));
    else
      TRY(db.run(fmt::format("insert into {} (name, keep) values (?1, ?2)"
                             " on conflict (name) do update set keep = excluded.keep",
                             retention),
                 {Text{task.name}, Text{task.keep}}));
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
  work.begin = [&]() -> Result<Names> {
    tasks = TRY(tasks_of(db, plan));
    of_tables.clear();
    Names tables;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      const PlanStep& step = tasks[i].step;
      if (step.table.empty() || step.action == "leave") {
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
