// Replay: a twin of a table made from nothing but its changes, and snapshots to compare it with. The
// twin knows no fold of the library's: a map from a row's identity to its columns.
#pragma once

#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "test/tracked_shop.h"
#include "vestige/record/change.h"
#include "vestige/trail/sqlite/live_table.h"

namespace vestige {

/// Column name to value.
using PlainRow = std::map<std::string, Value>;
/// A row's identity (its rowid, or its key) to its columns.
using PlainTable = std::map<std::string, PlainRow>;

inline std::string plain_text(const PlainRow& row) {
  std::string out = "{";
  for (const auto& [name, value] : row) out += name + ": " + to_json(value).substr(0, 200) + "  ";
  return out + "}";
}

inline bool same_row(const PlainRow& left, const PlainRow& right) {
  if (left.size() != right.size()) return false;
  for (const auto& [name, value] : left) {
    const auto other = right.find(name);
    if (other == right.end() || !identical(value, other->second)) return false;
  }
  return true;
}

/// 1 and 1.0 are one key to the database.
inline std::string key_identity(const Row& key) {
  std::string out;
  for (const Field& field : key) {
    const auto* real = std::get_if<double>(&field.value);
    const bool whole =
        real != nullptr && *real >= -0x1p63 && *real < 0x1p63 && std::trunc(*real) == *real;
    out += to_json(whole ? Value(static_cast<std::int64_t>(*real)) : field.value) + ",";
  }
  return out;
}

/// The rows of a table as they stand, by rowid where the table has one of its own.
inline PlainTable snapshot(Database& db, const std::string& name) {
  const SqliteTable live = must(sqlite::read_table(db, name));
  const bool by_row_id = !live.without_row_id && !live.row_id_is_key;
  std::string columns;
  for (const SqliteColumn& column : live.columns)
    columns += (columns.empty() ? "" : ", ") + db.quote_name(column.name);
  if (by_row_id) columns += ", " + live.row_id;
  auto rows = must(db.query("select " + columns + " from main." + db.quote_name(live.name)));
  PlainTable table;
  while (must(rows->next()) == Step::row) {
    PlainRow row;
    for (std::size_t i = 0; i < live.columns.size(); ++i)
      row[live.columns[i].name] = rows->value(static_cast<int>(i));
    std::string identity;
    if (by_row_id) {
      identity = "#" + std::to_string(rows->integer(static_cast<int>(live.columns.size())));
    } else {
      Row key;
      for (const std::string& part : live.primary_key()) key.push_back({part, row.at(part)});
      identity = key_identity(key);
    }
    table[identity] = std::move(row);
  }
  return table;
}

/// "" when two states of a table are the same to the bit, or what differs first.
inline std::string differs(const PlainTable& made, const PlainTable& real) {
  for (const auto& [identity, row] : made) {
    const auto other = real.find(identity);
    if (other == real.end()) return identity + " should not be there: " + plain_text(row);
    if (!same_row(row, other->second))
      return identity + " is " + plain_text(row) + ", should be " + plain_text(other->second);
  }
  for (const auto& [identity, row] : real)
    if (!made.contains(identity)) return identity + " is not there: " + plain_text(row);
  return "";
}

/// A table made from its changes; every step is checked against what the change itself says.
class Twin {
 public:
  explicit Twin(PlainTable rows) : rows_(std::move(rows)) {}
  const PlainTable& rows() const { return rows_; }
  const std::string& complaint() const { return complaint_; }

  void forward(const Change& change) {
    apply(change, change.old_values, before(change), change.new_values, after(change));
  }
  void backward(const Change& change) {
    apply(change, change.new_values, after(change), change.old_values, before(change));
  }

 private:
  static std::string before(const Change& change) {
    return change.row_id.has_value() ? "#" + std::to_string(*change.row_id)
                                     : key_identity(change.key);
  }
  static std::string after(const Change& change) {
    if (change.row_id.has_value() || !change.new_key.has_value()) return before(change);
    return key_identity(*change.new_key);
  }

  void complain(const Change& change, const std::string& why) {
    if (complaint_.empty()) complaint_ = why + ": " + vestige::to_json(change).substr(0, 2000);
  }

  // From a side of a change to its other side.
  void apply(const Change& change, const std::optional<Row>& from, const std::string& from_identity,
             const std::optional<Row>& to, const std::string& to_identity) {
    PlainRow row;
    if (from.has_value()) {
      const auto found = rows_.find(from_identity);
      if (found == rows_.end()) return complain(change, "no row " + from_identity);
      row = std::move(found->second);
      rows_.erase(found);
      for (const Field& field : *from)
        if (!row.contains(field.name) || !identical(row.at(field.name), field.value))
          complain(change, field.name + " was not what the change says");
      if (change.op != Op::update && from->size() != row.size())
        complain(change, "columns are missing");
    }
    if (!to.has_value()) return;
    for (const Field& field : *to) row[field.name] = field.value;
    if (rows_.contains(to_identity)) complain(change, "there is a row " + to_identity);
    rows_[to_identity] = std::move(row);
  }

  PlainTable rows_;
  std::string complaint_;
};

/// Follows tracked tables from one moment to the next and compares their changes with what was to be seen.
class Witness {
 public:
  Witness(Database& db, std::vector<std::string> tables) : db_(db), tables_(std::move(tables)) {
    for (const std::string& table : tables_) seen_[table] = snapshot(db_, table);
    last_ = must(scalar_integer(db_, "select max(id) from vestige_change"));
  }

  const PlainTable& rows(const std::string& table) const { return seen_.at(table); }

  /// "" when the changes since the last time lead from what was seen then to what is there now, forward,
  /// and back again, backward.
  std::string look() {
    std::vector<Change> fresh;
    Selection selection;
    selection.after = last_;
    selection.oldest_first = true;
    auto changes = must(read_changes(db_, selection));
    while (auto change = must(changes->next())) fresh.push_back(*change);
    std::int64_t id = last_;
    auto ids = must(db_.query("select id from vestige_change where id > ?1 order by id", {last_}));
    while (must(ids->next()) == Step::row)
      if (ids->integer(0) != ++id) return "a gap before change " + std::to_string(ids->integer(0));
    last_ = id;
    for (const std::string& table : tables_) {
      const PlainTable now = snapshot(db_, table);
      Twin forward(std::exchange(seen_[table], now));
      const PlainTable start = forward.rows();
      for (const Change& change : fresh)
        if (change.table == table) forward.forward(change);
      if (!forward.complaint().empty()) return "forward, " + table + ": " + forward.complaint();
      if (auto wrong = differs(forward.rows(), now); !wrong.empty())
        return "forward, " + table + ": " + wrong;
      Twin backward(now);
      for (auto change = fresh.rbegin(); change != fresh.rend(); ++change)
        if (change->table == table) backward.backward(*change);
      if (!backward.complaint().empty()) return "backward, " + table + ": " + backward.complaint();
      if (auto wrong = differs(backward.rows(), start); !wrong.empty())
        return "backward, " + table + ": " + wrong;
    }
    return "";
  }

 private:
  Database& db_;
  std::vector<std::string> tables_;
  std::map<std::string, PlainTable> seen_;
  std::int64_t last_ = 0;
};

}  // namespace vestige
