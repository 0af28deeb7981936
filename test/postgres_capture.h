// A PostgreSQL database with a trail, and a witness of it: a replay of vestige.change that knows nothing of the
// library but how PostgreSQL prints a row.
//
// Forward from nothing the changes must give the table as it stands; backward from the table they must give nothing.
// Every column is compared as text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "test/postgres_server.h"
#include "vestige/db/postgres.h"
#include "vestige/db/postgres_sql.h"

namespace vestige {

/// Whether the tests run on the native engine: VESTIGE_ENGINE=native, and a server that has the module.
inline bool native_engine() {
  const char* engine = std::getenv("VESTIGE_ENGINE");
  return engine != nullptr && std::string_view(engine) == "native";
}

/// How many ids stand free before those of a transaction's first INSERT: its context has the number before it, where
/// rows are only counted afterwards.
inline std::string first_left_free() { return native_engine() ? "0" : "1"; }

/// The triggers behind an INSERT and behind an UPDATE: of the native engine it is one.
inline std::string insert_trigger() {
  return native_engine() ? "\"0_vestige_change\"" : "\"0_vestige_insert\"";
}

/// A session of a test: what fails throws, unless the test asks for the error.
class PgSession {
 public:
  explicit PgSession(const std::string& url) {
    auto opened = Postgres::open(url);
    if (!opened.has_value()) throw std::runtime_error(opened.error().message);
    db_ = std::move(opened).take();
    db_->names_of_caller(true);
  }
  void run(std::string_view sql) {
    if (const std::string problem = error(sql); !problem.empty())
      throw std::runtime_error(problem + "\nin: " + std::string(sql.substr(0, 2000)));
  }
  /// What the server says against a script; "" when it runs.
  std::string error(std::string_view sql) {
    const auto done = db_->script(sql);
    return done.has_value() ? "" : done.error().message;
  }
  /// The first row's first column as text; "" for NULL.
  std::string one(const std::string& sql) {
    const auto rows = table(sql);
    return rows.empty() ? "" : rows[0].at(0).value_or("");
  }
  /// Every row, each value as text. Values of the query must be cast to text by it.
  std::vector<std::vector<std::optional<std::string>>> table(const std::string& sql) {
    auto rows = db_->query(sql);
    std::vector<std::vector<std::optional<std::string>>> out;
    for (;;) {
      if (!rows.has_value()) throw std::runtime_error(rows.error().message + "\nin: " + sql);
      const auto step = (*rows)->next();
      if (!step.has_value()) throw std::runtime_error(step.error().message + "\nin: " + sql);
      if (*step == Step::end) return out;
      std::vector<std::optional<std::string>> row;
      for (int i = 0; i < (*rows)->columns(); ++i)
        row.push_back((*rows)->is_null(i) ? std::nullopt : std::optional((*rows)->text(i)));
      out.push_back(std::move(row));
    }
  }
  Postgres& db() { return *db_; }

 private:
  std::unique_ptr<Postgres> db_;
};

/// The fields of a row as PostgreSQL prints it.
inline std::vector<std::optional<std::string>> printed_fields(const std::string& row) {
  std::vector<std::optional<std::string>> fields;
  std::optional<std::string> field;
  bool quoted = false;
  for (std::size_t i = 1; i < row.size(); ++i) {
    const char c = row[i];
    if (quoted && c == '"' && row.at(i + 1) == '"') field->push_back(row[++i]);
    else if (c == '"') {
      if (!field) field.emplace();
      quoted = !quoted;
    } else if (quoted && c == '\\') field->push_back(row.at(++i));
    else if (!quoted && (c == ',' || (c == ')' && i + 1 == row.size())))
      fields.push_back(std::exchange(field, {}));
    else if (field) field->push_back(c);
    else field = std::string(1, c);
  }
  return fields;
}

/// A tracked table's rows as its changes tell them: the id of a column to its text.
class PgTwin {
 public:
  using Row = std::map<int, std::optional<std::string>>;
  struct Shape {
    std::vector<int> columns;
    std::vector<int> key;
    bool whole = false;
  };
  struct Step {
    std::string id, op;
    std::optional<std::string> key, new_key, old_row, new_row;
    Shape shape;
  };

