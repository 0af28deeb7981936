// A PostgreSQL database with a trail, and a witness of it: a replay of vestige.change that knows nothing of the
// library but how PostgreSQL prints a row.
//
// Forward from nothing the changes must give the table as it stands; backward from the table they must give nothing.
// Every column is compared as text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
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

namespace vestige {

/// A session of a test: what fails throws, unless the test asks for the error.
class PgSession {
 public:
  explicit PgSession(const std::string& url) {
    auto opened = Postgres::open(url);
    if (!opened.has_value()) throw std::runtime_error(opened.error().message);
    db_ = std::move(opened).take();
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
    }
    else if (quoted && c == '\\') field->push_back(row.at(++i));
    else if (!quoted && (c == ',' || (c == ')' && i + 1 == row.size()))) fields.push_back(std::exchange(field, {}));
    else if (field) field->push_back(c);
    else field = std::string(1, c);
  }
  return fields;
}

/// A tracked table's rows as its changes tell them: the id of a column to its text.
class PgTwin {
 public:
  using Row = std::map<int, std::optional<std::string>>;
  struct Step {
    std::string id, op;
    std::optional<std::string> key, new_key, old_row, new_row;
    std::vector<int> columns;  // of the shape
  };

  void forward(const Step& step) { apply(step, step.key, step.new_key, step.old_row, step.new_row); }
  void backward(const Step& step) {
    apply(step, step.new_key ? step.new_key : step.key, step.new_key ? step.key : std::nullopt, step.new_row,
          step.old_row);
  }
  void put(const std::string& key, Row row) { rows_[key].push_back(std::move(row)); }
  const std::string& complaint() const { return complaint_; }
  /// The rows with these columns only, in an order of their own.
  std::vector<std::string> printed(const std::vector<int>& columns) const {
    std::vector<std::string> out;
    for (const auto& [key, rows] : rows_)
      for (const Row& row : rows) {
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
  bool empty() const {
    for (const auto& [key, rows] : rows_)
      if (!rows.empty()) return false;
    return true;
  }

 private:
  void apply(const Step& step, const std::optional<std::string>& key, const std::optional<std::string>& new_key,
             const std::optional<std::string>& before, const std::optional<std::string>& after) {
    if (step.op == "T" || !complaint_.empty()) return;
    const auto old_fields = before ? printed_fields(*before) : std::vector<std::optional<std::string>>{};
    const auto new_fields = after ? printed_fields(*after) : std::vector<std::optional<std::string>>{};
    const bool update = before && after;
    Row row;
    if (before) {
      // Of several rows with one key, the one that has been left alone the longest.
      auto& rows = rows_[key.value_or("")];
      const auto fits = [&](const Row& candidate) {
        for (std::size_t i = 0; i < step.columns.size(); ++i) {
          const auto found = candidate.find(step.columns[i]);
          const bool said = !update || old_fields.at(i) || new_fields.at(i);
          if (said && found != candidate.end() && found->second != old_fields.at(i)) return false;
        }
        return true;
      };
      const auto found = std::find_if(rows.begin(), rows.end(), fits);
      if (found == rows.end()) {
        complaint_ = "change " + step.id + " " + step.op + " of " + key.value_or("NULL") + " finds no row " + *before;
        return;
      }
      row = std::move(*found);
      rows.erase(found);
    }
    if (!after) return;
    for (std::size_t i = 0; i < step.columns.size(); ++i)
      if (!update || old_fields.at(i) || new_fields.at(i)) row[step.columns[i]] = new_fields.at(i);
    rows_[(new_key ? new_key : key).value_or("")].push_back(std::move(row));
  }

  std::map<std::string, std::list<Row>> rows_;
  std::string complaint_;
};

/// A database of a test's own with a trail in it, and what the trail must answer for.
class PgShop {
 public:
  PgShop() : admin(database.url()), reader_(database.url()) {
    std::ifstream in(std::string(VESTIGE_SOURCE_DIR) + "/sql/postgres/install.sql");
    const std::string script{std::istreambuf_iterator<char>(in), {}};
    admin.run("begin; " + script + "; commit");
    reader_.run(
        "set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres'; set extra_float_digits = 1; "
        "set bytea_output = 'hex'; set lc_monetary = 'C'; set search_path = pg_catalog");
  }
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
      admin.error("reassign owned by " + role + " to postgres; drop owned by " + role + "; drop role " + role);
  }

  /// "" when the trail of a table leads from nothing to what stands in it, and back.
  std::string replayed(const std::string& table) {
    const auto id = reader_.one("select id::text from vestige.tracked where relation = $vestige$" + table + "$vestige$::regclass");
    if (id.empty()) return table + " is not tracked";
    std::map<std::string, std::vector<int>> shapes;
    for (const auto& row : reader_.table("select s.id::text, c ->> 'id' from vestige.shape s, jsonb_array_elements("
                                         "s.columns) with ordinality i(c, n) where tracked = " + id + " order by n"))
      shapes[*row[0]].push_back(std::stoi(*row[1]));
    std::map<std::string, std::string> whole;
    for (const auto& row : reader_.table("select id::text, whole::text from vestige.shape where tracked = " + id))
      whole[*row[0]] = *row[1];
    std::vector<PgTwin::Step> steps;
    for (auto& row : reader_.table(
             "select id::text, op::text, key, new_key, old_row, new_row, shape::text from vestige.change where tracked = " +
             id + " order by vestige.change.id"))
      steps.push_back({*row[0], *row[1], row[2], row[3], row[4], row[5], shapes[*row[6]]});
    // Where nothing tells rows apart, what they hold does.
    bool by_key = true;
    for (const auto& [shape, is_whole] : whole) by_key = by_key && is_whole == "false";
    for (auto& step : steps)
      if (!by_key) step.key = step.new_key = std::nullopt;
    const auto current = reader_.one("select shape::text from vestige.tracked where id = " + id);
    PgTwin live = standing(id, shapes[current], by_key);
    PgTwin told;
    for (const auto& step : steps) told.forward(step);
    if (!told.complaint().empty()) return "forward: " + told.complaint();
    const auto expected = live.printed(shapes[current]);
    const auto actual = told.printed(shapes[current]);
    if (expected != actual) return "forward: the trail says\n" + text(actual) + "and the table\n" + text(expected);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) live.backward(*step);
    if (!live.complaint().empty()) return "backward: " + live.complaint();
    return live.empty() ? "" : "backward: rows are left";
  }

