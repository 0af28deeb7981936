// How capture.cc writes the triggers of one table; capture_conflicts.cc has the part for rows that a REPLACE may remove
// silently, capture_replaced.cc that for those which it did, capture_late.cc that for changes which come late, capture_update.cc that for
// UPDATEs, capture_moved.cc that for rowids that change. For these files only.
//
// What is the same for all tables stands in sql/sqlite/capture.sql and order.sql; limits there hold here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/trail/sqlite/capture.h"

namespace vestige::capture {

/// The clock, in milliseconds; the same throughout a statement.
inline constexpr std::string_view kNow = "(select now from vestige_clock)";

/// parts[0] between parts[1] between …
std::string join(const std::vector<std::string>& parts, std::string_view between);

// SQLite's expressions may be 1,000 deep, and 10 where somebody is careful, and it counts the expression around a subquery
// among those in it, but not where that stands in FROM.

/// True where one of them is, as deep as the deepest, whatever their number. No parts: false.
std::string one_of(const std::vector<std::string>& parts);

/// (parts[0] or parts[1] or …), as a tree: SQLite looks each up by its index.
std::string any_of(std::vector<std::string> parts);

/// The same with and. No parts: true.
std::string all_of(std::vector<std::string> parts);

/// parts[0] || parts[1] || …, as a tree.
std::string concatenation(std::vector<std::string> parts);

/// A row value of several values: as deep as the deepest.
std::string row(const std::vector<std::string>& values);

// An INSERT of one row of values into a view or table.
class Insertion {
 public:
  explicit Insertion(std::string_view into) : into_(into) {}
  Insertion& add(std::string_view column, std::string value);
  std::string values() const { return text("values (", ")"); }
  /// tail   FROM and WHERE
  std::string select(std::string_view tail) const { return text("select ", tail); }

 private:
  std::string text(std::string_view before, std::string_view after) const;

  std::string into_;
  std::vector<std::string> columns_;
  std::vector<std::string> values_;
};

// Writes the triggers of one table. Every piece of SQL is made from quoted names and fixed text.
class Writer {
 public:
  Writer(Database& db, const SqliteTable& live, const Tracked& table, bool temporary)
      : db_(db), live_(live), table_(table), shape_(table.shape), temporary_(temporary) {
    for (const Column& column : shape_.key()) key_.push_back(column.name);
    if (live.without_row_id) identity_ = live.primary_key();
  }

  Result<std::vector<Trigger>> triggers() const;
  std::vector<std::string> baseline() const;

 private:
  std::string quote(std::string_view name) const { return db_.quote_name(name); }
  std::string at(std::string_view side, const std::string& column) const;
  std::string bare(const std::string& column) const;
  std::string kept(std::string_view side, const Column& column) const;
  bool redacted(const std::string& column) const;
  std::size_t count() const { return shape_.columns.size(); }
  std::size_t parts(std::size_t columns) const {
    return std::max<std::size_t>(1, (count() + columns - 1) / columns);
  }

  std::string name(std::string_view what) const {
    return fmt::format("vestige_{}_{}", table_.id, what);
  }
  Trigger trigger(std::string_view what, std::string_view event, const std::string& when,
                  const std::vector<std::string>& body) const;

  std::string key(std::string_view side) const;
  std::string new_key() const;
  std::string row_id(std::string_view side) const {
    return shape_.row_ids ? fmt::format("{}.{}", side, live_.row_id) : "null";
  }
  enum class Blind { nothing, least, numbers };
  Blind blind(const std::string& column) const;
  std::string unseen(const std::string& column) const;
  std::string changed(const std::string& column) const;
  std::string binary() const { return live_.collated ? " collate binary" : ""; }

  std::string condition(std::string_view old_side, std::string_view new_side) const;
  // A field that the context of a change must have.
  struct Demand {
    std::string message;
    std::string value;  // SQL, of x, the context
  };
  Result<std::vector<Demand>> required() const;

  std::vector<std::string> place(std::string_view side) const;
  std::string identity(std::string_view side) const;
  std::string scratch_identity(std::string_view side) const;
  std::vector<std::string> kept_place() const;
  std::string stands(std::string_view kept) const;

  // Rows that stand in the way of NEW, by one unique constraint.
  struct Conflict {
    std::string search;     // a SELECT of their places
    std::string condition;  // of t, where it says all; else empty
  };
  std::vector<Conflict> conflicts(bool update) const;
  std::string new_value(const SqliteColumn& column, bool fallback) const;
  std::string new_row(const UniqueIndex& index, bool fallback) const;
  std::string searched(const std::string& from, const std::string& where) const;
  std::string prefix(std::string_view letter) const;
  Conflict conflict(const UniqueIndex& index, const std::vector<std::string>& nulls) const;
  Conflict of_another(const Conflict& conflict) const;
  std::vector<std::string> in_the_way(const std::vector<Conflict>& conflicts) const;
  std::vector<std::string> keep_replaced(const std::vector<Conflict>& conflicts, bool update) const;

  // Rows of vestige_replaced that were kept for a row, as that was (`was`) and is now.
  struct Gone {
    std::string where;  // of vestige_replaced
    std::string rows;   // or, where that would be too deep, a SELECT of their rowids
  };
  Gone gone(std::string_view was, std::string_view now) const;
  static void settle(const Gone& gone, std::vector<std::string>& body);
  void settle_cut_short(std::vector<std::string>& body) const;
  Gone replaced(bool update) const;

  std::vector<std::string> checks(const std::vector<Demand>& required, const std::string& when,
                                  const Gone& replaced) const;
  void record_row(std::string_view letter, std::string_view side, bool leads,
                  const std::string& when, std::vector<std::string>& body) const;
  void record_update(std::vector<std::string>& body) const;
  static std::string conditional(const Insertion& insertion, const std::string& when);
  bool plain() const;
  std::string pairs(std::size_t part, bool recorded, const std::string& wide) const;
  void follow(std::vector<std::string>& body) const;
  void forget(std::vector<std::string>& body) const;

  std::string unique_columns() const;
  std::string made_of() const;
  Trigger before(std::string_view what, std::string_view event, bool update) const;
  Trigger insert(const std::vector<Demand>& required) const;
  Trigger update(const std::vector<Demand>& required) const;
  Trigger remove(const std::vector<Demand>& required) const;

  std::string same_row(std::string_view right, const std::string& first) const;
  std::string same_values() const;
  std::string state(std::string_view side) const;
  void put_back(std::vector<std::string>& body) const;

  std::string stays() const;
  std::string moves() const;
  Trigger before_move() const;
  Trigger move(const std::vector<Demand>& required) const;

  Database& db_;
  const SqliteTable& live_;
  const Tracked& table_;
  const Shape& shape_;
  bool temporary_;
  std::vector<std::string> key_;
  std::vector<std::string> identity_;  // WITHOUT ROWID: the primary key, which is always recorded
};

}  // namespace vestige::capture
