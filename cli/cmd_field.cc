// field: what one column of one row held over time.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "cli/change_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/base/time.h"
#include "vestige/report/field.h"
#include "vestige/report/plot.h"

namespace vestige::cli {
namespace {

constexpr int kBar = 20;

// As the C library decides it: the first of these that is set.
bool speaks_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* set = std::getenv(name);
    if (set == nullptr || *set == '\0') continue;
    std::string text(set);
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return text.find("utf-8") != std::string::npos || text.find("utf8") != std::string::npos;
  }
  return false;
}

std::string said(const FieldPoint& point) {
  if (point.state == FieldPoint::State::gone) return "(the row is gone)";
  if (point.state == FieldPoint::State::unknown) return "(erased)";
  return value_text(point.value);
}

std::string percent_text(const FieldPoint& point) {
  if (!point.percent.has_value()) return "";
  return fmt::format("{:+.1f} %", *point.percent);
}

// How large a number is beside the largest, in eighths of a character.
std::string bar(double share, bool ascii) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::lround(share * kBar * 8));
  std::string out;
  for (std::size_t i = 0; i < eighths / 8; ++i) out += ascii ? "#" : "█";
  return ascii ? out : out + kEighths[eighths % 8];
}

void print_rows(Output& output, const FieldHistory& history, bool ascii) {
  double largest = 0;
  bool bars = history.numbers && (output.width() == 0 || output.width() >= 100);
  for (const FieldPoint& point : history.points) {
    if (!point.number.has_value()) continue;
    bars = bars && *point.number >= 0;
    largest = std::max(largest, *point.number);
  }
  std::vector<Heading> headings = {
      {.name = "change", .right = true},
      {.name = time_heading("time")},
      {.name = history.column, .right = history.numbers, .elastic = !history.numbers},
      {.name = "differs", .right = true},
      {.name = "who", .elastic = true},
      {.name = "why", .elastic = true}};
  if (!history.numbers) headings.erase(headings.begin() + 3);
  if (bars) headings.insert(headings.begin() + 2, {.name = ""});
  Table table(output, headings);
  for (const FieldPoint& point : history.points) {
    std::vector<Piece> cells = {
        {Label::id, point.change == 0 ? "-" : std::to_string(point.change)},
        {Label::time, short_time(point.at)},
        {point.state == FieldPoint::State::value ? Label::plain : Label::faint, said(point)},
        {Label::plain, percent_text(point)},
        {Label::person, point.change == 0 ? "" : point.who},
        {Label::reason, point.change == 0 ? "before what is recorded" : point.reason}};
    if (!history.numbers) cells.erase(cells.begin() + 3);
    if (bars)
      cells.insert(cells.begin() + 2, {Label::faint, point.number.has_value() && largest > 0
                                                         ? bar(*point.number / largest, ascii)
                                                         : ""});
    table.row(std::move(cells));
  }
}

void print_csv(Output& output, const FieldHistory& history) {
  output.csv({"change", "at", "op", "value", "percent", "who", "reason"});
  for (const FieldPoint& point : history.points) {
    const bool value = point.state == FieldPoint::State::value;
    output.csv({point.change == 0 ? "" : std::to_string(point.change), format_time(point.at),
                point.change == 0 ? "" : std::string(name(point.op)),
                value ? csv_field(point.value) : "",
                point.percent.has_value() ? fmt::format("{:.2f}", *point.percent) : "",
                csv_text(point.who), csv_text(point.reason)});
  }
}

void print_text(Session& session, const FieldHistory& history, std::int64_t until) {
  Output& output = session.output();
  output.line({{Label::head,
                fmt::format("{} of {} {}", history.column, history.table, key_words(history.key))},
               {Label::plain, ": " + counted(history.changes(), "change")}});
  const bool ascii = session.arguments().has("--ascii") || !speaks_utf8();
  PlotSize size;
  size.ascii = ascii;
  if (output.width() > 0) size.width = std::min(output.width(), 120);
  for (const std::string& line : text_plot(history, until, size))
    output.line({{Label::plain, line}});
  print_rows(output, history, ascii);
}

Result<int> run_field(Session& session) {
  const Arguments& arguments = session.arguments();
  std::vector<std::string> key = arguments.words_from(1);
  const std::string column = key.back();
  key.pop_back();
  Database& db = *TRY(session.database());
  const FieldHistory history = TRY(field_history(db, arguments.words().front(), key, column));
  const std::int64_t until = clock_now();
  if (arguments.text("--format") == "svg") {
    session.output().text(svg_plot(history, until));
    return kDone;
  }
  session.output().long_text();
  switch (session.format()) {
    case Format::json:
      for (const FieldPoint& point : history.points) session.output().json(to_json(history, point));
      break;
    case Format::csv: print_csv(session.output(), history); break;
    case Format::table: print_text(session, history, until); break;
  }
  if (history.points.empty())
    session.say(fmt::format("{} of this row never had a value that is recorded", column));
  return kDone;
}

}  // namespace

Command field_command() {
  Option format = format_option();
  format.choices.emplace_back("svg");
  return {
      .name = "field",
      .group = "look",
      .summary = "what one column of a row held over time, drawn",
      .arguments = "TABLE KEY… COLUMN",
      .least = 3,
      .most = kAny,
      .about =
          {"A step line, since a value holds until it is changed; it has gaps where the row was "
           "not there or the value was erased. A column without numbers is drawn as letters, one "
           "for each value. Under it each change, by how much it differs from the number before, "
           "who made it and why. Also of a row that is gone.",
           "--format svg prints one picture that needs no script and no style sheet, with the "
           "values as text for those who do not see it."},
      .options = {{.names = "--ascii", .value = "", .summary = "draw with ASCII alone"},
                  std::move(format)},
      .examples = {{"vestige field products 1 price", "the prices that a product had"},
                   {"vestige field products 1 price --format svg > price.svg", "as a picture"}},
      .run = run_field,
  };
}

}  // namespace vestige::cli
