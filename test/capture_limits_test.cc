// Capture is read, and writes go on, under every limit and pragma that hardening guides set, each alone and all together, whatever
// the table is like.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <optional>

#include "test/capture_replay.h"
#include "vestige/audit/doctor.h"

namespace vestige {
namespace {

struct Limit {
  int which;
  int value;
};

// https://www.sqlite.org/security.html
constexpr std::array kLimits = {Limit{SQLITE_LIMIT_LENGTH, 1'000'000},
                                Limit{SQLITE_LIMIT_SQL_LENGTH, 100'000},
                                Limit{SQLITE_LIMIT_COLUMN, 100},
                                Limit{SQLITE_LIMIT_EXPR_DEPTH, 10},
                                Limit{SQLITE_LIMIT_COMPOUND_SELECT, 3},
                                Limit{SQLITE_LIMIT_VDBE_OP, 25'000},
                                Limit{SQLITE_LIMIT_FUNCTION_ARG, 8},
                                Limit{SQLITE_LIMIT_ATTACHED, 0},
                                Limit{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
                                Limit{SQLITE_LIMIT_VARIABLE_NUMBER, 10},
                                Limit{SQLITE_LIMIT_TRIGGER_DEPTH, 10}};

constexpr std::array kPragmas = {
    "pragma trusted_schema = off",     "pragma cell_size_check = on",
    "pragma recursive_triggers = on",  "pragma foreign_keys = on",
    "pragma secure_delete = on",       "pragma defer_foreign_keys = on",
    "pragma case_sensitive_like = on", "pragma mmap_size = 0",
    "pragma temp_store = memory",      "pragma reverse_unordered_selects = on",
    "pragma automatic_index = off",    "pragma ignore_check_constraints = off",
    "pragma legacy_alter_table = on"};

// Everything that a hardened connection writes, and what SQLite says of the first that fails.
std::string written_under(const std::string& path, const std::vector<Limit>& limits,
                          const std::vector<const char*>& pragmas,
                          const std::vector<std::string>& writes) {
  sqlite3* db = nullptr;
  std::string said;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) said = "does not open";
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const Limit& limit : limits) sqlite3_limit(db, limit.which, limit.value);
  const auto run = [&](const char* sql) {
    if (said.empty() && sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
      said = fmt::format("{}: {}", sql, sqlite3_errmsg(db));
  };
  run("pragma synchronous = off");
  for (const char* pragma : pragmas) run(pragma);
  for (const std::string& sql : writes) run(sql.c_str());
  sqlite3_close(db);
  return said;
}

// A table, and statements that write it in every way.
struct Kind {
  std::string name;
  std::vector<std::string> sql;
  Policy policy = {};
  std::vector<std::string> writes = {};
};

enum class Storage { rowid, without, strict, strict_without };
constexpr std::array kStorages = {Storage::rowid, Storage::without, Storage::strict,
                                  Storage::strict_without};

constexpr std::string_view tail(Storage storage) {
  switch (storage) {
    case Storage::rowid: return "";
    case Storage::without: return " without rowid";
    case Storage::strict: return " strict";
    case Storage::strict_without: return " strict, without rowid";
  }
  return "";
}

constexpr bool is_strict(Storage storage) {
  return storage == Storage::strict || storage == Storage::strict_without;
}

constexpr bool has_rowid(Storage storage) {
  return storage == Storage::rowid || storage == Storage::strict;
}

struct Type {
  std::string_view name;
  std::array<std::string_view, 3> values;
};
constexpr std::array kTypes = {
    Type{"integer", {"1", "-2", "9223372036854775807"}},
    Type{"text", {"'a' || char(10)", "'b' || char(0)", "'c\"\\'"}},
    Type{"blob", {"x'00'", "x'61'", "x''"}},
    Type{"real", {"0.5", "1e300", "-2.25"}},
};

// Rows 0, 1 and 2 of a table: its key columns k0, k1, … have the type's values, and v0, v1, … numbers.
std::string row_of(std::size_t row, std::size_t keys, const Type& type, std::size_t values) {
  std::string out;
  for (std::size_t i = 0; i < keys; ++i)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", type.values.at(row));
  for (std::size_t i = 0; i < values; ++i)
    out += fmt::format("{}{}", out.empty() ? "" : ", ", 10 * row + i);
  return "(" + out + ")";
}

std::string columns_of(std::size_t keys, std::size_t values) {
  std::string out;
  for (std::size_t i = 0; i < keys; ++i) out += fmt::format("{}k{}", out.empty() ? "" : ", ", i);
  for (std::size_t i = 0; i < values; ++i) out += fmt::format("{}v{}", out.empty() ? "" : ", ", i);
  return out;
}

// A table with a key of so many columns and so many others. `more`: constraints and further columns.
Kind kind(std::string_view named, Storage storage, std::size_t keys, const Type& type,
          std::size_t values, const std::string& more = "", std::vector<std::string> indexes = {}) {
  Kind out;
  out.name = fmt::format("{}_{}_{}{}", named, static_cast<int>(storage), type.name, keys);
  std::string columns;
  for (std::size_t i = 0; i < keys; ++i)
    columns += fmt::format("{}k{} {} not null", columns.empty() ? "" : ", ", i, type.name);
  for (std::size_t i = 0; i < values; ++i)
    columns += fmt::format("{}v{} int", columns.empty() ? "" : ", ", i);
  columns += more;
  if (keys != 0) columns += ", primary key (" + columns_of(keys, 0) + ")";
  out.sql = {fmt::format("create table {} ({}){}", out.name, columns, tail(storage))};
  for (const std::string& index : indexes)
    out.sql.push_back(fmt::format(fmt::runtime(index), out.name));
  const std::string into = fmt::format("into {} ({}) values ", out.name, columns_of(keys, values));
  const auto row = [&](std::size_t i) { return row_of(i, keys, type, values); };
  out.writes = {
      "insert " + into + row(0) + ", " + row(1) + ", " + row(2),
      "insert or replace " + into + row(0) + ", " + row(2),
      "update " + out.name + " set v0 = v0 + 100",
      fmt::format("update or replace {} set v0 = 110 where v0 = 100", out.name),
      "delete from " + out.name + " where v0 = 120",
      "insert or replace " + into + row(2),
  };
  if (keys != 0)
    out.writes.push_back(fmt::format("update or replace {} set k0 = {}{}", out.name, type.values[1],
                                     keys > 1 ? fmt::format(", k1 = {}", type.values[1]) : ""));
  if (has_rowid(storage)) out.writes.push_back("update or replace " + out.name + " set rowid = 77");
  out.writes.push_back("delete from " + out.name);
  return out;
}

Kind kind(std::string_view named, const Policy& policy, Storage storage, std::size_t keys) {
  Kind out = kind(named, storage, keys, kTypes[1], 3, ", unique (v0)");
  out.policy = policy;
  return out;
}

// Every storage with keys of every type and length.
std::vector<Kind> keyed() {
  std::vector<Kind> out;
  for (const Storage storage : kStorages)
    for (const Type& type : kTypes)
      for (std::size_t keys = 1; keys < 5; ++keys)
        if (!is_strict(storage) || type.name == "text")
          out.push_back(kind("keyed", storage, keys, type, 2));
  for (const Storage storage : {Storage::rowid, Storage::strict})
    out.push_back(kind("no_key", storage, 0, kTypes[0], 3));
  return out;
}

// What else a table can have, with keys of a rowid, of one column, and of three.
std::vector<Kind> fitted_out() {
  std::vector<Kind> out;
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += fmt::format(", unique (v{}, v{})", i, (i + 1) % 9);
  const std::vector<std::string> over = {
      "create unique index {0}_e on {0} (lower(v0), v1 + abs(v0 * (v1 + 2)))",
      "create unique index {0}_p on {0} (v1) where v0 > 1 and (v1 <> 7 or v0 < 900) and v0 not "
      "null"};
  const std::string generated =
      ", g real as (v0 * 2) virtual unique, s text as (v0 || '!') stored, unique (s, g)";
  for (const Storage storage : {Storage::rowid, Storage::without})
    for (const std::size_t keys : {0, 1, 3}) {
      if (keys == 0 && !has_rowid(storage)) continue;
      const Type& type = kTypes[1];
      for (const std::size_t values : {17, 60})
        out.push_back(
            kind(fmt::format("wide{}", values), storage, keys, type, values, ", unique (v16, v0)"));
      out.push_back(kind("unique", storage, keys, type, 2, ", unique (v0), unique (v1)"));
      out.push_back(kind("unique9", storage, keys, type, 9, nine));
      out.push_back(kind("indexed", storage, keys, type, 2, "", over));
      out.push_back(kind("generated", storage, keys, type, 2, generated));
      out.push_back(kind("defaults", storage, keys, type, 2,
                         ", d0 int not null default 5, d1 int not null default 6, unique (v0, d0),"
                         " unique (v1, d0, d1)"));
      out.push_back(kind("indexed_defaults", storage, keys, type, 2, ", d0 int not null default 5",
                         {"create unique index {0}_d on {0} (v0 + d0) where d0 > 3 and v1 > 0"}));
      out.push_back(kind("collated", storage, keys, type, 2,
                         ", c text collate nocase as (v0 || 'c') unique"));
      out.push_back(kind("itself", storage, keys, type, 2,
                         ", up int references itself_" +
                             fmt::format("{}_{}{}", static_cast<int>(storage), type.name, keys) +
                             " (v0) on delete cascade, unique (v0), unique (v1)"));
      out.push_back(
          kind("named", storage, keys, type, 2,
               ", state int, \"row\" int, key int, identity int, n0 int, r0 int,"
               " k int, s int, p int, z int, l int, i int, unique (k, i), unique (n0, v0)"));
      out.push_back(kind("asks", requiring({"actor", "ticket"}), storage, keys));
      Policy both = requiring({"actor"});
      both.when = "NEW.v0 > 3 and (OLD.v0 <> 7 or NEW.v1 is not OLD.v1)";
      out.push_back(kind("when", both, storage, keys));
      Policy full;
      full.full = true;
      out.push_back(kind("full", full, storage, keys));
      out.push_back(kind("chosen", with_key({"v0"}), storage, keys));
    }
  Kind virtual_key = kind("virtual_key", Storage::rowid, 0, kTypes[0], 2, generated);
  virtual_key.policy = with_key({"s", "g"});
  out.push_back(virtual_key);
  return out;
}

// Tables that are tracked, and connections that write them.
class CaptureLimits : public testing::Test {
 protected:
  void make(const std::vector<Kind>& kinds) {
    for (const Kind& kind : kinds)
      for (const std::string& sql : kind.sql) shop_.run(sql);
    shop_.with_trail();
    std::vector<std::string> whole;
    for (const Kind& kind : kinds) {
      shop_.track(kind.name, kind.policy);
      if (kind.policy.when.empty()) whole.push_back(kind.name);
      writes_.insert(writes_.end(), kind.writes.begin(), kind.writes.end());
    }
    writes_.emplace_back("delete from vestige_session");
    witness_.emplace(shop_.db(), whole);
    least_ = static_cast<std::int64_t>(8 * kinds.size());
  }

  void holds(const std::vector<Limit>& limits, const std::vector<const char*>& pragmas) {
    const std::int64_t before = shop_.last_change();
    EXPECT_EQ(written_under(shop_.directory().file("shop.db"), limits, pragmas, writes_), "");
    EXPECT_EQ(witness_->look(), "");
    EXPECT_GT(shop_.last_change(), before + least_);
  }

  void holds_under_every_limit() {
    holds({}, {});
    for (const Limit& limit : kLimits) holds({limit}, {});
    holds({kLimits.begin(), kLimits.end()}, {kPragmas.begin(), kPragmas.end()});
  }

 private:
  Shop shop_;
  std::vector<std::string> writes_ = {
      "insert into vestige_session (actor, extra) values ('ann', '{\"ticket\": \"7\"}')"};
  std::optional<Witness> witness_;
  std::int64_t least_ = 0;
};

TEST_F(CaptureLimits, AreKeptByTablesWithKeysOfEveryKind) {
  make(keyed());
  holds_under_every_limit();
}

TEST_F(CaptureLimits, AreKeptByTablesWithWhatElseATableCanHave) {
  make(fitted_out());
  holds_under_every_limit();
}

TEST_F(CaptureLimits, AreKeptUnderEveryPragma) {
  std::vector<Kind> kinds;
  for (const std::size_t keys : {0, 1, 3})
    kinds.push_back(kind("some", Storage::rowid, keys, kTypes[1], 2, ", unique (v0), unique (v1)"));
  kinds.push_back(kind("some", Storage::without, 2, kTypes[3], 70, ", unique (v0)"));
  make(kinds);
  for (const char* pragma : kPragmas) holds({}, {pragma});
}

// What is deep is the application's own: it is told.
TEST(CaptureDepth, OfAUniqueIndexIsToldWhereItIsTooMuch) {
  std::string deep = "name";
  for (int i = 0; i < 8; ++i) deep = "lower(" + deep + ")";
  Shop shop;
  shop.run(
      "create table t5 (id integer primary key, name text);"
      "create table t9 (id integer primary key, name text);"
      "create unique index i5 on t5 (lower(lower(lower(lower(name)))));"
      "create unique index i9 on t9 (" +
      deep + ")");
  shop.with_trail();
  shop.track("t5");
  shop.track("t9");
  std::string told;
  for (const Finding& finding : must(doctor(shop.db(), false)))
    if (finding.code == "deep-index") told += finding.message;
  const auto said = [&](const std::string& table) {
    return written_under(
        shop.directory().file("shop.db"), {{SQLITE_LIMIT_EXPR_DEPTH, 10}}, {},
        {"insert or replace into " + table + " values (1, 'a'), (2, 'b')",
         "update or replace " + table + " set name = 'A'", "delete from " + table});
  };
  EXPECT_EQ(said("t5"), "");
  EXPECT_NE(said("t9").find("Expression tree is too large"), std::string::npos) << said("t9");
  EXPECT_EQ(told.find("t5"), std::string::npos);
  EXPECT_NE(told.find("may be unable to write t9: a unique index"), std::string::npos) << told;
}

}  // namespace
}  // namespace vestige
