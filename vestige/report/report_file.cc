#include "vestige/report/report_file.h"

#include "vestige/base/decimal.h"
#include "vestige/base/time.h"
#include "vestige/report/fields.h"
#include "vestige/report/reports.h"

namespace vestige {
namespace {

const std::vector<std::string> kDailyKeys = {"field", "often", "over", "within"};
const std::vector<std::string> kOwnKeys = {"columns", "filter", "group_by", "sum", "title"};

// A number, or a numeral as a string, which keeps its decimals.
Result<std::string> amount(const TomlMember& member) {
  if (member.value.kind == Toml::Kind::integer) return std::to_string(member.value.integer);
  std::string text = TRY(member.as_text());
  if (!compare_numbers(text, "0").has_value())
    return misread(member.value.place, fmt::format("'{}' is no number", text));
  return text;
}

Result<void> read_daily(const Toml& table, ReportSettings& out) {
  TRY(table.check_names(kDailyKeys));
  for (const TomlMember& member : table.members) {
    if (member.name == "field") out.field = TRY(member.as_text());
    if (member.name == "over") out.over = TRY(amount(member));
    if (member.name == "often") out.often = TRY(member.as_integer());
    if (member.name == "within") {
      // An age before a moment is as long as that.
      constexpr std::int64_t kMoment = 1'000'000'000'000'000;
      const std::string text = TRY(member.as_text());
      const auto before = parse_time(text, kMoment);
      if (!before.has_value() || *before >= kMoment || text.front() < '0' || text.front() > '9' ||
          text.find_first_of("hmsdwy") == std::string::npos)
        return hinted(misread(member.value.place, fmt::format("'{}' is no length of time", text)),
                      "write it as \"1h\", \"15m\" or \"1d\"");
      out.within = kMoment - *before;
    }
  }
  if (out.often < 0) return misread(table.place, "'often' must not be negative");
  return {};
}

Result<std::vector<std::string>> fields_in(const TomlMember& member) {
  std::vector<std::string> out = TRY(member.as_texts());
  for (std::size_t i = 0; i < out.size(); ++i)
    if (const auto known = require_report_field(out[i]); !known.has_value())
      return hinted(misread(member.value.items[i].place, known.error().message),
                    known.error().hint);
  return out;
}

Result<OwnReport> read_own(const TomlMember& report) {
  const Toml& table = *TRY(report.as_table());
  TRY(table.check_names(kOwnKeys));
  OwnReport out;
  for (const TomlMember& member : table.members) {
    if (member.name == "title") out.title = TRY(member.as_text());
    else if (member.name == "group_by") out.group_by = TRY(fields_in(member));
    else if (member.name == "sum") out.sum = TRY(fields_in(member));
    else if (member.name == "columns") out.columns = TRY(fields_in(member));
    else {
      out.filter = TRY(member.as_text());
      if (const auto read = parse_filter(out.filter, Now(clock_now())); !read.has_value())
        return hinted(misread(member.value.place, read.error().message), read.error().hint);
    }
  }
  if (out.group_by.empty() == out.columns.empty())
    return hinted(
        misread(report.place, "a report has either 'group_by' or 'columns'"),
        "group_by = [\"who\"] makes a row for each group, columns = [\"time\", \"who\"] one for "
        "each change");
  if (out.group_by.empty() && !out.sum.empty())
    return hinted(misread(report.place, "'sum' goes with 'group_by'"),
                  "name what is summed by, e.g. group_by = [\"who\"]");
  return out;
}

}  // namespace

Result<ReportSettings> read_report_settings(const Toml& table) {
  ReportSettings out;
  for (const TomlMember& member : table.members) {
    if (member.name == "timezone") {
      out.time_zone = TRY(member.as_text());
      if (const auto zone = TimeZone::named(out.time_zone); !zone.has_value())
        return hinted(misread(member.value.place, zone.error().message), zone.error().hint);
    } else if (member.name == "applications") {
      out.applications = TRY(member.as_texts());
    } else if (member.name == "daily") {
      TRY(read_daily(*TRY(member.as_table()), out));
    } else if (member.value.kind != Toml::Kind::table) {
      return suggested(misread(member.place, fmt::format("unknown key '{}'", member.name)),
                       member.name, {"applications", "daily", "timezone"});
    } else if (find_report(member.name) != nullptr) {
      return hinted(
          misread(member.place, fmt::format("a report is called {} already", member.name)),
          "choose another name");
    } else {
      out.own[member.name] = TRY(read_own(member));
    }
  }
  return out;
}

}  // namespace vestige
