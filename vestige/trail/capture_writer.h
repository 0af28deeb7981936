// How capture.cc writes the triggers of one table; capture_replaced.cc has the part for rows that a
// REPLACE removes silently. For these two files only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/capture.h"

namespace vestige::capture {

/// The clock, in milliseconds; the same throughout a statement.
inline constexpr std::string_view kNow =
    "cast((julianday() - 2440587.5) * 86400000 + 0.5 as integer)";

/// parts[0] between parts[1] between …
std::string join(const std::vector<std::string>& parts, std::string_view between);

/// (parts[0] or parts[1] or …), as a tree: SQLite's expressions may be 1,000 deep.
std::string any_of(std::vector<std::string> parts);

/// ", v0, v1, …" from `first` on.
std::string slot_names(std::size_t first, std::size_t count);

// Writes the triggers of one table. Every piece of SQL is made from quoted names and fixed text.
class Writer {
 public:
  Writer(Database& db, const LiveTable& live, const Tracked& table, bool temporary)
      : db_(db), live_(live), table_(table), shape_(table.shape), temporary_(temporary) {
    for (const Column& column : shape_.key()) key_.push_back(column.name);
    if (live.without_row_id) identity_ = live.primary_key();
  }

  Result<std::vector<Trigger>> triggers() const;
  std::vector<std::string> baseline() const;

 private:
  std::string quote(std::string_view name) const { return db_.quote_name(name); }
  std::string at(std::string_view side, const std::string& column) const;
  std::size_t count() const { return shape_.columns.size(); }
  std::size_t row_parts() const {
    return std::max<std::size_t>(1, (count() + kSlots - 1) / kSlots);
  }
  std::size_t pair_parts() const {
    return std::max<std::size_t>(1, (count() + kPairs - 1) / kPairs);
  }

  std::string name(std::string_view what) const {
    return fmt::format("vestige_{}_{}", table_.id, what);
  }
  Trigger trigger(std::string_view what, std::string_view event, const std::string& when,
                  const std::vector<std::string>& body) const;

  std::string key(std::string_view side) const;
  std::string row_id(std::string_view side) const {
    return shape_.row_ids ? fmt::format("{}.{}", side, live_.row_id) : "null";
  }
  std::string row_values(std::string_view side, std::size_t part) const;
  std::string changed(const Column& column) const;
  std::string any_changed() const;
  std::string mask(std::size_t part) const;
  std::string pair_values(std::size_t part) const;

  std::string context() const;
  std::string tx() const;
  std::string head(std::string_view op, std::string_view seq, const std::string& late) const;

  std::string condition(std::string_view old_side, std::string_view new_side) const;
  Result<std::vector<std::string>> required() const;

  std::string identity(std::string_view side) const;
  std::string same_row(std::string_view side) const;
  std::string keeps_old() const;
  std::string stands() const;
  std::vector<std::string> conflicts(bool update) const;
  std::string new_value(const LiveColumn& column, bool fallback) const;
  std::string conflict(const UniqueIndex& index, bool fallback) const;
  std::string new_row(bool fallback) const;
  std::string any_conflict(const std::vector<std::string>& conflicts) const;
  std::vector<std::string> keep_replaced(const std::vector<std::string>& conflicts,
                                         bool update) const;
  void settle(bool update, std::vector<std::string>& body) const;
  void settle_some(std::size_t most, const std::string& which,
                   std::vector<std::string>& body) const;
  void settle_cut_short(std::vector<std::string>& body) const;
  std::string replaced(bool update) const;
  void follow_kept(std::vector<std::string>& body) const;
  std::string record(const std::string& columns, const std::string& values,
                     const std::string& when) const;
  void record_row(std::string_view op, std::string_view side, const std::string& seq,
                  const std::string& when, std::vector<std::string>& body) const;
  std::vector<std::string> checks(const std::vector<std::string>& required, const std::string& when,
                                  const std::string& replaced) const;

  Trigger before(std::string_view what, std::string_view event, bool update) const;
  Trigger insert(const std::vector<std::string>& required) const;
  Trigger update(const std::vector<std::string>& required) const;
  Trigger remove(const std::vector<std::string>& required) const;

  bool several_parts() const { return row_parts() > 1 || pair_parts() > 1; }
  std::string same_identity(std::string_view left, std::string_view right) const;
  std::string unchanged() const;
  std::string changed_since() const;
  std::string there_again() const;
  void place_late(std::vector<std::string>& body) const;
  void put_back(std::vector<std::string>& body) const;

  std::string stays() const;
  Trigger before_move() const;
  Trigger move(const std::vector<std::string>& required) const;

  Database& db_;
  const LiveTable& live_;
  const Tracked& table_;
  const Shape& shape_;
  bool temporary_;
  std::vector<std::string> key_;
  std::vector<std::string> identity_;  // WITHOUT ROWID: the primary key, which is always recorded
};

}  // namespace vestige::capture
