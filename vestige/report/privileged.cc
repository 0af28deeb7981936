// privileged: what was done past the applications, and what became of the policies (PCI DSS 10.2.1.2, 10.2.1.6).
#include <algorithm>
#include <map>
#include <set>

#include "vestige/report/fields.h"
#include "vestige/report/reports.h"

namespace vestige {
namespace {

struct User {
  std::int64_t changes = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::set<std::string> tables;

  void add(const Change& change) {
    first = changes == 0 ? change.at : std::min(first, change.at);
    last = changes == 0 ? change.at : std::max(last, change.at);
    ++changes;
    if (tables.size() < 20) tables.insert(change.table);
  }
};

bool of_policies(const Change& change) {
  return change.table == "vestige_policy_change" || change.table == "vestige.policy_change";
}

Cell new_value(const Change& change, std::string_view column) {
  const Value* value = find(change.new_values, column);
  if (value == nullptr) return std::nullopt;
  const std::string text = to_display(*value);
  return text == "null" ? Cell() : Cell(text);
}

const std::vector<ReportColumn> kUsers = {{"who", "who"},
                                          {"changes", "changes", CellKind::number},
                                          {"first", "first", CellKind::time},
                                          {"last", "last", CellKind::time},
                                          {"tables", "tables"}};
const std::vector<ReportColumn> kChanges = {{"time", "time", CellKind::time},
                                            {"change", "change", CellKind::number},
                                            {"op", "operation"},
                                            {"table", "table"},
                                            {"key", "key"},
                                            {"db_user", "db user"},
                                            {"actor", "actor"},
                                            {"reason", "reason"}};
const std::vector<ReportColumn> kPolicies = {{"time", "time", CellKind::time},
                                             {"change", "change", CellKind::number},
                                             {"verb", "verb"},
                                             {"table", "table"},
                                             {"before", "before"},
                                             {"after", "after"},
                                             {"who", "who"},
                                             {"reason", "reason"}};

}  // namespace

Result<void> report_privileged(Database& db, const ReportRequest& request, Report& report) {
  const std::vector<std::string>& applications = request.settings.applications;
  const auto population = TRY(Population::open(db, request, report));
  const std::size_t users = report.add({.name = "users", .title = "Who", .columns = kUsers});
  const std::size_t changes =
      report.add({.name = "changes", .title = "What they did", .columns = kChanges});
  const std::size_t policies =
      report.add({.name = "policies",
                  .title = "Policies",
                  .text = "Tables that were tracked, tracked otherwise, or not tracked any more.",
                  .columns = kPolicies});
  std::map<std::string, User> by_user;
  std::int64_t bare = 0;
  while (const auto change = TRY(population->next())) {
    if (change->context.get("signature") == nullptr) ++bare;
    if (of_policies(*change) && change->new_values.has_value())
      TRY(report.row(policies,
                     {time_cell(change->at), number_cell(change->id), new_value(*change, "verb"),
                      new_value(*change, "table_name"), new_value(*change, "before"),
                      new_value(*change, "after"), text_cell(change->who()),
                      text_cell(change->context.get("reason"))}));
    const std::string user = change->db_user.value_or("");
    const bool application =
        change->db_user.has_value()
            ? std::find(applications.begin(), applications.end(), user) != applications.end()
            : change->who() != nullptr;
    if (application) continue;
    by_user[user.empty() ? "(nobody was named)" : user].add(*change);
    TRY(report.row(
        changes,
        {time_cell(change->at), number_cell(change->id), text_cell(name(change->op)),
         text_cell(change->table), text_cell(key_shown(*change)), text_cell(user),
         text_cell(change->context.get("actor")), text_cell(change->context.get("reason"))}));
  }
  for (const auto& [user, what] : by_user)
    TRY(report.row(
        users, {text_cell(user), number_cell(what.changes), time_cell(what.first),
                time_cell(what.last), text_cell(fmt::format("{}", fmt::join(what.tables, ", ")))}));
  report.section(users).text =
      applications.empty()
          ? "No users of the database are named as applications (`applications` under [report] of "
            "vestige.toml): these are all. Where the database has no users, those changes that "
            "name "
            "nobody."
          : fmt::format(
                "Users of the database other than the applications {}; where it has no users, "
                "changes that name nobody.",
                fmt::join(applications, ", "));
  report.section(changes).text =
      fmt::format("{} changes carry no signature of their context.", bare);
  return {};
}

}  // namespace vestige
