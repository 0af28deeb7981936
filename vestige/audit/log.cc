#include "vestige/audit/log.h"

#include "vestige/trail/expiry.h"
#include "vestige/trail/install.h"
#include "vestige/trail/listed_table.h"

namespace vestige {

// A name that no table ever had is a slip, not a question with an empty answer.
Result<void> resolve_names(Database& db, const std::optional<Tracked>& only, Filter& filter) {
  for (Condition& condition : filter.conditions) {
    const bool column = condition.field == "column";
    if (!condition.name.empty() && condition.field != "context")
      TRY(require_column(db, condition.name, only));
    if (!column && condition.field != "table") continue;
    for (FilterWord& word : condition.words) {
      if (!word.quoted && word.text.find('*') != std::string::npos) continue;
      if (column) TRY(require_column(db, word.text, only));
      else word = {TRY(listed_table(db, word.text)).name, true};
    }
  }
  return {};
}

Result<std::optional<Tracked>> select_table(Database& db, const std::string& name,
                                            const std::vector<std::string>& key,
                                            Selection& selection) {
  if (name.empty()) return std::nullopt;
  Tracked table = TRY(key.empty() ? listed_table(db, name) : tracked_table(db, name));
  selection.table = table.id;
  if (!key.empty()) {
    RowName row = TRY(parse_key(db, table, key));
    selection.key = std::move(row.key);
    selection.row_id = row.row_id;
  }
  return table;
}

Result<Selection> select(Database& db, const LogRequest& request) {
  TRY(require_trail(db));
  Selection selection = request.filter;
  const auto only = TRY(select_table(db, request.table, request.key, selection));
  for (const std::string& column : selection.columns) TRY(require_column(db, column, only));
  TRY(resolve_names(db, only, selection.filter));
  return selection;
}

Result<std::unique_ptr<Changes>> log(Database& db, const LogRequest& request) {
  Selection selection = TRY(select(db, request));
  selection.forgiving = true;
  return read_changes(db, selection);
}

Result<Change> show(Database& db, std::int64_t id, std::shared_ptr<SignatureJudge> judge) {
  TRY(require_trail(db));
  Selection selection;
  selection.judge = std::move(judge);
  selection.ids = {id};
  selection.forgiving = true;
  auto changes = TRY(read_changes(db, selection));
  auto change = TRY(changes->next());
  if (change.has_value()) return *std::move(change);
  if (const auto by = TRY(expiry_of(db, id)); by.has_value())
    return has_expired(fmt::format("show change {}", id), *by);
  return hinted(fail(Fault::missing, "show change {}: no such change", id),
                "vestige log lists them");
}

}  // namespace vestige
