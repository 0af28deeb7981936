// daily: what a bank asks each morning. The changes of one field of numbers, by business process and by session, the largest, those
// that stand out, and whether each old value is what the change before left there. Test: test/report_test.cc.
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>

#include "vestige/base/decimal.h"
#include "vestige/report/fields.h"
#include "vestige/report/reports.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/judged.h"

namespace vestige {
namespace {

constexpr std::size_t kTop = 10;

// "accounts.balance": the last point stands before the column.
struct NumberField {
  std::string table;
  std::string column;
};

Result<NumberField> field_of(const std::string& text) {
  const std::size_t point = text.rfind('.');
  if (point == std::string::npos || point == 0 || point + 1 == text.size())
    return hinted(fail(Fault::invalid, "report daily: which field of numbers?"),
                  "--field accounts.balance, or field = \"accounts.balance\" under [report.daily]");
  return NumberField{text.substr(0, point), text.substr(point + 1)};
}

std::string magnitude(const std::string& number) {
  return number.starts_with('-') ? number.substr(1) : number;
}

// A sum that says so when it became too long.
struct Sum {
  std::string text = "0";
  void add(const std::string& number) { text = add_numbers(text, number).value_or(text); }
};

struct Group {
  std::int64_t changes = 0;
  Sum volume;
  Sum net;
  std::int64_t flagged = 0;
  std::set<std::string> who;
  std::int64_t first = 0;
  std::int64_t last = 0;

  void add(const Change& change, const std::string& delta, bool flag) {
    first = changes == 0 ? change.at : std::min(first, change.at);
    last = changes == 0 ? change.at : std::max(last, change.at);
    ++changes;
    volume.add(magnitude(delta));
    net.add(delta);
    flagged += static_cast<std::int64_t>(flag);
    if (const std::string* name = change.who(); name != nullptr && who.size() < 5)
      who.insert(*name);
  }
};

// Whether the old value of each change is the new value of the row's change before.
class Continuity {
 public:
  explicit Continuity(const std::string& column) : column_(column) {}

  /// What was expected, where something else was found.
  std::optional<std::string> take(const Change& change) {
    const std::string key = to_json(change.key);
    if (change.lost_values() || !of_a_row(change.op)) {
      known_.erase(key);
      return std::nullopt;
    }
    const Value* before = find(change.old_values, column_);
    const Value* after = find(change.new_values, column_);
    std::optional<std::string> expected;
    const auto known = known_.find(key);
    if (known != known_.end() && before != nullptr && known->second != to_json(*before))
      expected = known->second;
    if (change.op == Op::remove) known_.erase(key);
    else move(change, key, after);
    return expected;
  }

 private:
  void move(const Change& change, const std::string& key, const Value* after) {
    const auto known = known_.find(key);
    std::optional<std::string> value;
    if (after != nullptr) value = to_json(*after);
    else if (known != known_.end()) value = known->second;
    const std::string now = change.new_key.has_value() ? to_json(*change.new_key) : key;
    if (now != key) known_.erase(key);
    if (value.has_value()) known_[now] = *value;
  }

  const std::string& column_;
  std::unordered_map<std::string, std::string> known_;
};

// What stands out: large changes, and rows that are changed often.
class Flags {
 public:
  explicit Flags(const ReportSettings& settings) : settings_(settings) {}

  std::vector<std::string> take(const Change& change, const std::string& delta) {
    std::vector<std::string> out;
    if (!settings_.over.empty() &&
        compare_numbers(magnitude(delta), settings_.over).value_or(0) > 0)
      out.emplace_back("more than " + settings_.over);
    if (settings_.often == 0) return out;
    std::deque<std::int64_t>& times = times_[to_json(change.key)];
    times.push_back(change.at);
    while (times.front() <= change.at - settings_.within) times.pop_front();
    if (static_cast<std::int64_t>(times.size()) > settings_.often)
      out.emplace_back(fmt::format("more than {} changes of the row in {} minutes", settings_.often,
                                   settings_.within / 60'000'000));
    return out;
  }

