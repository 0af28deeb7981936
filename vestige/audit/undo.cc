#include "vestige/audit/undo.h"

#include <algorithm>

#include "vestige/trail/capture.h"

namespace vestige {
namespace {

std::string names(const std::vector<std::string>& columns) {
  std::string out;
  for (const std::string& column : columns) out += (out.empty() ? "" : ", ") + column;
  return out;
}

std::string described(const Value* value) {
  if (value == nullptr) return "nothing";
  std::string text = to_json(*value);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

}  // namespace

Result<std::unique_ptr<Undo>> Undo::begin(Database& db, const std::vector<Tracked>& tables,
                                          const Context& context, const ApplyOptions& options) {
  std::unique_ptr<Undo> undo(new Undo(db, options));
  TRY(db.script("pragma foreign_keys = off"));
  TRY(db.application_triggers(false));
  undo->scope_.emplace(TRY(ContextScope::begin(db, context)));
  undo->last_ = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  for (const Trigger& trigger : TRY(temporary_trail_triggers(db))) TRY(db.script(trigger.sql));
  for (const Tracked& table : tables) {
    auto live = live_table(db, table.name);
    if (!live.has_value())
      return hinted(
          fail(live.error().fault, "undo changes of {}: {}", table.name, live.error().message),
          "the table is gone; its history stays readable");
    if (!table.untracked_at.has_value())
      for (const Trigger& trigger : TRY(capture_triggers(db, *live, table, true)))
        TRY(db.script(trigger.sql));
    undo->checked_.insert(table.name);
    auto children =
        TRY(db.query("select m.name from sqlite_schema as m, pragma_foreign_key_list(m.name) as f"
                     " where m.type = 'table' and lower(f.\"table\") = lower(?1)",
                     {Text{live->name}}));
    while (TRY(children->next()) == Step::row) undo->checked_.insert(children->text(0));
    undo->places_.emplace(table.name, Place{table, *std::move(live)});
  }
  undo->before_ = TRY(orphans(db, undo->checked_));
  return undo;
}

Undo::~Undo() {
  scope_.reset();  // rolls back what was not committed, the TEMP triggers too
  for (const auto& [name, place] : places_)
    for (const std::string_view what : kCaptureTriggers)
      (void)db_.script(
          fmt::format("drop trigger if exists temp.vestige_{}_{}", place.table.id, what));
  for (const std::string_view name : kTrailTriggers)
    (void)db_.script(fmt::format("drop trigger if exists temp.{}", name));
  (void)db_.application_triggers(true);
  (void)db_.script("pragma foreign_keys = on");
}

Result<const Undo::Place*> Undo::place(const std::string& table) const {
  const auto found = places_.find(table);
  if (found == places_.end())
    return fail(Fault::internal, "undo a change: table {} was not opened", table);
  return &found->second;
}

Statement& Undo::where(Statement& statement, const Place& place, const Row& key,
                       const std::optional<std::int64_t>& row_id) const {
  statement.add(" where ");
  if (key.empty()) return statement.add(place.live.row_id).add(" = ").value(*row_id);
  bool first = true;
  if (!tells_apart(key) && row_id.has_value()) {
    statement.add(place.live.row_id).add(" = ").value(*row_id);
    first = false;
  }
  for (const Field& field : key) {
    if (!std::exchange(first, false)) statement.add(" and ");
    statement.name(field.name).add(" is ").value(field.value);
  }
  return statement;
}

Result<std::optional<Row>> Undo::read(const Place& place, const Row& key,
                                      const std::optional<std::int64_t>& row_id) const {
  std::string columns;
  std::vector<std::string> found;
  for (const Column& column : place.table.shape.columns) {
    if (place.live.find(column.name) == nullptr) continue;
    found.push_back(column.name);
    columns += (columns.empty() ? "" : ", ") + db_.quote_name(column.name);
  }
  std::string where;
  Params values;
  if (key.empty() || (!tells_apart(key) && row_id.has_value())) {
    values.emplace_back(row_id.has_value() ? Value(*row_id) : Value(Null{}));
    where = place.live.row_id + " = ?1";
  }
  for (const Field& field : key) {
    if (place.live.find(field.name) == nullptr) return std::optional<Row>();
    values.push_back(field.value);
    where += fmt::format("{}{} is ?{}", where.empty() ? "" : " and ", db_.quote_name(field.name),
                         values.size());
  }
  auto rows = TRY(db_.query(
      fmt::format("select {} from {} where {}", columns, db_.quote_name(place.live.name), where),
      values));
  if (TRY(rows->next()) == Step::end) return std::optional<Row>();
  Row row;
  for (std::size_t i = 0; i < found.size(); ++i)
    row.push_back({found[i], rows->value(static_cast<int>(i))});
  return std::optional<Row>(std::move(row));
}

Result<void> Undo::run(const Statement& statement) {
  if (options_.patch != nullptr) TRY(options_.patch->statement(statement.text()));
  TRY(statement.run());
  return {};
}

void Undo::note(const std::string& text) {
  if (std::find(outcome_.notes.begin(), outcome_.notes.end(), text) == outcome_.notes.end())
    outcome_.notes.push_back(text);
}

bool Undo::restorable(const Place& place, const std::string& column) {
  const LiveColumn* live = place.live.find(column);
  if (live == nullptr) {
    note(
        fmt::format("{}: column {} is not in the table any more, its value stays in the trail only",
                    place.table.name, column));
    return false;
  }
  return !live->generated;
}

Result<void> Undo::insert(const Place& place, const Row& values,
                          std::optional<std::int64_t> row_id) {
  for (const LiveColumn& column : place.live.columns)
    if (!column.generated && find(values, column.name) == nullptr)
      note(fmt::format("{}: column {} is not recorded, it cannot be restored and has its default",
                       place.table.name, column.name));
  if (row_id.has_value()) {
    const bool taken =
        TRY(scalar_integer(db_,
                           fmt::format("select exists (select 1 from {} where {} = ?1)",
                                       db_.quote_name(place.live.name), place.live.row_id),
                           {*row_id})) != 0;
    if (taken) row_id.reset();
  }
  Statement statement(db_);
  statement.add("insert into ").name(place.live.name).add(" (");
  std::vector<const Field*> fields;
  for (const Field& field : values)
    if (restorable(place, field.name)) fields.push_back(&field);
  bool first = true;
  if (row_id.has_value()) {
    statement.add(place.live.row_id);
    first = false;
  }
  for (const Field* field : fields) {
    if (!std::exchange(first, false)) statement.add(", ");
    statement.name(field->name);
  }
  statement.add(") values (");
  first = true;
  if (row_id.has_value()) {
    statement.value(*row_id);
    first = false;
  }
  for (const Field* field : fields) {
    if (!std::exchange(first, false)) statement.add(", ");
    statement.value(field->value);
  }
  return run(statement.add(")"));
}

Result<void> Undo::update(const Place& place, const Row& key,
                          const std::optional<std::int64_t>& row_id, const Row& values) {
  Statement statement(db_);
  statement.add("update ").name(place.live.name).add(" set ");
  bool first = true;
  for (const Field& field : values) {
    if (!restorable(place, field.name)) continue;
    if (!std::exchange(first, false)) statement.add(", ");
    statement.name(field.name).add(" = ").value(field.value);
  }
  if (first) return {};
  return run(where(statement, place, key, row_id));
}

Result<void> Undo::remove(const Place& place, const Row& key,
                          const std::optional<std::int64_t>& row_id) {
  Statement statement(db_);
  statement.add("delete from ").name(place.live.name);
  return run(where(statement, place, key, row_id));
}

bool Undo::conflict(const Change& change, const Row& key, std::string what,
                    std::vector<std::string> columns, bool can_force) {
  outcome_.conflicts.push_back({change.id, change.table, key, std::move(what), std::move(columns)});
  if (options_.on_conflict == OnConflict::force && can_force) return true;
  ++outcome_.skipped;
  return false;
}

Result<bool> Undo::doubtful(const Place& place, const Change& change, const Row& key) {
  if (tells_apart(key) || change.row_id.has_value()) return false;
  std::string sql = "select count(*) from " + db_.quote_name(place.live.name) + " where true";
  Params values;
  for (const Field& field : key) {
    if (place.live.find(field.name) == nullptr) return false;
    values.push_back(field.value);
    sql += fmt::format(" and {} is ?{}", db_.quote_name(field.name), values.size());
  }
  if (TRY(scalar_integer(db_, sql, values)) < 2) return false;
  (void)conflict(change, key, "several rows have this key, and no rowid tells which it was", {},
                 false);
  return true;
}

Result<void> Undo::undo_update(const Place& place, const Change& change) {
  const Row& key = change.new_key.has_value() ? *change.new_key : change.key;
  if (TRY(doubtful(place, change, key))) return {};
  const auto row = TRY(read(place, key, change.row_id));
  if (!row.has_value()) {
    (void)conflict(change, key, "the row is gone", {}, false);
    return {};
  }
  std::vector<std::string> moved;
  std::string what;
  for (const Field& field : *change.old_values) {
    const Value* left = find(*change.new_values, field.name);
    const Value* found = find(*row, field.name);
    if (found == nullptr || (left != nullptr && identical(*left, *found))) continue;
    moved.push_back(field.name);
    what += fmt::format("{}{} has changed since: {} expected, {} found", what.empty() ? "" : "; ",
                        field.name, described(left), described(found));
  }
  if (!moved.empty() && !conflict(change, key, what, moved, true)) return {};
  TRY(update(place, key, change.row_id, *change.old_values));
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo_insert(const Place& place, const Change& change) {
  if (TRY(doubtful(place, change, change.key))) return {};
  const auto row = TRY(read(place, change.key, change.row_id));
  if (!row.has_value()) {
    (void)conflict(change, change.key, "the row is gone", {}, false);
    return {};
  }
  std::vector<std::string> moved;
  for (const Field& field : *change.new_values) {
    const Value* found = find(*row, field.name);
    if (found != nullptr && !identical(field.value, *found)) moved.push_back(field.name);
  }
  if (!moved.empty() &&
      !conflict(change, change.key, names(moved) + " changed since the row was inserted", moved,
                true))
    return {};
  TRY(remove(place, change.key, change.row_id));
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo_remove(const Place& place, const Change& change) {
  const bool keyed = tells_apart(change.key) || (!change.key.empty() && change.row_id.has_value());
  const auto row = keyed ? TRY(read(place, change.key, change.row_id)) : std::optional<Row>();
  if (row.has_value()) {
    if (!conflict(change, change.key, "a row with this key is there again", {}, true)) return {};
    TRY(update(place, change.key, change.row_id, *change.old_values));
  } else {
    TRY(insert(place, *change.old_values, change.row_id));
  }
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo(const Change& change) {
  const Place& at = *TRY(place(change.table));
  if (change.op == Op::erase || change.lost_values()) {
    (void)conflict(change, change.key,
                   change.op == Op::erase ? "an erasure cannot be undone" : change.how_lost(), {},
                   false);
    return {};
  }
  switch (change.op) {
    case Op::insert: return undo_insert(at, change);
    case Op::update: return undo_update(at, change);
    case Op::remove: return undo_remove(at, change);
    case Op::baseline:
      note(fmt::format("{}: a BASELINE change only looked at a row, there is nothing to undo",
                       change.table));
      return {};
    case Op::truncate:
    case Op::erase: return {};
  }
  return {};
}

Result<void> Undo::put(const Tracked& table, const RowName& name, bool lives, const State& target) {
  const Place& at = *TRY(place(table.name));
  if (!target.has_value()) {
    if (!lives) return {};
    TRY(remove(at, name.key, name.row_id));
  } else if (!lives) {
    TRY(insert(at, *target, name.row_id));
  } else {
    const auto row = TRY(read(at, name.key, name.row_id));
    Row changed;
    for (const Field& field : *target) {
      const Value* now = row.has_value() ? find(*row, field.name) : nullptr;
      if (now == nullptr || !identical(*now, field.value)) changed.push_back(field);
    }
    if (changed.empty()) return {};
    for (const LiveColumn& column : at.live.columns)
      if (!column.generated && find(*target, column.name) == nullptr)
        note(
            fmt::format("{}: column {} is not recorded, it cannot be restored and is left as it is",
                        table.name, column.name));
    TRY(update(at, name.key, name.row_id, changed));
  }
  ++outcome_.applied;
  return {};
}

Result<Outcome> Undo::finish(const std::string& what) {
  if (options_.on_conflict != OnConflict::skip && outcome_.skipped > 0)
    return conflicts_refused(what, outcome_, options_);
  TRY(refuse_orphans(db_, checked_, before_, what));
  const std::int64_t last = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
  if (last > last_ && !options_.dry_run) outcome_.tx = last_ + 1;
  if (options_.patch != nullptr) TRY(options_.patch->outcome(outcome_));
  if (!options_.dry_run) TRY(scope_->commit());
  return std::move(outcome_);
}

}  // namespace vestige
