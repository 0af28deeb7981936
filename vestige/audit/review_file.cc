#include "vestige/audit/review_file.h"

#include "vestige/base/time.h"
#include "vestige/record/filter.h"
#include "vestige/report/reports.h"

namespace vestige {
namespace {

tl::unexpected<Error> misread_as(const std::string& place, const Error& error) {
  return hinted(misread(place, error.message), error.hint);
}

Result<void> check_report(const TomlMember& member, const std::string& name,
                          const ReportSettings& reports) {
  if (find_report(name) != nullptr || reports.own.contains(name)) return {};
  std::vector<std::string> known;
  for (const ReportKind& kind : vestige::reports()) known.emplace_back(kind.name);
  for (const auto& [own, report] : reports.own) known.push_back(own);
  return suggested(misread(member.place, fmt::format("there is no report '{}'", name)), name,
                   known);
}

Result<PlannedReview> read_review(const TomlMember& member, const ReportSettings& reports) {
  const Toml& table = *TRY(member.as_table());
  TRY(table.check_names({"every", "filter", "report", "since"}));
  PlannedReview out;
  out.name = out.report = member.name;
  const TomlMember* report = table.find("report");
  if (report != nullptr) out.report = TRY(report->as_text());
  TRY(check_report(report == nullptr ? member : *report, out.report, reports));
  const TomlMember* every = table.find("every");
  if (every == nullptr)
    return hinted(misread(member.place, "how often is it looked at?"), "every = \"month\"");
  const auto often = every_from_name(TRY(every->as_text()));
  if (!often.has_value()) return misread_as(every->value.place, often.error());
  out.every = *often;
  if (const TomlMember* filter = table.find("filter"); filter != nullptr) {
    out.filter = TRY(filter->as_text());
    const auto parsed = parse_filter(out.filter, Now(0));
    if (!parsed.has_value()) return misread_as(filter->value.place, parsed.error());
  }
  if (const TomlMember* since = table.find("since"); since != nullptr) {
    out.since = since->value.kind == Toml::Kind::time ? since->value.text : TRY(since->as_text());
    const auto time = parse_time(out.since, Now(0));
    if (!time.has_value()) return misread_as(since->value.place, time.error());
  }
  return out;
}

}  // namespace

Result<std::vector<PlannedReview>> read_reviews(const Toml& file, const ReportSettings& reports) {
  std::vector<PlannedReview> out;
  const TomlMember* found = file.find("review");
  if (found == nullptr) return out;
  for (const TomlMember& one : TRY(found->as_table())->members)
    out.push_back(TRY(read_review(one, reports)));
  return out;
}

}  // namespace vestige
