// disclosures: what was disclosed to whom, as a person may ask (HIPAA 164.528): date, recipient, address, description, purpose. A
// series is one line. What is not to be told of yet is left out, but for the officer who accounts for it (--dpo).
#include <algorithm>
#include <map>
#include <tuple>

#include "vestige/report/reports.h"
#include "vestige/trail/access.h"

namespace vestige {
namespace {

// What a series has in common: table, key, recipient, address, description, purpose.
using Common =
    std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;

struct Series {
  std::int64_t count = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string request_ref;
  std::optional<std::int64_t> suspended_until;
};

std::string key_shown(const std::string& key) {
  return key.empty() ? "" : fmt::format("{}", fmt::join(reported_key(key), " "));
}

std::string said(std::int64_t total, std::size_t lines) {
  if (total == 0) return "No disclosure.";
  std::string out = total == 1 ? "1 disclosure" : fmt::format("{} disclosures", total);
  if (static_cast<std::size_t>(total) != lines)
    out += "; those that have everything in common are one line, with how many they were";
  return out + ".";
}

}  // namespace

Result<void> report_disclosures(Database& db, const ReportRequest& request, Report& report) {
  const auto population = TRY(Population::of_own_table(db, request, report, "access"));
  const auto suspended = TRY(suspensions(db));
  std::map<Common, Series> known;
  std::vector<Common> order;
  std::int64_t total = 0;
  while (const auto change = TRY(population->next())) {
    if (change->op != Op::insert) continue;
    Access one = access_of(*change);
    if (one.kind != "disclosure" || !is_of(one, request.subject, request.subject_key)) continue;
    apply(suspended, *change, one);
    const bool untold =
        one.suspended_until.has_value() && *one.suspended_until > report.head.made_at;
    if (untold && !request.dpo) continue;
    ++total;
    Common common(one.table, one.key, one.recipient, one.recipient_address, one.description,
                  one.purpose);
    const auto [found, fresh] = known.try_emplace(common);
    Series& series = found->second;
    if (fresh) {
      order.push_back(std::move(common));
      series.first = one.at;
      series.request_ref = one.request_ref;
    }
    ++series.count;
    series.last = std::max(series.last, one.at);
    if (untold) series.suspended_until = one.suspended_until;
  }
  ReportSection section{.name = "disclosures",
                        .title = "Disclosures",
                        .text = said(total, order.size()),
                        .columns = {{"date", "date", CellKind::time},
                                    {"recipient", "recipient"},
                                    {"recipient_address", "address"},
                                    {"description", "description"},
                                    {"purpose", "purpose"},
                                    {"table", "table"},
                                    {"key", "key"},
                                    {"request_ref", "request"},
                                    {"count", "count", CellKind::number},
                                    {"last", "last", CellKind::time}}};
  if (request.dpo)
    section.columns.push_back({"suspended_until", "suspended until", CellKind::time});
  const std::size_t place = report.add(std::move(section));
  for (const Common& common : order) {
    const Series& series = known.at(common);
    const auto& [table, key, recipient, address, description, purpose] = common;
    Cells cells = {time_cell(series.first),   text_cell(recipient),
                   text_cell(address),        text_cell(description),
                   text_cell(purpose),        text_cell(table),
                   text_cell(key_shown(key)), text_cell(series.request_ref),
                   number_cell(series.count), series.count > 1 ? time_cell(series.last) : Cell()};
    if (request.dpo)
      cells.push_back(series.suspended_until.has_value() ? time_cell(*series.suspended_until)
                                                         : Cell());
    TRY(report.row(place, cells));
  }
  return {};
}

}  // namespace vestige
