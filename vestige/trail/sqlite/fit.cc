#include "vestige/trail/sqlite/fit.h"

#include <algorithm>
#include <map>
#include <set>

#include "vestige/base/time.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/catalog.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige {
namespace {

constexpr std::size_t kWidestKey = 16;

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::vector<std::string> recorded_columns(const SqliteTable& live, const Policy& policy,
                                          const std::vector<std::string>& key) {
  std::vector<std::string> names = key;
  if (live.without_row_id)
    for (const std::string& column : live.primary_key())
      if (!contains(names, column)) names.push_back(column);
  for (const SqliteColumn& column : live.columns) {
    if (contains(names, column.name) || contains(policy.exclude, column.name)) continue;
    if (policy.include.empty() || contains(policy.include, column.name))
      names.push_back(column.name);
  }
  return names;
}

// A rowid that is no column is read and put back beside the columns: SQLite must take one more.
Result<void> require_room(Database& db, const SqliteTable& live, const Shape& shape) {
  constexpr std::size_t kAlwaysFits = 1000;
  if (!shape.row_ids || shape.columns.size() < kAlwaysFits) return {};
  std::string columns = live.row_id;
  for (const Column& column : shape.columns) columns += ", " + db.quote_name(column.name);
  if (db.query(fmt::format("select {} from {}", columns, db.quote_name(live.name))).has_value())
    return {};
  return hinted(fail(Fault::invalid,
                     "track {}: {} columns and the rowid are more than SQLite reads"
                     " at once",
                     live.name, shape.columns.size()),
                "leave one out with --exclude; an INTEGER PRIMARY KEY column is the rowid");
}

// Gives a tracked table the shape that fits the table as it stands: the current one when it still
// fits, or else a new one whose columns keep their identity by name, or by `renamed`.
Result<Shape> fitting_shape(Database& db, const Tracked& table, const SqliteTable& live,
                            const std::vector<Renamed>& renamed, const std::string& note) {
  const auto before = TRY(shapes(db, table.id));
  const auto key = table.policy.key.empty() ? live.primary_key() : table.policy.key;
  if (key.size() > kWidestKey)
    return fail(Fault::invalid, "track {}: a key of more than {} columns", live.name, kWidestKey);

  for (const std::string& column : key)
    if (contains(table.policy.redact, column))
      return fail(Fault::invalid, "track {}: {} is part of the key and cannot be redacted",
                  live.name, column);
    else if (table.policy.encrypt.contains(column))
      return fail(Fault::invalid, "track {}: {} is part of the key and cannot be encrypted",
                  live.name, column);

  std::int64_t next = 1;
  for (const Shape& shape : before)
    for (const Column& column : shape.columns) next = std::max(next, column.id + 1);
  const auto identity = [&](const std::string& name) -> std::int64_t {
    if (before.empty()) return next++;
    for (const Column& column : before.back().columns)
      if (name_now(renamed, column.name) == name) return column.id;
    return next++;
  };

  Shape shape;
  shape.table = table.id;
  shape.name = live.name;
  shape.full = table.policy.full;
  shape.row_ids = !live.without_row_id && !live.row_id_is_key;
  shape.note = note;
  for (const std::string& name : recorded_columns(live, table.policy, key)) {
    const auto place = std::find(key.begin(), key.end(), name);
    const int in_key = place == key.end() ? 0 : static_cast<int>(place - key.begin()) + 1;
    shape.columns.push_back({identity(name), name, in_key});
    shape.columns.back().redacted = contains(table.policy.redact, name);
    if (const auto of = table.policy.encrypt.find(name); of != table.policy.encrypt.end())
      shape.columns.back().encrypted = of->second;
    shape.columns.back().subject = !table.policy.encrypt.empty() && name == table.policy.subject;
    // Whose an UPDATE is that leaves the subject alone, its change has to say.
    if (shape.columns.back().subject && (in_key == 0 || key.size() > 1)) shape.full = true;
  }
  TRY(require_room(db, live, shape));
  if (!before.empty()) {
    const Shape& last = before.back();
    if (sqlite::columns_json(last.columns) == sqlite::columns_json(shape.columns) &&
        last.full == shape.full && last.row_ids == shape.row_ids && last.name == shape.name &&
        note.empty())
      return last;
  }
  shape.since = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  shape.at = clock_now();
  TRY(db.run(
      "insert into vestige_shape (tbl, name, columns, full_capture, row_ids, at, since, note)"
      " values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      {shape.table, Text{shape.name}, Text{sqlite::columns_json(shape.columns)},
       static_cast<std::int64_t>(shape.full), static_cast<std::int64_t>(shape.row_ids),
       shape.at / 1000, shape.since, note.empty() ? Value(Null{}) : Value(Text{note})}));
  shape.id = TRY(scalar_integer(db, "select max(id) from vestige_shape"));
  return shape;
}

