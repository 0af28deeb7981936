#include "vestige/trail/sqlite/undo.h"

#include <algorithm>

#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/derived.h"

namespace vestige::sqlite {
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
                                          const std::optional<std::string>& column,
                                          const ApplyOptions& options) {
  std::unique_ptr<Undo> undo(new Undo(db, options));
  undo->column_ = column;
  std::vector<std::string> tracked;
  for (const Tracked& table : TRY(tracked_tables(db))) tracked.push_back(table.name);
  TRY(undo->unfollow());
  TRY(db.application_triggers(false));
  undo->scope_.emplace(TRY(ContextScope::begin(db, options.context)));
  undo->last_ = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  for (const Trigger& trigger : TRY(temporary_trail_triggers(db))) TRY(db.script(trigger.sql));
  for (const Tracked& table : tables) {
    auto live = read_table(db, table.name);
    if (!live.has_value())
      return hinted(
          fail(live.error().fault, "undo changes of {}: {}", table.name, live.error().message),
          "the table is gone; its history stays readable");
    if (!table.untracked_at.has_value())
      for (const Trigger& trigger : TRY(capture_triggers(db, *live, table, true)))
        TRY(db.script(trigger.sql));
    Derived derived = TRY(sqlite::derived(db, live->name, tracked));
    for (const Trigger& trigger : derived.kept) {
      TRY(db.script(trigger.sql));
      undo->kept_.push_back(trigger.name);
    }
    for (std::string& note : derived.notes) undo->derived_notes_.push_back(std::move(note));
    undo->checked_.insert(table.name);
    TRY(undo->check_children(live->name));
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
  for (const std::string& name : kept_)
    (void)db_.script("drop trigger if exists temp." + db_.quote_name(name));
  (void)db_.application_triggers(true);
  if (foreign_keys_) (void)db_.script("pragma foreign_keys = on");
}

// Foreign keys are not followed from here on. Inside a transaction SQLite goes on following them.
Result<void> Undo::unfollow() {
  foreign_keys_ = TRY(scalar_integer(db_, "pragma foreign_keys")) != 0;
  TRY(db_.script("pragma foreign_keys = off"));
  followed_ = foreign_keys_ && TRY(scalar_integer(db_, "pragma foreign_keys")) != 0;
  return {};
}

// The tables that refer to one. Where foreign keys are followed still, what they do to other rows would come on top of what is undone.
Result<void> Undo::check_children(const std::string& table) {
  auto children = TRY(db_.query(
      "select m.name, f.on_delete in ('NO ACTION', 'RESTRICT') and f.on_update in ('NO ACTION',"
      " 'RESTRICT') from sqlite_schema as m, pragma_foreign_key_list(m.name) as f where m.type ="
      " 'table' and lower(f.\"table\") = lower(?1)",
      {Text{table}}));
  while (TRY(children->next()) == Step::row) {
    if (followed_ && children->integer(1) == 0)
      return hinted(
          fail(Fault::invalid,
               "undo changes of {}: foreign keys of {} act on what is undone, and SQLite"
               " cannot switch them off inside a transaction",
               table, children->text(0)),
          "undo before the transaction begins, or begin it with pragma foreign_keys = off");
    checked_.insert(children->text(0));
  }
  return {};
}

Result<const Undo::Place*> Undo::place(const std::string& table) const {
  const auto found = places_.find(table);
  if (found == places_.end())
    return fail(Fault::internal, "undo a change: table {} was not opened", table);
  return &found->second;
}

bool Undo::conflict(const Change& change, const Row& key, std::string what,
                    std::vector<std::string> columns, bool can_force) {
  outcome_.conflicts.push_back({change.id, change.table, key, std::move(what), std::move(columns)});
  if (options_.on_conflict == OnConflict::force && can_force) return true;
  ++outcome_.skipped;
  return false;
}

// What of a row is not in the trail and so cannot be put back: whatever is forced, it is left as it is.
Undo::Withheld Undo::take_withheld(Row& row) const {
  Withheld out;
  std::erase_if(row, [&](const Field& field) {
    if (!is_withheld(field.value)) return false;
    if (column_.has_value() && field.name != *column_) return true;
    out.columns.push_back(field.name);
    out.why.insert(encrypted_token(field.value).has_value() ? "encrypted" : "redacted");
    return true;
  });
  return out;
}

// change   0 where it is not known which one took them
void Undo::left_alone(std::int64_t change, const std::string& table, const Row& key,
                      const Withheld& withheld, bool whole) {
  const std::string what =
      fmt::format("{}: {}, so {} left as it is", names(withheld.columns),
                  fmt::join(withheld.why, " or "), whole ? "the row is" : "it is");
  if (options_.on_conflict == OnConflict::force)
    return note(change == 0 ? fmt::format("{} {}: {}", table, key_text(key), what)
                            : fmt::format("change {}: {}", change, what));
  outcome_.conflicts.push_back({change, table, key, what, withheld.columns});
  ++outcome_.skipped;
}

// Where the key has other columns now, the row is the one that has the former key's values, unless those were changed since.
Result<bool> Undo::key_went(const Place& place, const Change& change, const Row& key) {
  const auto today = place.table.shape.key();
  bool same = today.size() == key.size();
  for (std::size_t i = 0; same && i < key.size(); ++i) same = today[i].name == key[i].name;
  if (same || key.empty()) return false;
  note(fmt::format("{}: its key has other columns now; rows are found by the former ones, {}",
                   place.table.name, key_text(key)));
  for (const Field& field : key) {
    Selection later;
    later.table = place.table.id;
    later.after = change.id;
    later.ops = {Op::update};
    later.columns = {field.name};
    later.upto = last_;
    auto changes = TRY(read_changes(db_, later));
    if (place.live.find(field.name) != nullptr && !TRY(changes->next()).has_value()) continue;
    (void)conflict(change, key,
                   "its key has other columns now, and the former ones are gone or were changed",
                   {field.name}, false);
    return true;
  }
  return false;
}

Result<bool> Undo::doubtful(const Place& place, const Change& change, const Row& key) {
  const bool went = place.table.shape.key().empty() ? false : TRY(key_went(place, change, key));
  if (went) return true;
  if (key.empty() ||
      (tells_apart(key) && place.table.shape.key().size() == key.size() &&
       place.table.shape.key()[0].name == key[0].name) ||
      (!tells_apart(key) && change.row_id.has_value()))
    return false;
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

Result<std::optional<std::int64_t>> Undo::equal_row(const Place& place, const Change& change) {
  if (!change.key.empty() || place.live.row_id.empty()) return change.row_id;
  note(fmt::format("{} has no key: of rows that are equal, any is put back", place.table.name));
  std::string where;
  Params values;
  bool whole = change.new_values->size() == place.table.shape.columns.size();
  for (const Field& field : *change.new_values) {
    whole = whole && !is_withheld(field.value);
    if (place.live.find(field.name) == nullptr || is_withheld(field.value)) continue;
    values.push_back(field.value);
    where += fmt::format(" and {0} is ?{1} collate binary and typeof({0}) = typeof(?{1})",
                         db_.quote_name(field.name), values.size());
  }
  // The row that it was, if that is as it was left; else another, if it is known what the whole row was.
  values.emplace_back(change.row_id.has_value() ? Value(*change.row_id) : Value(Null{}));
  auto rows = TRY(db_.query(
      fmt::format("select {0} from {1} where ({0} is ?{2}{3}){4} order by {0} is ?{2} desc limit 1",
                  place.live.row_id, db_.quote_name(place.live.name), values.size(),
                  whole ? " or true" : "", where),
      values));
  if (TRY(rows->next()) == Step::row) return std::optional(rows->integer(0));
  return change.row_id;
}

Result<void> Undo::undo_update(const Place& place, const Change& change) {
  const Row& key = change.new_key.has_value() ? *change.new_key : change.key;
  if (TRY(doubtful(place, change, key))) return {};
  const auto row_id = TRY(equal_row(place, change));
  const auto row = TRY(read(place, key, row_id));
  if (!row.has_value()) {
    (void)conflict(change, key, "the row is gone", {}, false);
    return {};
  }
  std::vector<std::string> moved;
  std::string what;
  Row put;
  Row forced;
  Row before = *change.old_values;
  if (const auto withheld = take_withheld(before); !withheld.columns.empty())
    left_alone(change.id, change.table, key, withheld, false);
  for (const Field& field : before) {
    if (column_.has_value() && field.name != *column_) continue;
    const Value* left = find(*change.new_values, field.name);
    const Value* found = find(*row, field.name);
    if (found == nullptr || (left != nullptr && identical(*left, *found))) {
      put.push_back(field);
    } else if (!identical(field.value, *found)) {
      forced.push_back(field);
      moved.push_back(field.name);
      what += fmt::format("{}{} has changed since: {} expected, {} found", what.empty() ? "" : "; ",
                          field.name, described(left), described(found));
    }
  }
  if (!moved.empty() && conflict(change, key, what, moved, true))
    put.insert(put.end(), forced.begin(), forced.end());
  if (put.empty()) return {};
  TRY(update(place, key, row_id, put));
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo_insert(const Place& place, const Change& change) {
  if (TRY(doubtful(place, change, change.key))) return {};
  const auto row_id = TRY(equal_row(place, change));
  const auto row = TRY(read(place, change.key, row_id));
  if (!row.has_value()) return {};  // it is gone, as it should be
  Row after = *change.new_values;
  const auto untold = take_withheld(after);
  if (!untold.columns.empty() && options_.on_conflict != OnConflict::force) {
    left_alone(change.id, change.table, change.key, untold, true);
    return {};
  }
  std::vector<std::string> moved;
  for (const Field& field : after) {
    const Value* found = find(*row, field.name);
    if (found != nullptr && !identical(field.value, *found)) moved.push_back(field.name);
  }
  if (!moved.empty() &&
      !conflict(change, change.key, names(moved) + " changed since the row was inserted", moved,
                true))
    return {};
  TRY(remove(place, change.key, row_id));
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo_remove(const Place& place, const Change& change) {
  Row whole = *change.old_values;
  if (const auto withheld = take_withheld(whole); !withheld.columns.empty()) {
    left_alone(change.id, change.table, change.key, withheld, true);
    return {};
  }
  const bool keyed = tells_apart(change.key) || (!change.key.empty() && change.row_id.has_value());
  if (keyed && TRY(doubtful(place, change, change.key))) return {};
  const auto row = keyed ? TRY(read(place, change.key, change.row_id)) : std::optional<Row>();
  if (!row.has_value()) {
    TRY(insert(place, *change.old_values, change.row_id));
    ++outcome_.applied;
    return {};
  }
  std::vector<std::string> other;
  for (const Field& field : *change.old_values) {
    const SqliteColumn* live = place.live.find(field.name);
    const Value* found = find(*row, field.name);
    if (live != nullptr && !live->generated && found != nullptr && !identical(field.value, *found))
      other.push_back(field.name);
  }
  if (other.empty()) return {};  // it is there, as it should be
  if (!conflict(change, change.key, "a row with this key is there again", other, true)) return {};
  TRY(update(place, change.key, change.row_id, *change.old_values));
  ++outcome_.applied;
  return {};
}

Result<void> Undo::undo(const Change& change) {
  const Place& at = *TRY(place(change.table));
  if (takes_away(change.op) || change.lost_values()) {
    (void)conflict(change, change.key,
                   takes_away(change.op) ? "an erasure cannot be undone" : change.how_lost(), {},
                   false);
    return {};
  }
  if (column_.has_value() && (change.op == Op::insert || change.op == Op::remove)) {
    note(fmt::format(
        "{}: rows that were inserted or deleted are left alone: only a column is undone",
        change.table));
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
    case Op::erase:
    case Op::expire: return {};
  }
  return {};
}

Result<void> Undo::put(const Tracked& table, const RowName& name, bool lives, const State& target) {
  const Place& at = *TRY(place(table.name));
  Row known = target.value_or(Row());
  const auto withheld = take_withheld(known);
  if (column_.has_value() && lives != target.has_value()) {
    note(fmt::format("{}: the row was inserted or deleted since, and only a column is restored",
                     table.name));
    return {};
  }
  if (!target.has_value()) {
    if (!lives) return {};
    TRY(remove(at, name.key, name.row_id));
  } else if (!lives) {
    if (!withheld.columns.empty()) {
      left_alone(0, table.name, name.key, withheld, true);
      return {};
    }
    TRY(insert(at, *target, name.row_id));
  } else {
    if (!withheld.columns.empty()) left_alone(0, table.name, name.key, withheld, false);
    const auto row = TRY(read(at, name.key, name.row_id));
    Row changed;
    for (const Field& field : known) {
      if (column_.has_value() && field.name != *column_) continue;
      const Value* now = row.has_value() ? find(*row, field.name) : nullptr;
      if (now == nullptr || !identical(*now, field.value)) changed.push_back(field);
    }
    if (changed.empty()) return {};
    for (const SqliteColumn& column : at.live.columns)
      if (!column_.has_value() && !column.generated && find(*target, column.name) == nullptr)
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
  if (outcome_.applied > 0)
    for (const std::string& text : derived_notes_) note(text);
  const std::int64_t last = TRY(scalar_integer(db_, "select max(id) from vestige_change"));
  if (last > last_ && !options_.dry_run) outcome_.tx = last_ + 1;
  if (options_.patch != nullptr) TRY(options_.patch->outcome(outcome_));
  if (!options_.dry_run) TRY(scope_->commit());
  return std::move(outcome_);
}

}  // namespace vestige::sqlite