 private:
  const ReportSettings& settings_;
  std::unordered_map<std::string, std::deque<std::int64_t>> times_;
};

// A change as the lists of single changes show it.
Cells listed(const Change& change, const NumberField& field, const std::string& delta) {
  return {time_cell(change.at),
          number_cell(change.id),
          text_cell(key_shown(change)),
          text_cell(change.context.get("business_process")),
          value_cell(find(*change.old_values, field.column)),
          value_cell(find(*change.new_values, field.column)),
          delta,
          text_cell(change.who()),
          text_cell(change.context.get("session_id"))};
}

const std::vector<ReportColumn> kListed = {{"time", "time", CellKind::time},
                                           {"change", "change", CellKind::number},
                                           {"key", "key"},
                                           {"process", "business process"},
                                           {"old", "old", CellKind::value},
                                           {"new", "new", CellKind::value},
                                           {"difference", "difference", CellKind::number},
                                           {"who", "who"},
                                           {"session", "session"}};

std::vector<ReportColumn> with(ReportColumn column) {
  std::vector<ReportColumn> out = kListed;
  out.push_back(std::move(column));
  return out;
}

class Daily {
 public:
  Daily(const ReportRequest& request, Report& report, NumberField field)
      : request_(request),
        report_(report),
        field_(std::move(field)),
        continuity_(field_.column),
        flags_(request.settings) {
    processes_ = report.add({.name = "processes",
                             .title = "By business process",
                             .columns = {{"process", "business process"},
                                         {"changes", "changes", CellKind::number},
                                         {"volume", "volume", CellKind::number},
                                         {"net", "net", CellKind::number},
                                         {"flagged", "flagged", CellKind::number}}});
    sessions_ = report.add({.name = "sessions",
                            .title = "By session",
                            .columns = {{"session", "session"},
                                        {"who", "who"},
                                        {"changes", "changes", CellKind::number},
                                        {"volume", "volume", CellKind::number},
                                        {"net", "net", CellKind::number},
                                        {"flagged", "flagged", CellKind::number},
                                        {"first", "first", CellKind::time},
                                        {"last", "last", CellKind::time}}});
    largest_ = report.add({.name = "largest", .title = "The largest", .columns = kListed});
    rows_ = report.add({.name = "rows",
                        .title = "The rows with the largest volume",
                        .columns = {{"key", "key"},
                                    {"changes", "changes", CellKind::number},
                                    {"volume", "volume", CellKind::number},
                                    {"net", "net", CellKind::number},
                                    {"flagged", "flagged", CellKind::number}}});
    flagged_ = report.add({.name = "flagged", .title = "Flagged", .columns = with({"why", "why"})});
    breaks_ = report.add({.name = "continuity",
                          .title = "Continuity",
                          .columns = with({"expected", "expected", CellKind::value})});
  }

  Result<void> take(const Change& change, bool counts) {
    const auto expected = continuity_.take(change);
    const auto delta = difference(change, field_.column);
    std::vector<std::string> why;
    if (delta.has_value()) why = flags_.take(change, *delta);
    if (!counts) return {};
    ++looked_at_;
    if (expected.has_value()) TRY(broken(change, *expected, delta));
    if (!delta.has_value()) return {};
    const bool flag = !why.empty() || expected.has_value();
    if (expected.has_value()) why.emplace_back("its old value is not what was there");
    const std::string* process = change.context.get("business_process");
    const std::string* session = change.context.get("session_id");
    all_.add(change, *delta, flag);
    by_process_[process == nullptr ? "" : *process].add(change, *delta, flag);
    by_session_[session == nullptr ? "" : *session].add(change, *delta, flag);
    by_row_[key_text(change.key)].add(change, *delta, flag);
    keep_largest(change, *delta);
    if (!flag) return {};
    Cells cells = listed(change, field_, *delta);
    cells.push_back(fmt::format("{}", fmt::join(why, "; ")));
    return report_.row(flagged_, cells);
  }

  Result<void> finish() {
    report_.section(processes_).text = fmt::format(
        "{}: {} changes, volume {}, net {}, {} flagged. The volume is the sum of what "
        "each change added or took away.",
        field_.table + "." + field_.column, all_.changes, all_.volume.text, all_.net.text,
        all_.flagged);
    for (const auto& [name, group] : by_process_)
      TRY(report_.row(processes_,
                      {text_cell(name.empty() ? "(none)" : name), number_cell(group.changes),
                       group.volume.text, group.net.text, number_cell(group.flagged)}));
    for (const auto& [name, group] : by_session_)
      TRY(report_.row(sessions_,
                      {text_cell(name.empty() ? "(none)" : name),
                       text_cell(fmt::format("{}", fmt::join(group.who, ", "))),
                       number_cell(group.changes), group.volume.text, group.net.text,
                       number_cell(group.flagged), time_cell(group.first), time_cell(group.last)}));
    for (const auto& [delta, cells] : top_) TRY(report_.row(largest_, cells));
    TRY(finish_rows());
    report_.section(flagged_).text = flag_words();
    report_.section(flagged_).bad = report_.rows(flagged_) != 0;
    const std::uint64_t broken = report_.rows(breaks_);
    report_.section(breaks_).bad = broken != 0;
    report_.section(breaks_).text =
        broken == 0 ? fmt::format(
                          "The old value of each of {} changes is what the change before left in "
                          "its row.",
                          looked_at_)
                    : fmt::format(
                          "{} of {} changes found another value than the change before left in "
                          "their row: something changed it past the trail.",
                          broken, looked_at_);
    return {};
  }