  void forward(const Step& step) { apply(step, step.key, step.old_row, step.new_row); }
  void backward(const Step& step) {
    apply(step, step.new_key ? step.new_key : step.key, step.new_row, step.old_row);
  }
  void put(Row row) { rows_.push_back(std::move(row)); }
  const std::string& complaint() const { return complaint_; }
  /// The rows with these columns only, in an order of their own.
  std::vector<std::string> printed(const std::vector<int>& columns) const {
    std::vector<std::string> out;
    for (const Row& row : rows_) {
      std::string text;
      for (const int column : columns) {
        const auto found = row.find(column);
        const bool null = found == row.end() || !found->second;
        text += null ? "NULL|" : "'" + *found->second + "'|";
      }
      out.push_back(std::move(text));
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  bool empty() const { return rows_.empty(); }

 private:
  using Fields = std::vector<std::optional<std::string>>;

  void apply(const Step& step, const std::optional<std::string>& key,
             const std::optional<std::string>& before, const std::optional<std::string>& after) {
    if (step.op == "T" || !complaint_.empty()) return;
    const auto old_fields = before ? printed_fields(*before) : Fields{};
    const auto new_fields = after ? printed_fields(*after) : Fields{};
    const std::vector<int>& columns = step.shape.columns;
    const bool update = before && after;
    const auto said = [&](std::size_t i) {
      return !update || step.shape.whole || old_fields.at(i) || new_fields.at(i);
    };
    Row row;
    if (before) {
      // Where nothing tells rows apart, what they hold does. Of several, the one that has been left alone the longest.
      const bool by_what_they_hold = step.shape.whole || step.shape.key.empty();
      const Fields keys = by_what_they_hold            ? Fields{}
                          : step.shape.key.size() == 1 ? Fields{key}
                                                       : printed_fields(key.value_or("()"));
      const auto fits = [&](const Row& candidate) {
        for (std::size_t i = 0; i < keys.size(); ++i) {
          const auto found = candidate.find(step.shape.key.at(i));
          if (found == candidate.end() || found->second != keys[i]) return false;
        }
        for (std::size_t i = 0; i < columns.size(); ++i) {
          const auto found = candidate.find(columns[i]);
          if (said(i) && found != candidate.end() && found->second != old_fields.at(i))
            return false;
        }
        return true;
      };
      const auto found = std::find_if(rows_.begin(), rows_.end(), fits);
      if (found == rows_.end()) {
        complaint_ = "change " + step.id + " " + step.op + " of " + key.value_or("NULL") +
                     " finds no row " + *before;
        return;
      }
      row = std::move(*found);
      rows_.erase(found);
    }
    if (!after) return;
    for (std::size_t i = 0; i < columns.size(); ++i)
      if (said(i)) row[columns[i]] = new_fields.at(i);
    rows_.push_back(std::move(row));
  }

  std::list<Row> rows_;
  std::string complaint_;
};

/// A database of a test's own with a trail in it, and what the trail must answer for.
class PgShop {
 public:
  PgShop() : database(with_trail()), admin(database.url()), reader_(database.url()) {}
  void install() { install_in(admin); }
  PgSession connect(const std::string& user = "postgres") { return PgSession(database.url(user)); }
  /// A role of this test; roles belong to the whole server.
  std::string role(const std::string& name) {
    const std::string whole = database.name() + "_" + name;
    admin.run("create role " + whole + " login");
    roles_.push_back(whole);
    return whole;
  }
  ~PgShop() {
    for (const std::string& role : roles_)
      admin.error("reassign owned by " + role + " to postgres; drop owned by " + role +
                  "; drop role " + role);
  }

  /// "" when the trail of a table leads from nothing to what stands in it, and back.
  std::string replayed(const std::string& table) { return replayed_in(reader_, table); }
  static std::string replayed_in(PgSession& reader, const std::string& table) {
    reader.run(
        "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; "
        "set extra_float_digits = 1; set bytea_output = 'hex'; set lc_monetary = 'C'; "
        "set search_path = pg_catalog");
    const auto id = reader.one("select id::text from vestige.tracked where relation = $vestige$" +
                               table + "$vestige$::regclass");
    if (id.empty()) return table + " is not tracked";
    std::map<std::string, PgTwin::Shape> shapes;
    for (const auto& row : reader.table(
             "select s.id::text, c ->> 'id', c ->> 'key', whole::text from vestige.shape s, "
             "jsonb_array_elements(s.columns) with ordinality i(c, n) where tracked = " +
             id + " order by n")) {
      PgTwin::Shape& shape = shapes[*row[0]];
      shape.columns.push_back(std::stoi(*row[1]));
      if (*row[2] != "0") shape.key.push_back(shape.columns.back());
      shape.whole = *row[3] == "true";
    }
    std::vector<PgTwin::Step> steps;
    for (auto& row : reader.table("select id::text, op::text, key, new_key, old_row, new_row, "
                                  "shape::text from vestige.change where tracked = " +
                                  id + " order by vestige.change.id"))
      steps.push_back({*row[0], *row[1], row[2], row[3], row[4], row[5], shapes[*row[6]]});
    const auto current = reader.one("select shape::text from vestige.tracked where id = " + id);
    PgTwin live = standing(reader, id, shapes[current].columns);
    PgTwin told;
    for (const auto& step : steps) told.forward(step);
    if (!told.complaint().empty()) return "forward: " + told.complaint();
    const auto expected = live.printed(shapes[current].columns);
    const auto actual = told.printed(shapes[current].columns);
    if (expected != actual)
      return "forward: the trail says\n" + text(actual) + "and the table\n" + text(expected);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) live.backward(*step);
    if (!live.complaint().empty()) return "backward: " + live.complaint();
    return live.empty() ? "" : "backward: rows are left";
  }

  ScratchDatabase database;
  PgSession admin;

 private:
  static void install_in(PgSession& session) {
    session.run("begin; " + std::string(vestige::sql::postgres::install) + "; commit");
    if (native_engine()) {
      session.run("begin; " + std::string(vestige::sql::postgres::native) + "; commit");
      session.run("alter table vestige.tracked alter column engine set default 'native'");
    }
  }
  // The database that those of the tests are copies of: to copy a trail takes less time than to install one.
  static const std::string& with_trail() {
    static ScratchDatabase made;
    static const bool installed = [] {
      PgSession session(made.url());
      install_in(session);
      return true;
    }();
    static_cast<void>(installed);
    return made.name();
  }
  static PgTwin standing(PgSession& reader, const std::string& id,
                         const std::vector<int>& columns) {
    std::string fields;
    for (const auto& name :
         reader.table("select quote_ident(c ->> 'name') from vestige.tracked t join vestige.shape "
                      "s on s.id = t.shape, "
                      "jsonb_array_elements(s.columns) with ordinality i(c, n) where t.id = " +
                      id + " order by n"))
      fields += (fields.empty() ? "x." : ", x.") + *name[0];
    const auto from = reader.one(
        "select case relkind when 'p' then '' else 'only ' end || oid::regclass from pg_class "
        "where oid = (select relation "
        "from vestige.tracked where id = " +
        id + ")");
    PgTwin twin;
    for (const auto& row : reader.table("select row(" + fields + ")::text from " + from + " x")) {
      const auto values = printed_fields(*row[0]);
      PgTwin::Row made;
      for (std::size_t i = 0; i < columns.size(); ++i) made[columns[i]] = values.at(i);
      twin.put(std::move(made));
    }
    return twin;
  }
  static std::string text(const std::vector<std::string>& rows) {
    std::string out;
    for (const std::string& row : rows) out += "  " + row.substr(0, 600) + "\n";
    return out.substr(0, 6000);
  }

  PgSession reader_;
  std::vector<std::string> roles_;
};

}  // namespace vestige
