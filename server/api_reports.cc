// Reports: which there are, and one of them as JSON, HTML or CSV.
#include <algorithm>

#include "server/api.h"
#include "server/csv.h"
#include "server/lists.h"
#include "server/report_csv.h"
#include "vestige/audit/log.h"
#include "vestige/audit/report_basis.h"
#include "vestige/base/json.h"
#include "vestige/base/period.h"
#include "vestige/base/time.h"
#include "vestige/report/html.h"
#include "vestige/report/note.h"
#include "vestige/report/reports.h"
#include "vestige/trail/access.h"
#include "vestige/trail/install.h"

namespace vestige::server {
namespace {

constexpr auto kToReport = std::chrono::seconds(60);

class WriterSink final : public ReportSink {
 public:
  explicit WriterSink(Writer& writer) : writer_(writer) {}
  void write(std::string_view bytes) override {
    some_ += bytes;
    if (some_.size() >= kSome) flush();
  }
  bool wanted() const override { return good_; }
  void flush() {
    good_ = good_ && writer_.write(some_);
    some_.clear();
  }

 private:
  static constexpr std::size_t kSome = 32 << 10;
  Writer& writer_;
  std::string some_;
  bool good_ = true;
};

Result<void> choose_period(const Call& call, const TimeZone& zone, Selection& selection) {
  const auto period = call.asked("period");
  if (period.has_value() && !period->empty()) {
    const auto [since, until] = TRY(read_period(*period, zone));
    selection.since = since;
    selection.until = until;
    return {};
  }
  const Now now(clock_now(), Zone::local);
  if (const auto since = call.asked("since"); since.has_value() && !since->empty())
    selection.since = TRY(parse_time(*since, now));
  if (const auto until = call.asked("until"); until.has_value() && !until->empty())
    selection.until = TRY(parse_time(*until, now));
  return {};
}

// Filters of its own and of whoever asks: all of it holds.
Result<Filter> report_filter(const Call& call, const std::string& name) {
  Filter all = TRY(call.filter());
  const auto own = call.settings().reports.own.find(name);
  if (own == call.settings().reports.own.end()) return all;
  Filter filter = TRY(parse_filter(own->second.filter, Now(clock_now(), Zone::local)));
  for (Condition& condition : all.conditions) filter.conditions.push_back(std::move(condition));
  return filter;
}

Result<std::shared_ptr<Report>> made(Call& call) {
  const std::string name = TRY(call.word(0));
  const ReportKind* kind = find_report(name);
  const bool own = call.settings().reports.own.contains(name);
  if (kind == nullptr && !own)
    return hinted(fail(Fault::missing, "report: there is none that is called {}", name),
                  "GET /api/v1/reports lists them");
  TRY(call.take_time(kToReport));
  Database& db = *TRY(call.db());
  const std::string& usual = call.settings().reports.time_zone;
  const std::string zone_name = call.asked("timezone").value_or(usual.empty() ? "UTC" : usual);
  TimeZone zone = TRY(TimeZone::named(zone_name));
  LogRequest asked;
  asked.filter.filter = TRY(report_filter(call, name));
  TRY(choose_period(call, zone, asked.filter));
  ReportRequest request{
      .selection = TRY(select(db, asked)), .filter = to_text(asked.filter.filter), .zone = zone};
  if (asks_signed(asked.filter.filter)) request.selection.judge = TRY(call.judge());
  request.settings = call.settings().reports;
  if (const auto field = call.asked("field")) request.settings.field = *field;
  if (const auto subject = call.asked("subject"); subject.has_value() && !subject->empty()) {
    const std::size_t slash = subject->find('/');
    request.subject = TRY(reported_table(db, subject->substr(0, slash)));
    if (slash != std::string::npos) request.subject_key = {subject->substr(slash + 1)};
  }
  request.sample = TRY(call.number("sample", 0, 0, 1'000'000));
  request.seed = call.asked("seed").value_or("1");
  if (call.asked("verify") != "0" && TRY(has_evidence(db)))
    request.verified = TRY(verified_for_report(db, call.settings().trust, {}));
  auto report = std::make_shared<Report>(std::move(zone));
  report->head.made_at = clock_now();
  report->head.made_by = call.user().empty() ? call.settings().login : call.user();
  report->head.version = call.settings().version;
  TRY(own ? make_own_report(name, db, request, *report) : make_report(*kind, db, request, *report));
  return report;
}

Result<Answer> written(Asked call, ReportForm form) {
  const auto report = TRY(made(*call));
  const bool html = form == ReportForm::html;
  Answer answer{.type = html ? "text/html; charset=utf-8" : "application/x-ndjson"};
  if (html) {
    answer.headers.emplace_back("Content-Disposition",
                                fmt::format("attachment; filename=\"{}.html\"", report->head.name));
    // It is opened from a disk; where a browser shows it from here, nothing in it runs.
    answer.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
  }
  answer.stream = [report, form, call](Writer& writer) -> Result<void> {
    WriterSink sink(writer);
    CountingSink counting(sink);
    TRY(form == ReportForm::html ? write_html(*report, counting) : write_json(*report, counting));
    TRY(write_report_end(counting, form, nullptr));
    sink.flush();
    return {};
  };
  return answer;
}

Result<Answer> written_csv(Asked call) {
  const auto report = TRY(made(*call));
  const std::string section = call->asked("section").value_or("");
  // Which sections there are is said before anything is sent.
  TRY(report_csv(*report, section, [](const std::vector<std::string>&) { return false; }));
  Answer answer{.type = "text/csv; charset=utf-8"};
  answer.headers.emplace_back("Content-Disposition",
                              fmt::format("attachment; filename=\"{}.csv\"", report->head.name));
  answer.stream = [report, section](Writer& writer) -> Result<void> {
    WriterSink sink(writer);
    TRY(report_csv(*report, section, [&](const std::vector<std::string>& fields) {
      sink.write(csv_record(fields));
      return sink.wanted();
    }));
    sink.flush();
    return {};
  };
  return answer;
}

// Of a line of the report its row alone.
std::string row_of(const std::string& line) {
  json::Reader reader(line);
  if (!reader.open('{').has_value()) return "null";
  while (true) {
    const auto more = reader.more('{');
    if (!more.has_value() || *more != 'y') return "null";
    const auto name = reader.key();
    const auto value = reader.value();
    if (!name.has_value() || !value.has_value()) return "null";
    if (*name == "row") return std::string(value->text);
  }
}

}  // namespace

Result<Answer> get_reports(Asked call) {
  std::vector<std::string> items;
  const auto add = [&](std::string_view name, std::string_view title, std::string_view summary,
                       bool words) {
    items.push_back(fmt::format(
        R"({{"name":{},"title":{},"summary":{},"words":{},"options":["q","period","since","until","timezone"{}]}})",
        text_json(name), text_json(title), text_json(summary), words,
        name == "changes"                            ? R"(,"sample","seed")"
        : name == "subject" || name == "disclosures" ? R"(,"subject")"
        : name == "daily"                            ? R"(,"field")"
                                                     : ""));
  };
  for (const ReportKind& one : reports()) add(one.name, one.title, one.summary, one.takes_words);
  for (const auto& [name, own] : call->settings().reports.own)
    add(name, own.title.empty() ? name : own.title, own.filter, false);
  return list_answer(call, std::move(items));
}

// All sections in one object: as many rows of each as somebody reads.
Result<Answer> get_report(Asked call) {
  constexpr std::size_t kMostRows = 1000;
  constexpr std::size_t kMostBytes = 8 << 20;
  if (call->format() == Format::ndjson) return written(call, ReportForm::json);
  if (call->format() == Format::csv) return written_csv(call);
  const auto report = TRY(made(*call));
  std::string sections;
  for (std::size_t i = 0; i < report->sections(); ++i) {
    const ReportSection& section = report->section(i);
    std::string columns;
    for (const ReportColumn& one : section.columns)
      columns += fmt::format(R"({}{{"name":{},"title":{}}})", columns.empty() ? "" : ",",
                             text_json(one.name), text_json(one.title));
    std::string rows;
    std::size_t count = 0;
    std::string line;
    TRY(report->read_again(i));
    while (count < kMostRows && rows.size() < kMostBytes &&
           TRY(report->next_line(i, line)) == 'y') {
      rows += (count++ == 0 ? "" : ",") + row_of(line);
    }
    sections += fmt::format(
        R"({}{{"name":{},"title":{},"text":{},"bad":{},"columns":[{}],"rows":[{}],"count":{}}})",
        i == 0 ? "" : ",", text_json(section.name), text_json(section.title),
        text_json(section.text), section.bad, columns, rows, report->rows(i));
  }
  return json_answer(
      fmt::format(R"({{"report":{},"sections":[{}]}})", to_json(report->head), sections));
}

Result<Answer> get_report_html(Asked call) { return written(call, ReportForm::html); }

}  // namespace vestige::server