 private:
  Result<void> broken(const Change& change, const std::string& expected,
                      const std::optional<std::string>& delta) {
    Cells cells;
    const Value* after =
        change.new_values.has_value() ? find(*change.new_values, field_.column) : nullptr;
    cells = {time_cell(change.at),
             number_cell(change.id),
             text_cell(key_shown(change)),
             text_cell(change.context.get("business_process")),
             value_cell(find(*change.old_values, field_.column)),
             value_cell(after),
             delta.has_value() ? Cell(*delta) : Cell(),
             text_cell(change.who()),
             text_cell(change.context.get("session_id")),
             expected};
    return report_.row(breaks_, cells);
  }

  // The first of those that are equally large comes first.
  void keep_largest(const Change& change, const std::string& delta) {
    const std::string size = magnitude(delta);
    const auto place = std::find_if(top_.begin(), top_.end(), [&](const auto& one) {
      return compare_numbers(one.first, size).value_or(0) < 0;
    });
    if (place == top_.end() && top_.size() >= kTop) return;
    top_.insert(place, {size, listed(change, field_, delta)});
    if (top_.size() > kTop) top_.pop_back();
  }

  Result<void> finish_rows() {
    std::vector<const std::pair<const std::string, Group>*> order;
    for (const auto& one : by_row_) order.push_back(&one);
    const auto larger = [](const auto* left, const auto* right) {
      const int sign =
          compare_numbers(left->second.volume.text, right->second.volume.text).value_or(0);
      return sign != 0 ? sign > 0 : left->first < right->first;
    };
    const std::size_t shown = std::min(order.size(), kTop);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown),
                      order.end(), larger);
    order.resize(shown);
    for (const auto* one : order)
      TRY(report_.row(
          rows_, {text_cell(one->first), number_cell(one->second.changes), one->second.volume.text,
                  one->second.net.text, number_cell(one->second.flagged)}));
    return {};
  }

  std::string flag_words() const {
    const ReportSettings& settings = request_.settings;
    std::string out;
    if (!settings.over.empty()) out += "Changes of more than " + settings.over + ". ";
    if (settings.often != 0)
      out += fmt::format("Changes of rows that were changed more than {} times in {} minutes. ",
                         settings.often, settings.within / 60'000'000);
    return out + "Changes whose old value is not what the change before left in the row.";
  }

  const ReportRequest& request_;
  Report& report_;
  NumberField field_;
  Continuity continuity_;
  Flags flags_;
  std::size_t processes_ = 0, sessions_ = 0, largest_ = 0, rows_ = 0, flagged_ = 0, breaks_ = 0;
  std::int64_t looked_at_ = 0;
  Group all_;
  std::map<std::string, Group> by_process_;
  std::map<std::string, Group> by_session_;
  std::unordered_map<std::string, Group> by_row_;
  std::vector<std::pair<std::string, Cells>> top_;
};

Result<std::map<std::string, TableFacts>> facts_of(Database& db) {
  std::map<std::string, TableFacts> out;
  for (const Tracked& table : TRY(tracked_tables(db)))
    out.try_emplace(table.name, TableFacts{table.policy.classification, table.policy.tags});
  return out;
}

}  // namespace

Result<void> report_daily(Database& db, const ReportRequest& request, Report& report) {
  TRY(require_judge(request.selection.filter, request.selection.judge.get()));
  NumberField field = TRY(field_of(request.settings.field));
  const Tracked table = TRY(tracked_table(db, field.table));
  TRY(require_column(db, field.column, table));
  field.table = table.name;
  // Every change of the table counts for what a row held; those that were asked for are shown.
  const auto tables = TRY(facts_of(db));
  ReportRequest whole = request;
  whole.selection.filter = Filter();
  whole.selection.table = table.id;
  const auto population = TRY(Population::open(db, whole, report, true));
  Daily daily(request, report, std::move(field));
  while (const auto change = TRY(population->next()))
    TRY(daily.take(
        *change, (!request.selection.since.has_value() || change->at >= *request.selection.since) &&
                     matches(request.selection.filter, *change, tables)));
  return daily.finish();
}

}  // namespace vestige
