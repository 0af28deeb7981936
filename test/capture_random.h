// Random tables, values and statements for the replay tests, from one seed.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "test/capture_replay.h"

namespace vestige {

/// The number that random work begins with: VESTIGE_SEED, or one that rapidcheck draws, within rc::check.
inline std::uint64_t drawn_seed() {
  if (const char* given = std::getenv("VESTIGE_SEED")) return std::strtoull(given, nullptr, 10);
  return *rc::gen::noShrink(rc::gen::resize(rc::kNominalSize, rc::gen::arbitrary<std::uint64_t>()));
}

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  std::size_t below(std::size_t count) { return engine_() % count; }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  template <class T>
  T pick(const std::vector<T>& items) {
    return items.at(below(items.size()));
  }

 private:
  std::mt19937_64 engine_;
};

/// A value out of few, so that rows meet; or any value at all.
inline Value random_value(Dice& dice) {
  using namespace std::string_literals;
  if (dice.chance(60))
    return dice.pick<Value>({Null{},
                             std::int64_t{0},
                             std::int64_t{1},
                             std::int64_t{2},
                             std::int64_t{3},
                             std::int64_t{-1},
                             0.0,
                             -0.0,
                             1.0,
                             2.0,
                             1.5,
                             Text{""},
                             Text{"a"},
                             Text{"A"},
                             Text{"a "},
                             Text{"1"},
                             Text{"1.0"},
                             Blob{""},
                             Blob{"a"},
                             Blob{"\x00"s}});
  switch (dice.below(6)) {
    case 0:
      return dice.pick<Value>(
          {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
           -9223372036854775808.0, 9223372036854775808.0, 5e-324, 1e300,
           std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
           9007199254740993.0, std::int64_t{9007199254740993}, 0.1, 123456789012345680.0});
    case 1: return static_cast<std::int64_t>(dice.bits());
    case 2: {
      const double real = std::bit_cast<double>(dice.bits());
      return std::isnan(real) ? Value(0.1 + 0.2) : Value(real);
    }
    case 3:
      return Text{dice.pick<std::string>({"a\0b"s, "\0"s, "\xff\xfe"s, "h\xc3"s, "😀", "naïve",
                                          "it's \"q\"", "{}", "[1]", "null", "0x10", "1e3", " 7 ",
                                          "-0.0", "Inf", "日本"})};
    case 4: {
      std::string bytes(dice.chance(3) ? 70'000 : dice.below(20), '\0');
      for (char& c : bytes) c = static_cast<char>(dice.bits());
      return dice.chance(50) ? Value(Blob{bytes}) : Value(Text{bytes});
    }
    default: return Text{"w" + std::to_string(dice.below(50))};
  }
}

struct RandomColumn {
  std::string name;
  bool generated = false;
  std::string refers;   // a table whose first column it refers to
  bool row_id = false;  // INTEGER PRIMARY KEY
};

struct RandomTable {
  std::string name;
  std::vector<RandomColumn> columns;
  std::vector<std::string> key;  // empty: its rowid tells its rows apart
  std::vector<std::string> sql;  // what makes it
  bool strict = false;
};

inline std::string sql_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

inline std::string list_of(const std::vector<std::string>& parts,
                           const std::string& between = ", ") {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

/// A table of any kind that SQLite has.
inline RandomTable random_table(Dice& dice, const std::string& name, bool keyed = false) {
  enum Kind { row_id, descending, text_key, several, without, several_without, no_key };
  const Kind kind = static_cast<Kind>(dice.below(keyed ? 3 : 7));
  const bool strict = dice.chance(25);
  RandomTable table;
  table.name = name;
  table.strict = strict;
  std::vector<std::string> names = {"price", "sp ace", "quo\"te",  "it's", "select", "Größe",
                                    "日本",  "MiXed",  "new",      "old",  "t",      "k",
                                    "v0",    "key",    "identity", "tbl",  "rowid",  "a.b",
                                    "[x]",   "{y}",    "%z",       "seq"};
  const auto take = [&] {
    if (names.empty()) return "c" + std::to_string(table.columns.size());
    const std::size_t at = dice.below(names.size());
    std::string taken = names[at];
    names.erase(names.begin() + static_cast<std::ptrdiff_t>(at));
    return taken;
  };
  const auto type = [&]() -> std::string {
    if (strict)
      return dice.pick<std::string>({"int", "integer", "real", "text", "blob", "any", "any"});
    return dice.pick<std::string>({"", "", "integer", "real", "text", "blob", "numeric", "any",
                                   "varchar(9)", "double", "decimal(9,2)", "datetime", "point"});
  };
  std::vector<std::string> parts;
  std::string tail;
  const std::size_t keys = kind == no_key                               ? 0
                           : kind == several || kind == several_without ? 2 + dice.below(2)
                                                                        : 1;
  for (std::size_t i = 0; i < keys; ++i) {
    RandomColumn column{take(), false, "", kind == row_id};
    std::string part = sql_name(column.name) + " ";
    if (kind == row_id) part += "integer primary key";
    if (kind == descending) part += "integer primary key desc";
    if (kind == text_key || kind == without)
      part += (strict ? "text" : dice.pick<std::string>({"text", "", "numeric"})) +
              (dice.chance(30) ? " collate nocase" : "") + " primary key";
    if (keys > 1) part += type();
    parts.push_back(part);
    if (kind != no_key) table.key.push_back(column.name);
    table.columns.push_back(std::move(column));
  }
  const std::size_t more = dice.chance(85)   ? 1 + dice.below(6)
                           : dice.chance(45) ? 14 + dice.below(4)
                           : dice.chance(80) ? 30 + dice.below(5)
                                             : 200 - keys;
  std::vector<std::string> plain = table.key;
  for (std::size_t i = 0; i < more; ++i) {
    RandomColumn column{take(), i > 0 && dice.chance(12), "", false};
    std::string part = sql_name(column.name) + " " + type();
    if (column.generated) {
      const std::string from = sql_name(dice.pick(plain));
      part += " as (" +
              dice.pick<std::string>({from, from + " || 'x'", "-" + from, from + " * 1.5",
                                      "typeof(" + from + ")", "0.0 * " + from}) +
              ") " + (dice.chance(50) ? "stored" : "virtual");
    } else {
      if (dice.chance(8))
        part += " not null default " + dice.pick<std::string>({"1", "'a'", "x''"});
      if (dice.chance(8)) part += " unique";
      if (dice.chance(12)) part += dice.chance(50) ? " collate nocase" : " collate rtrim";
      plain.push_back(column.name);
    }
    parts.push_back(part);
    table.columns.push_back(std::move(column));
  }
  if (keys > 1) {
    std::vector<std::string> of;
    for (const std::string& key : table.key) of.push_back(sql_name(key));
    parts.push_back("primary key (" + list_of(of) + ")");
  }
  if (kind == without || kind == several_without) tail = "without rowid";
  if (strict) tail += tail.empty() ? "strict" : ", strict";
  if (kind != row_id && kind != without && kind != several_without) table.key.clear();
  table.sql.push_back("create table " + sql_name(name) + " (" + list_of(parts) + ") " + tail);
  for (std::size_t i = dice.below(4); i > 0; --i) {
    const std::string column = sql_name(dice.pick(table.columns).name);
    const std::string term = dice.pick<std::string>(
        {column, column + " collate nocase desc", "lower(" + column + ")",
         "coalesce(" + column + ", 'it''s')", column + ", " + sql_name(dice.pick(plain))});
    const std::string other = sql_name(dice.pick(table.columns).name);
    table.sql.push_back("create unique index " + sql_name("u" + std::to_string(i) + name) + " on " +
                        sql_name(name) + " (" + term + ")" +
                        (dice.chance(40)
                             ? " where " + dice.pick<std::string>(
                                               {other + " > 1", other + " is not null",
                                                other + " = 'a'", "typeof(" + other + ") = 'text'"})
                             : ""));
  }
  return table;
}

/// A trigger of an application that writes the row again which fired it, and changes more than the storage class of
/// a number (docs/sqlite.md, "What slips past").
inline std::string random_touch(Dice& dice, const RandomTable& table, const std::string& row_id,
                                const std::string& name) {
  std::vector<std::string> plain;
  for (const RandomColumn& column : table.columns)
    if (!column.generated && !column.row_id &&
        std::find(table.key.begin(), table.key.end(), column.name) == table.key.end())
      plain.push_back(sql_name(column.name));
  if (plain.empty()) return "";
  const std::string column = dice.pick(plain);
  std::string same;
  for (const std::string& key : table.key)
    same += (same.empty() ? "" : " and ") + sql_name(key) + " is NEW." + sql_name(key);
  if (same.empty()) same = row_id + " = NEW." + row_id;
  const auto value =
      dice.pick<std::string>({"typeof(NEW." + column + ")", "length(NEW." + column + ")", "2",
                              "NEW." + dice.pick(plain), "random()"});
  return "create trigger " + sql_name(name) + " after " +
         dice.pick<std::string>({"insert", "update", "update of " + dice.pick(plain)}) + " on " +
         sql_name(table.name) + " begin update or ignore " + sql_name(table.name) + " set " +
         column + " = " + value + " where " + same + " and " + column + " is not " + value +
         " collate binary; end";
}

/// One statement and its parameters.
struct RandomStatement {
  std::string sql;
  Params values;

  std::string bind(Value value) {
    values.push_back(std::move(value));
    return "?" + std::to_string(values.size());
  }
  std::string text() const {
    std::string out = sql;
    for (const Value& value : values) out += "  " + to_json(value).substr(0, 100);
    return out;
  }
};

/// A write of a table whose rows are known; it may well fail.
class RandomWrites {
 public:
  RandomWrites(Dice& dice, const RandomTable& table, const std::string& row_id,
               const Witness& witness)
      : dice_(dice), table_(table), row_id_(row_id), witness_(witness), replaces_(!table.strict) {}

  /// No UPDATE OR REPLACE, as that. A STRICT table is never written with OR REPLACE: where a value is of a wrong type,
  /// SQLite 3.40 itself leaves its indexes without the row that it has not replaced (docs/sqlite.md).
  void never_replaces() { replaces_ = false; }
  /// No OR FAIL: docs/sqlite.md, "What slips past".
  void never_fails() { fails_ = false; }

  RandomStatement next() {
    statement_ = {};
    switch (dice_.below(10)) {
      case 0:
      case 1:
      case 2: insert(); break;
      case 3:
      case 4:
        insert();
        upsert();
        break;
      case 5: remove(); break;
      default: update(); break;
    }
    return statement_;
  }

 private:
  std::vector<const RandomColumn*> writable() const {
    std::vector<const RandomColumn*> out;
    for (const RandomColumn& column : table_.columns)
      if (!column.generated) out.push_back(&column);
    return out;
  }

  std::string value(const RandomColumn& column) {
    if (!column.refers.empty() && dice_.chance(85)) {
      const PlainTable& others = witness_.rows(column.refers);
      if (others.empty() || dice_.chance(15)) return "null";
      auto row = others.begin();
      std::advance(row, static_cast<std::ptrdiff_t>(dice_.below(others.size())));
      return statement_.bind(row->second.at("id"));
    }
    if (column.row_id && dice_.chance(90))
      return statement_.bind(dice_.chance(15) ? Value(Null{})
                             : dice_.chance(10)
                                 ? Value(Text{"3"})
                                 : Value(static_cast<std::int64_t>(dice_.below(12)) - 2));
    return statement_.bind(random_value(dice_));
  }

  void insert() {
    auto columns = writable();
    if (columns.size() > 2 && dice_.chance(20)) columns.pop_back();
    std::vector<std::string> names;
    for (const RandomColumn* column : columns) names.push_back(sql_name(column->name));
    std::vector<std::string> rows;
    for (std::size_t i = dice_.chance(70) || columns.size() > 40 ? 1 : 2 + dice_.below(3); i > 0;
         --i) {
      std::vector<std::string> values;
      for (const RandomColumn* column : columns) values.push_back(value(*column));
      rows.push_back("(" + list_of(values) + ")");
    }
    statement_.sql =
        dice_.pick<std::string>({"insert", "insert", table_.strict ? "insert" : "insert or replace",
                                 table_.strict ? "insert" : "replace", "insert or ignore",
                                 fails_ ? "insert or fail" : "insert"}) +
        " into " + sql_name(table_.name) + " (" + list_of(names) + ") values " + list_of(rows);
  }

  void upsert() {
    if (statement_.sql.starts_with("insert or") || statement_.sql.starts_with("replace")) return;
    if (dice_.chance(20)) {
      statement_.sql += " on conflict do nothing";
      return;
    }
    statement_.sql += " on conflict do update set " + assignments();
    if (dice_.chance(20)) statement_.sql += " where false";
  }

  std::string assignments() {
    const auto columns = writable();
    std::vector<std::string> out;
    for (std::size_t i = dice_.chance(10) && columns.size() < 40 ? columns.size()
                                                                 : 1 + dice_.below(3);
         i > 0; --i) {
      const RandomColumn& column = *dice_.pick(columns);
      out.push_back(sql_name(column.name) + " = " +
                    (dice_.chance(12) ? sql_name(column.name) : value(column)));
    }
    return list_of(out);
  }

  void where() {
    const PlainTable& rows = witness_.rows(table_.name);
    if (rows.empty() || dice_.chance(15)) return;
    statement_.sql += " where";
    for (std::size_t i = 1 + dice_.below(3); i > 0; --i) {
      auto row = rows.begin();
      std::advance(row, static_cast<std::ptrdiff_t>(dice_.below(rows.size())));
      std::vector<std::string> same;
      for (const std::string& column : table_.key)
        same.push_back(sql_name(column) + " is " + statement_.bind(row->second.at(column)));
      if (table_.key.empty()) same.push_back(row_id_ + " = " + row->first.substr(1));
      statement_.sql += " (" + list_of(same, " and ") + ")" + (i > 1 ? " or" : "");
    }
  }

  void update() {
    statement_.sql =
        dice_.pick<std::string>({"update ", "update ", replaces_ ? "update or replace " : "update ",
                                 "update or ignore ", fails_ ? "update or fail " : "update "}) +
        sql_name(table_.name) + " set " + assignments();
    if (!row_id_.empty() && dice_.chance(8))
      statement_.sql += ", " + row_id_ + " = " +
                        dice_.pick<std::string>({row_id_ + " + 1", "3", "-" + row_id_, row_id_});
    where();
  }

  void remove() {
    statement_.sql = "delete from " + sql_name(table_.name);
    where();
  }

  Dice& dice_;
  const RandomTable& table_;
  std::string row_id_;
  const Witness& witness_;
  bool fails_ = true;
  bool replaces_;
  RandomStatement statement_;
};

}  // namespace vestige
