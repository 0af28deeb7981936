// restore and revert on PostgreSQL: vestige.undo_changes (sql/postgres/install/revert.sql).
#include "vestige/trail/undoing.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/keys.h"
#include "vestige/trail/postgres/trail.h"

namespace vestige::postgres {
namespace {

Result<std::vector<std::string>> words(const Value& list) {
  if (std::holds_alternative<Null>(list)) return std::vector<std::string>();
  return list_from_json(to_json(list));
}

std::string_view mode(OnConflict on_conflict) {
  switch (on_conflict) {
    case OnConflict::refuse: return "refuse";
    case OnConflict::skip: return "skip";
    case OnConflict::force: return "force";
  }
  return "";
}

// The rows of which changes conflict: their tables and keys.
Result<void> name_rows(Database& db, std::vector<Conflict>& conflicts) {
  std::vector<std::int64_t> ids;
  for (const Conflict& conflict : conflicts) ids.push_back(conflict.change);
  auto rows = TRY(db.query(
      "select x.id, vestige.shown_name(x.schema_name, x.table_name), x.key from"
      " pg_catalog.unnest(?1::text::int8[]) with ordinality i(id, place), lateral (select c.id,"
      " t.schema_name, t.table_name, coalesce(d.new_key, d.key)::text as key from vestige.change c,"
      " vestige.tracked t, vestige.decode(c) d where c.id = i.id and t.id = c.tracked offset 0) x"
      " order by i.place",
      {Text{fmt::format("{{{}}}", fmt::join(ids, ","))}}));
  for (Conflict& conflict : conflicts) {
    if (TRY(rows->next()) == Step::end) break;
    conflict.table = rows->text(1);
    conflict.key = TRY(row_of_tokens(rows->text(2)));
  }
  return {};
}

// In one transaction.
Result<Outcome> undo_changes(Database& db, const std::vector<std::int64_t>& ids,
                             const std::optional<std::string>& column, const ApplyOptions& options,
                             const std::string& what) {
  auto scope = TRY(ContextScope::begin(db, options.context));
  Outcome outcome;
  {
    auto rows =
        TRY(db.query("select u.kind, u.change, u.what, to_json(u.columns), u.hard::int"
                     " from vestige.undo_changes(?1::text::int8[], ?2::text,"
                     " nullif(array_remove(array[?3::text], null), '{}'), ?4::int::boolean) u",
                     {Text{fmt::format("{{{}}}", fmt::join(ids, ","))},
                      Text{std::string(mode(options.on_conflict))},
                      column.has_value() ? Value(Text{*column}) : Value(Null{}),
                      options.patch != nullptr && options.dry_run ? 1 : 0}));
    while (TRY(rows->next()) == Step::row) {
      const std::string kind = rows->text(0);
      if (kind == "done") {
        outcome.applied = rows->integer(1);
        for (const std::string& table : TRY(words(rows->value(3)))) outcome.tables.insert(table);
      } else if (kind == "statement") {
        TRY(options.patch->statement(rows->text(2) + ";"));
      } else if (kind == "conflict") {
        Conflict& conflict = outcome.conflicts.emplace_back();
        conflict.change = rows->integer(1);
        conflict.what = rows->text(2);
        conflict.columns = TRY(words(rows->value(3)));
        if (options.on_conflict != OnConflict::force || rows->integer(4) != 0) ++outcome.skipped;
      } else if (const std::string note = rows->text(2);
                 std::find(outcome.notes.begin(), outcome.notes.end(), note) ==
                 outcome.notes.end()) {
        outcome.notes.push_back(note);
      }
    }
  }
  std::sort(outcome.conflicts.begin(), outcome.conflicts.end(),
            [](const Conflict& a, const Conflict& b) { return a.change > b.change; });
  if (!outcome.conflicts.empty()) TRY(name_rows(db, outcome.conflicts));
  if (options.on_conflict != OnConflict::skip && outcome.skipped > 0)
    return conflicts_refused(what, outcome, options);
  if (!options.dry_run) outcome.tx = TRY(scope.written()).tx;
  if (options.patch != nullptr) TRY(options.patch->outcome(outcome));
  if (!options.dry_run) TRY(scope.commit());
  return outcome;
}

// The changes of a row after another change, also from when the table's key had other columns. Refused: nobody can tell which row it
// was then.
Result<std::vector<std::int64_t>> changes_of_row(Database& db, const Tracked& table, const Row& key,
                                                 std::int64_t after) {
  Where where;
  const std::string tracked = where.bind(table.id);
  const std::string text = stored_key(where, table.id, key);
  std::vector<std::int64_t> ids;
  auto rows = TRY(db.query(fmt::format("select unnest(vestige.row_since({}::int, {}, {}::int8))",
                                       tracked, text, where.bind(after)),
                           where.values));
  while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
  return ids;
}

class PostgresUndoing final : public Undoing {
 public:
  explicit PostgresUndoing(Database& db) : db_(db) {}

  Result<Outcome> undo(const Selection& selection, const std::optional<std::string>& column,
                       const ApplyOptions& options, const std::string& what) override {
    const auto ids = TRY(change_ids(db_, selection));
    if (ids.empty()) return no_such_changes(what);
    return undo_changes(db_, ids, column, options, what);
  }

  Result<Outcome> put_back(const Tracked& table, const RowName& name, std::int64_t upto,
                           const std::optional<std::string>& column, const ApplyOptions& options,
                           const std::string& what) override {
    auto later = TRY(changes_of_row(db_, table, name.key, upto));
    if (column.has_value()) later = TRY(LaterChanges::of(db_, later)).updates();
    Outcome outcome = TRY(undo_changes(db_, later, column, options, what));
    outcome.applied = std::min<std::int64_t>(outcome.applied, 1);
    return outcome;
  }

  // What happened to the rows is undone together.
  Result<Outcome> put_back(const Tracked&, const LaterChanges& later,
                           const std::function<Result<std::vector<RowThen>>()>&,
                           const std::optional<std::string>& column, const ApplyOptions& options,
                           const std::string& what) override {
    return undo_changes(db_, column.has_value() ? later.updates() : later.ids(), column, options,
                        what);
  }

 private:
  Database& db_;
};

}  // namespace

std::unique_ptr<Undoing> undoing(Database& db) { return std::make_unique<PostgresUndoing>(db); }

}  // namespace vestige::postgres
