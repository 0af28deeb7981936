#include "vestige/audit/postgres_undo.h"

#include <algorithm>
#include <vector>

#include "vestige/base/json.h"

namespace vestige {
namespace {

// What a message needs of a change; its values are read by the database.
struct Undone {
  std::int64_t id;
  std::string table;
  Row key;
};

Result<std::vector<Undone>> newest_first(Database& db, const Selection& selection) {
  std::vector<Undone> list;
  auto changes = TRY(read_changes(db, selection));
  while (auto change = TRY(changes->next()))
    list.push_back({change->id, change->table, change->key});
  return list;
}

Result<std::vector<std::string>> words(const Value& list) {
  std::vector<std::string> out;
  if (std::holds_alternative<Null>(list)) return out;
  const std::string text = to_json(list);
  json::Reader reader(text);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') out.push_back(TRY(json::unquote(TRY(reader.value()).text)));
  return out;
}

}  // namespace

Result<Outcome> undo_on_postgres(Database& db, const Selection& selection, const Context& context,
                                 const ApplyOptions& options, const std::string& what) {
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(db.run("set constraints all deferred"));
  Outcome outcome;
  // A whole transaction, by a statement for each kind of change if it is as plain as that.
  if (selection.tx.has_value() && options.patch == nullptr && !options.dry_run)
    outcome.applied = TRY(scalar_integer(
        db, "select vestige.revert_at_once(vestige.changes_of(?1::int8))", {*selection.tx}));
  const auto changes =
      outcome.applied > 0 ? std::vector<Undone>() : TRY(newest_first(db, selection));
  if (outcome.applied == 0 && changes.empty() && selection.key.empty())
    return hinted(fail(Fault::missing, "{}: no such changes", what), "vestige log lists them");
  for (const Undone& change : changes) {
    auto rows =
        TRY(db.query("select u.done, u.conflict, to_json(u.columns), u.statement,"
                     " to_json(u.notes) from vestige.undo(?1::int8, ?2::int::boolean) u",
                     {change.id, options.on_conflict == OnConflict::force ? 1 : 0}));
    if (TRY(rows->next()) == Step::end)
      return fail(Fault::internal, "{}: change {} gave no answer", what, change.id);
    const std::string done = rows->text(0);
    if (!rows->is_null(1)) {
      auto columns = TRY(words(rows->value(2)));
      outcome.conflicts.push_back(
          {change.id, change.table, change.key, rows->text(1), std::move(columns)});
    }
    for (const std::string& note : TRY(words(rows->value(4))))
      if (std::find(outcome.notes.begin(), outcome.notes.end(), note) == outcome.notes.end())
        outcome.notes.push_back(note);
    if (done == "conflict") ++outcome.skipped;
    if (done == "applied") {
      ++outcome.applied;
      if (options.patch != nullptr) TRY(options.patch->statement(rows->text(3) + ";"));
    }
  }
  if (options.on_conflict != OnConflict::skip && outcome.skipped > 0)
    return conflicts_refused(what, outcome, options);
  {
    const Fence fence(db);  // triggers of the application that waited for it
    TRY(db.run("set constraints all immediate"));
  }
  if (!options.dry_run) outcome.tx = TRY(scope.written()).tx;
  if (options.patch != nullptr) TRY(options.patch->outcome(outcome));
  if (!options.dry_run) TRY(scope.commit());
  return outcome;
}

}  // namespace vestige
