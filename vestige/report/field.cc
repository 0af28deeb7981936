#include "vestige/report/field.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "vestige/base/time.h"
#include "vestige/trail/catalog.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"

namespace vestige {
namespace {

std::optional<double> number_of(const Value& value) {
  std::optional<double> out;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) out = static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value)) out = *real;
  if (const auto* token = std::get_if<Token>(&value)) {
    double read = 0;
    const char* end = token->text.data() + token->text.size();
    const auto [rest, error] = std::from_chars(token->text.data(), end, read);
    if (error == std::errc() && rest == end) out = read;
  }
  return out.has_value() && std::isfinite(*out) ? out : std::nullopt;
}

FieldPoint point_of(const Change& change) {
  FieldPoint point;
  point.change = change.id;
  point.at = change.at;
  point.op = change.op;
  point.tx = change.tx;
  if (const std::string* who = change.who(); who != nullptr) point.who = *who;
  if (const std::string* reason = change.context.get("reason"); reason != nullptr)
    point.reason = *reason;
  return point;
}

// Reads a row's changes, newest first, and keeps those that touch the column.
class Reading {
 public:
  explicit Reading(const std::string& column) : column_(column) {}

  void take(const Change& change) {
    FieldPoint point = point_of(change);
    if (change.lost_values()) {
      point.state = FieldPoint::State::unknown;
      before_.reset();
      points_.push_back(std::move(point));
      return;
    }
    const Value* after = value(change.new_values);
    const Value* before = value(change.old_values);
    if (change.op == Op::update && before == nullptr) return;
    // It ends before the row did: a column that was added later has no value in a DELETE before that.
    if (change.op == Op::remove || change.op == Op::truncate) point.state = FieldPoint::State::gone;
    else if (after == nullptr) return;
    else point.value = *after;
    before_.reset();
    if (before != nullptr) before_ = *before;
    points_.push_back(std::move(point));
  }

  /// Oldest first; what was there before the first change begins them.
  std::vector<FieldPoint> points(std::int64_t tracked_at, const Value* now) && {
    FieldPoint first;
    if (points_.empty() && now != nullptr) before_ = *now;
    if (before_.has_value()) {
      first.value = *before_;
      first.at = points_.empty() ? tracked_at : std::min(tracked_at, points_.back().at);
      points_.push_back(std::move(first));
    }
    std::reverse(points_.begin(), points_.end());
    return std::move(points_);
  }

 private:
  const Value* value(const std::optional<Row>& row) const { return find(row, column_); }

  const std::string& column_;
  std::vector<FieldPoint> points_;
  std::optional<Value> before_;  // what the oldest that was taken found
};

void measure(FieldHistory& history) {
  history.numbers = true;
  bool any = false;
  std::optional<double> before;
  for (FieldPoint& point : history.points) {
    if (point.state != FieldPoint::State::value || is_null(point.value)) continue;
    point.number = number_of(point.value);
    history.numbers = history.numbers && point.number.has_value();
    any = true;
    if (point.number.has_value() && before.has_value() && *before != 0)
      point.percent = (*point.number - *before) / std::fabs(*before) * 100;
    before = point.number;
  }
  history.numbers = history.numbers && any;
}

}  // namespace

std::int64_t FieldHistory::changes() const {
  return std::count_if(points.begin(), points.end(),
                       [](const FieldPoint& point) { return point.change != 0; });
}

std::pair<double, double> FieldHistory::range() const {
  std::optional<std::pair<double, double>> out;
  for (const FieldPoint& point : points) {
    if (!point.number.has_value()) continue;
    const double number = *point.number;
    out = out.has_value() ? std::pair(std::min(out->first, number), std::max(out->second, number))
                          : std::pair(number, number);
  }
  return out.value_or(std::pair(0.0, 0.0));
}

std::pair<std::int64_t, std::int64_t> FieldHistory::span(std::int64_t until) const {
  const std::int64_t from = points.front().at;
  return {from, std::max({until, points.back().at, from + 1})};
}

std::vector<std::string> FieldHistory::different() const {
  std::vector<std::string> out;
  for (const FieldPoint& point : points) {
    if (point.state != FieldPoint::State::value) continue;
    std::string text = to_display(point.value);
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(std::move(text));
  }
  return out;
}

Result<FieldHistory> field_history(Database& db, const std::string& table_name,
                                   const std::vector<std::string>& key, const std::string& column) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, table_name));
  TRY(require_column(db, column, table));
  const auto [name, row] = TRY(named_or_moved(db, table, key));
  FieldHistory out;
  out.table = table.name;
  out.key = name.key;
  out.column = column;
  Reading reading(out.column);
  bool any = row.has_value();
  auto history = TRY(row_history(db, table, name, kNow));
  while (const auto change = TRY(history->next())) {
    any = true;
    reading.take(*change);
  }
  if (!any)
    return hinted(fail(Fault::missing, "field {} {}: no such row, now or in the trail", table.name,
                       key_text(name)),
                  "vestige log " + table.name + " lists what it has");
  out.points =
      std::move(reading).points(table.tracked_at, row.has_value() ? find(*row, column) : nullptr);
  measure(out);
  return out;
}

std::string to_json(const FieldHistory& history, const FieldPoint& point) {
  const auto optional = [](const std::string& text) { return to_json(text_or_null(text)); };
  const bool recorded = point.change != 0;
  const bool has_value = point.state == FieldPoint::State::value;
  return fmt::format(
      R"({{"table":{},"key":{},"column":{},"change":{},"at":"{}","op":{},"tx":{},)"
      R"("there":{},"known":{},"value":{},"percent":{},"who":{},"reason":{}}})",
      text_json(history.table), to_json(history.key), text_json(history.column),
      recorded ? std::to_string(point.change) : "null", format_time(point.at),
      recorded ? text_json(name(point.op)) : "null", recorded ? std::to_string(point.tx) : "null",
      point.state != FieldPoint::State::gone, point.state != FieldPoint::State::unknown,
      has_value ? to_json(point.value) : "null",
      point.percent.has_value() ? fmt::format("{:.2f}", *point.percent) : "null",
      optional(point.who), optional(point.reason));
}

}  // namespace vestige
