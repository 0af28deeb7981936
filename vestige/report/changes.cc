// changes: every change of every value, for whoever reviews changes (SOX, 21 CFR 11). One row for each column that changed.
#include <algorithm>
#include <map>

#include "vestige/base/crypto.h"
#include "vestige/report/fields.h"
#include "vestige/report/reports.h"

namespace vestige {
namespace {

const std::vector<ReportColumn> kColumns = {
    {"time", "time", CellKind::time},
    {"change", "change", CellKind::number},
    {"op", "operation"},
    {"table", "table"},
    {"key", "key"},
    {"column", "column"},
    {"old", "old", CellKind::value},
    {"new", "new", CellKind::value},
    {"actor", "actor"},
    {"db_user", "db user"},
    {"ticket", "ticket"},
    {"approved_by", "approved by"},
    {"reason", "reason"},
    {"signed", "signature"},
    {"entry", "entry", CellKind::number},
};

const std::vector<ReportColumn> kExceptionColumns = {
    {"exception", "exception"},
    {"change", "change", CellKind::number},
    {"time", "time", CellKind::time},
    {"table", "table"},
    {"key", "key"},
    {"actor", "actor"},
    {"db_user", "db user"},
};

struct Edit {
  std::string column;  // "": the change has no values to show
  const Value* before = nullptr;
  const Value* after = nullptr;
};

std::vector<Edit> edits(const Change& change) {
  std::vector<Edit> out;
  if (change.new_key.has_value())
    for (const Field& field : *change.new_key)
      if (const Value* before = find(change.key, field.name);
          before != nullptr && !identical(*before, field.value))
        out.push_back({field.name, before, &field.value});
  const auto known = [&](const std::string& column) {
    return std::any_of(out.begin(), out.end(),
                       [&](const Edit& edit) { return edit.column == column; });
  };
  const auto after = [&](const std::string& column) { return find(change.new_values, column); };
  if (change.old_values.has_value()) {
    for (const Field& field : *change.old_values)
      if (!known(field.name)) out.push_back({field.name, &field.value, after(field.name)});
  } else if (change.new_values.has_value()) {
    for (const Field& field : *change.new_values)
      out.push_back({field.name, nullptr, &field.value});
  }
  if (out.empty()) out.emplace_back();
  return out;
}

// What its values cannot say.
Cell instead_of_values(const Change& change) {
  if (!change.unreadable.empty()) return text_json("(unreadable: " + change.unreadable + ")");
  if (change.op == Op::expire) return text_json(fmt::format("({} changes)", change.erases));
  if (takes_away(change.op)) return text_json(fmt::format("(parts of {} changes)", change.erases));
  if (change.lost_values()) return text_json("(" + change.how_lost() + ")");
  return std::nullopt;
}

std::vector<Cells> rows_of(const Change& change) {
  std::vector<Cells> rows;
  const Cell user = change.db_user.has_value() ? Cell(*change.db_user) : Cell();
  const bool carries = change.context.get("signature") != nullptr;
  for (const Edit& edit : edits(change))
    rows.push_back(
        {time_cell(change.at), number_cell(change.id), text_cell(name(change.op)),
         text_cell(change.table), text_cell(key_shown(change)), text_cell(edit.column),
         value_cell(edit.before),
         edit.column.empty() ? instead_of_values(change) : value_cell(edit.after),
         text_cell(change.context.get("actor")), user, text_cell(change.context.get("ticket")),
         text_cell(change.context.get("approved_by")), text_cell(change.context.get("reason")),
         text_cell(carries ? "present, not checked" : ""),
         change.index.has_value() ? Cell(std::to_string(*change.index)) : Cell()});
  return rows;
}

std::vector<std::string> exceptions_of(const Change& change,
                                       const std::vector<std::string>& applications) {
  std::vector<std::string> out;
  const auto field = [&](std::string_view name) {
    const std::string* text = change.context.get(name);
    return text == nullptr ? "" : *text;
  };
  if (field("ticket").empty()) out.emplace_back("no ticket");
  if (field("reason").empty()) out.emplace_back("no reason");
  const std::string* who = change.who();
  if (who != nullptr && !who->empty() && field("approved_by") == *who)
    out.emplace_back("approved by who did it");
  if (!applications.empty() && change.db_user.has_value() &&
      std::find(applications.begin(), applications.end(), *change.db_user) == applications.end())
    out.emplace_back("not by an application");
  return out;
}

// A sample that anybody can draw again: the changes with the least hashes of seed and id.
class Sample {
 public:
  Sample(std::int64_t size, std::string seed) : size_(size), seed_(std::move(seed)) {}

  void take(const Change& change) {
    const Hash hash = sha256({seed_, ":", std::to_string(change.id)});
    std::string rank(view(hash));
    if (static_cast<std::int64_t>(kept_.size()) == size_) {
      if (rank >= kept_.rbegin()->first) return;
      kept_.erase(std::prev(kept_.end()));
    }
    kept_.emplace(std::move(rank), std::pair(seen_++, rows_of(change)));
  }

  /// In the order in which they came.
  std::vector<std::vector<Cells>> rows() && {
    std::map<std::int64_t, std::vector<Cells>> ordered;
    for (auto& [rank, one] : kept_) ordered.emplace(one.first, std::move(one.second));
    std::vector<std::vector<Cells>> out;
    for (auto& [place, rows] : ordered) out.push_back(std::move(rows));
    return out;
  }

 private:
  std::int64_t size_;
  std::string seed_;
  std::int64_t seen_ = 0;
  std::map<std::string, std::pair<std::int64_t, std::vector<Cells>>> kept_;
};

}  // namespace

Result<void> report_changes(Database& db, const ReportRequest& request, Report& report) {
  const auto population = TRY(Population::open(db, request, report));
  const std::size_t main = report.add({.name = "changes", .title = "Changes", .columns = kColumns});
  const std::size_t exceptions =
      report.add({.name = "exceptions", .title = "Exceptions", .columns = kExceptionColumns});
  Sample sample(request.sample, request.seed);
  std::int64_t changes = 0;
  while (const auto change = TRY(population->next())) {
    ++changes;
    if (request.sample != 0) sample.take(*change);
    else
      for (const Cells& cells : rows_of(*change)) TRY(report.row(main, cells));
    for (const std::string& exception : exceptions_of(*change, request.settings.applications))
      TRY(report.row(exceptions,
                     {text_cell(exception), number_cell(change->id), time_cell(change->at),
                      text_cell(change->table), text_cell(key_shown(*change)),
                      text_cell(change->context.get("actor")),
                      change->db_user.has_value() ? Cell(*change->db_user) : Cell()}));
  }
  for (const std::vector<Cells>& rows : std::move(sample).rows())
    for (const Cells& cells : rows) TRY(report.row(main, cells));
  report.section(main).text =
      request.sample == 0
          ? fmt::format("{} changes; a row for each value.", changes)
          : fmt::format(
                "A sample of {} out of {} changes: those of which SHA-256 of \"{}:\" and the "
                "number of the change is least.",
                std::min(request.sample, changes), changes, request.seed);
  report.section(exceptions).text =
      "Changes without a ticket or a reason, approved by whoever made them, or made by a user of "
      "the database that is no application.";
  return {};
}

}  // namespace vestige