// An INSERT, a DELETE and an UPDATE on a table, to compile, not to run.
Result<std::vector<std::string>> statements_on(Database& db, const std::string& table) {
  const std::string quoted = db.quote_name(table);
  std::string assignments;
  auto columns =
      TRY(db.query("select name from pragma_table_xinfo(?1) where hidden = 0", {Text{table}}));
  while (TRY(columns->next()) == Step::row)
    assignments += fmt::format("{0}{1} = {1}", assignments.empty() ? "" : ", ",
                               db.quote_name(columns->text(0)));
  return std::vector<std::string>{"insert into " + quoted + " default values",
                                  "delete from " + quoted,
                                  "update " + quoted + " set " + assignments};
}

tl::unexpected<Error> uncompiled(const SqliteTable& live, const std::string& why) {
  return hinted(
      fail(Fault::invalid, "track {}: the condition does not compile: {}", live.name, why),
      "--when is an SQL condition over NEW.column and OLD.column");
}

}  // namespace

Result<Tracked> fit(Database& db, Tracked table, const SqliteTable& live,
                    const std::vector<Renamed>& renamed, const std::string& note) {
  table.name = live.name;
  table.shape = TRY(fitting_shape(db, table, live, renamed, note));
  TRY(
      db.run("update vestige_table set name = ?2, policy = ?3, shape = ?4, untracked_at = null"
             " where id = ?1",
             {table.id, Text{table.name}, Text{to_json(table.policy)}, table.shape.id}));
  table.untracked_at.reset();
  TRY(drop_triggers(db, table));
  TRY(forget_kept(db, table.id));
  const auto statements = TRY(statements_on(db, live.name));
  std::vector<bool> compiled;
  std::set<std::string> known;  // what the table itself needs of the application
  for (const std::string& statement : statements) {
    const auto before = db.writes(statement);
    compiled.push_back(before.has_value());
    if (before.has_value()) known.insert(before->unregistered.begin(), before->unregistered.end());
  }
  for (const Trigger& trigger : TRY(capture_triggers(db, live, table, false)))
    if (const auto made = db.script(trigger.sql); !made.has_value())
      return table.policy.when.empty() || made.error().fault != Fault::invalid
                 ? tl::unexpected<Error>(made.error())
                 : uncompiled(live, made.error().message);
  // The triggers must never break a write: what compiled without them compiles with them.
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (!compiled[i]) continue;
    const auto after = db.writes(statements[i]);
    if (!after.has_value()) return uncompiled(live, after.error().message);
    for (const std::string& name : after->unregistered)
      if (!known.contains(name)) return uncompiled(live, "no such function or collation: " + name);
  }
  return table;
}

bool has_unique(const SqliteTable& live, const std::vector<std::string>& key) {
  const std::set<std::string> wanted(key.begin(), key.end());
  const auto primary = live.primary_key();
  if (std::set<std::string>(primary.begin(), primary.end()) == wanted) return true;
  return std::any_of(live.unique.begin(), live.unique.end(), [&](const UniqueIndex& index) {
    std::set<std::string> columns;
    for (const UniqueIndex::Term& term : index.terms) columns.insert(term.column);
    return index.where.empty() && columns == wanted;
  });
}

Result<Tracked> refit(Database& db, const Tracked& tracked, const std::string& name,
                      const std::vector<Renamed>& renamed, const std::string& note) {
  const SqliteTable live = TRY(sqlite::read_table(db, name));
  Tracked table = tracked;
  const auto carried = [&](std::vector<std::string>& columns) {
    std::vector<std::string> out;
    for (std::string& column : columns) {
      column = name_now(renamed, column);
      if (live.find(column) != nullptr) out.push_back(column);
    }
    columns = std::move(out);
  };
  carried(table.policy.include);
  carried(table.policy.exclude);
  for (std::string& column : table.policy.redact)  // one that is gone stays named: it may come back
    column = name_now(renamed, column);
  std::map<std::string, std::string> encrypt;
  for (const auto& [column, of] : table.policy.encrypt) encrypt[name_now(renamed, column)] = of;
  table.policy.encrypt = std::move(encrypt);
  table.policy.subject = name_now(renamed, table.policy.subject);
  carried(table.policy.key);
  std::vector<std::pair<std::string, std::string>> quoted;
  for (const Renamed& rename : renamed) quoted.emplace_back(rename.from, db.quote_name(rename.to));
  table.policy.when = with_columns(table.policy.when, quoted);
  if (!table.policy.key.empty() && !has_unique(live, table.policy.key)) table.policy.key.clear();
  return fit(db, std::move(table), live, renamed, note);
}

Result<std::vector<Trigger>> expected_triggers(Database& db, const Tracked& table) {
  return capture_triggers(db, TRY(sqlite::read_table(db, table.name)), table, false);
}

Result<void> drop_triggers(Database& db, const Tracked& table) {
  for (const std::string_view what : kCaptureTriggers)
    TRY(db.script(fmt::format("drop trigger if exists main.vestige_{}_{}", table.id, what)));
  return {};
}

}  // namespace vestige
