// blame: who last touched each column of a row.
#include "cli/change_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/blame.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {
namespace {

constexpr std::string_view kUnchanged = "not changed since tracking began";
constexpr std::string_view kUnchangedShort = "not changed";

void print_csv(Output& output, const Blame& blame) {
  output.csv({"column", "value", "change", "at", "op", "tx", "actor", "reason", "who"});
  const auto text = [](const std::string* bytes) {
    return bytes == nullptr ? "" : csv_text(*bytes);
  };
  for (const Blamed& one : blame.columns) {
    std::vector<std::string> fields = {csv_text(one.column), csv_field(one.value)};
    if (const auto& change = one.change; change.has_value()) {
      for (std::string field :
           {std::to_string(change->id), format_time(change->at), std::string(name(change->op)),
            std::to_string(change->tx), text(change->context.get("actor")),
            text(change->context.get("reason")), text(change->who())})
        fields.push_back(std::move(field));
    }
    fields.resize(9);
    output.csv(fields);
  }
}

void print_table(Output& output, const Blame& blame) {
  if (!blame.exists) output.line({{Label::remove, "deleted; these are the values of its DELETE"}});
  const bool cramped = output.width() > 0 && output.width() < 100;
  const bool narrow = output.width() > 0 && output.width() < 80;
  Table table(output, {{.name = "column", .elastic = narrow},
                       {.name = "value", .elastic = true, .least = narrow ? 8 : 16},
                       {.name = "change", .right = true},
                       {.name = time_heading("time"), .elastic = true, .least = narrow ? 16 : 19},
                       {.name = "who", .elastic = true},
                       {.name = "why", .elastic = true}});
  for (const Blamed& one : blame.columns) {
    std::vector<Piece> cells = {{Label::name, one.column}, {Label::plain, value_text(one.value)}};
    if (one.change.has_value()) {
      cells.push_back({Label::id, std::to_string(one.change->id)});
      cells.push_back(
          {Label::time, narrow ? minute_time(one.change->at) : short_time(one.change->at)});
      cells.push_back({Label::person, who_text(*one.change)});
      cells.push_back({Label::reason, context_text(*one.change, "reason")});
    } else {
      cells.insert(cells.end(),
                   {{Label::id, "-"},
                    {Label::faint, std::string(cramped ? kUnchangedShort : kUnchanged)},
                    {Label::plain, ""},
                    {Label::plain, ""}});
    }
    table.row(std::move(cells));
  }
}

Result<int> run_blame(Session& session) {
  const auto& words = session.arguments().words();
  Database& db = *TRY(session.database());
  const Blame found = TRY(blame(db, words.front(), session.arguments().words_from(1),
                                session.arguments().values("--column")));
  switch (session.format()) {
    case Format::json:
      for (const Blamed& one : found.columns) session.output().json(to_json(found, one));
      break;
    case Format::csv: print_csv(session.output(), found); break;
    case Format::table: print_table(session.output(), found); break;
  }
  return kDone;
}

}  // namespace

Command blame_command() {
  return {
      .name = "blame",
      .group = "look",
      .summary = "who last touched each column of a row, when and why",
      .arguments = "TABLE KEY…",
      .least = 2,
      .most = kAny,
      .about = {"For each recorded column: its value and the change that gave it that value. A "
                "column that no recorded change has touched is older than the trail, and says so. "
                "A deleted row is shown as it was when it was deleted."},
      .options =
          {{.names = "--column", .value = "NAME", .summary = "only this column", .repeated = true},
           format_option()},
      .examples = {{"vestige blame products 1", "who made this row what it is"},
                   {"vestige blame products 1 --column price", "who set the price"}},
      .run = run_blame};
}

}  // namespace vestige::cli
