#include "vestige/report/fields.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "vestige/base/decimal.h"
#include "vestige/trail/changes.h"

namespace vestige {
namespace {

constexpr std::array<std::string_view, 11> kNames = {
    "time", "day", "month", "hour", "change", "tx", "op", "table", "key", "who", "db_user"};

// "old.price" → "price", when the name begins with the prefix.
std::optional<std::string> behind(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix) || name.size() == prefix.size()) return std::nullopt;
  return std::string(name.substr(prefix.size()));
}

Cell named(const Change& change, std::string_view name, const TimeZone& zone) {
  if (name == "time") return time_cell(change.at);
  if (name == "change") return number_cell(change.id);
  if (name == "tx") return number_cell(change.tx);
  if (name == "op") return text_cell(vestige::name(change.op));
  if (name == "table") return text_cell(change.table);
  if (name == "key") return text_cell(key_shown(change));
  if (name == "who") return text_cell(change.who());
  if (name == "db_user") return change.db_user.has_value() ? Cell(*change.db_user) : Cell();
  const LocalTime local = local_time(change.at, zone);
  if (name == "day") return date_text(local.date);
  if (name == "month") return date_text(local.date).substr(0, 7);
  return fmt::format("{:02}", local.hour());
}

}  // namespace

std::string key_shown(const Change& change) {
  std::string out = key_text(change.key);
  if (change.new_key.has_value()) out += " → " + key_text(*change.new_key);
  return out;
}

std::optional<std::string> difference(const Change& change, const std::string& column) {
  if (change.op != Op::update) return std::nullopt;
  const Value* before = find(change.old_values, column);
  const Value* after = find(change.new_values, column);
  if (before == nullptr || after == nullptr) return std::nullopt;
  const auto from = numeral(*before);
  const auto to = numeral(*after);
  if (!from.has_value() || !to.has_value()) return std::nullopt;
  return add_numbers(*to, negated(*from));
}

Result<void> require_report_field(std::string_view name) {
  const bool known = std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
                     name == "entry" || is_context_field(name);
  for (const std::string_view prefix : {"old.", "new.", "key.", "delta.", "context."})
    if (known || behind(name, prefix).has_value()) return {};
  return hinted(
      fail(Fault::invalid, "a change has no '{}'", name),
      "time, day, month, hour, change, tx, op, table, key, who, db_user, entry, a field of the "
      "context, old.COLUMN, new.COLUMN, key.COLUMN or delta.COLUMN");
}

Cell report_field(const Change& change, std::string_view name, const TimeZone& zone) {
  if (const auto column = behind(name, "old.")) return value_cell(find(change.old_values, *column));
  if (const auto column = behind(name, "new.")) return value_cell(find(change.new_values, *column));
  if (const auto column = behind(name, "key.")) return value_cell(find(change.key, *column));
  if (const auto column = behind(name, "delta.")) return difference(change, *column);
  if (const auto field = behind(name, "context.")) return text_cell(change.context.get(*field));
  if (name == "entry")
    return change.index.has_value() ? Cell(std::to_string(*change.index)) : Cell();
  if (is_context_field(name)) return text_cell(change.context.get(name));
  return named(change, name, zone);
}

CellKind kind_of_field(std::string_view name) {
  if (name == "time") return CellKind::time;
  if (name == "change" || name == "tx" || name == "entry" || name.starts_with("delta."))
    return CellKind::number;
  for (const std::string_view prefix : {"old.", "new.", "key."})
    if (name.starts_with(prefix)) return CellKind::value;
  return CellKind::text;
}

}  // namespace vestige