  ScratchDatabase database;
  PgSession admin;

 private:
  PgTwin standing(const std::string& id, const std::vector<int>& columns, bool by_key) {
    const auto names = reader_.table(
        "select quote_ident(c ->> 'name'), (c ->> 'key') from vestige.tracked t join vestige.shape s on s.id = t.shape, "
        "jsonb_array_elements(s.columns) with ordinality i(c, n) where t.id = " + id + " order by n");
    std::string fields;
    std::vector<std::string> keys;
    for (const auto& name : names) {
      fields += (fields.empty() ? "x." : ", x.") + *name[0];
      if (*name[1] != "0") keys.push_back("x." + *name[0]);
    }
    std::string key = "null::text";
    if (keys.size() == 1) key = "(row(" + keys[0] + ")::text)";
    for (std::size_t i = 0; keys.size() > 1 && i < keys.size(); ++i)
      key = (i == 0 ? "row(" : key + ", ") + keys[i] + (i + 1 == keys.size() ? ")::text" : "");
    const auto from = reader_.one(
        "select case relkind when 'p' then '' else 'only ' end || oid::regclass from pg_class where oid = (select relation "
        "from vestige.tracked where id = " + id + ")");
    PgTwin twin;
    for (const auto& row : reader_.table("select " + key + ", row(" + fields + ")::text from " + from + " x")) {
      const auto values = printed_fields(*row[1]);
      PgTwin::Row made;
      for (std::size_t i = 0; i < columns.size(); ++i) made[columns[i]] = values.at(i);
      twin.put(!by_key            ? ""
               : keys.size() == 1 ? printed_fields(*row[0]).at(0).value_or("") : row[0].value_or(""), std::move(made));
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
