#include "vestige/trail/sqlite/orphans.h"

#include "vestige/trail/sqlite/live_table.h"

namespace vestige::sqlite {
namespace {

// The rows that refer to rows that are not there now, and did not before: "id=3 (order_id=7), ...".
Result<std::string> listed(Database& db, const Reference& reference, const OrphanRows& before) {
  const SqliteTable child = TRY(read_table(db, reference.child));
  auto links =
      TRY(db.query("select \"from\", \"to\" from pragma_foreign_key_list(?1)"
                   " where id = ?2 order by seq",
                   {Text{reference.child}, reference.key}));
  std::vector<std::string> from;
  std::vector<std::string> to;
  while (TRY(links->next()) == Step::row) {
    from.push_back(links->text(0));
    if (std::holds_alternative<Text>(links->value(1))) to.push_back(links->text(1));
  }
  if (to.size() != from.size()) to = TRY(read_table(db, reference.parent)).primary_key();
  std::vector<std::string> shown = child.primary_key();
  if (shown.empty()) shown.push_back(child.row_id);
  const std::size_t named = shown.size();
  std::string columns;
  for (const std::string& name : shown)
    columns +=
        (columns.empty() ? "c." : ", c.") + (name == child.row_id ? name : db.quote_name(name));
  std::string lonely;
  std::string met;
  for (std::size_t i = 0; i < from.size() && i < to.size(); ++i) {
    shown.push_back(from[i]);
    columns += ", c." + db.quote_name(from[i]);
    lonely += "c." + db.quote_name(from[i]) + " is not null and ";
    met += fmt::format("{}p.{} = c.{}", i == 0 ? "" : " and ", db.quote_name(to[i]),
                       db.quote_name(from[i]));
  }
  if (!child.without_row_id)
    lonely += fmt::format("c.{} not in (select value from json_each(?1)) and ", child.row_id);
  constexpr int kShown = 5;
  auto rows = TRY(db.query(
      fmt::format("select {} from {} as c where {}not exists (select 1 from {} as p where {})"
                  " limit {}",
                  columns, db.quote_name(reference.child), lonely, db.quote_name(reference.parent),
                  met, kShown + 1),
      child.without_row_id ? Params()
                           : Params{Text{fmt::format("[{}]", fmt::join(before.row_ids, ","))}}));
  std::string list;
  for (int row = 0; TRY(rows->next()) == Step::row; ++row) {
    if (row == kShown) return list + ", and more";
    if (row > 0) list += ", ";
    for (std::size_t i = 0; i < shown.size(); ++i)
      list += fmt::format("{}{}={}",
                          i == 0       ? ""
                          : i == named ? " ("
                                       : " ",
                          shown[i], to_json(rows->value(static_cast<int>(i))));
    list += ")";
  }
  return list;
}

}  // namespace

Result<Orphans> orphans(Database& db, const std::set<std::string>& tables) {
  Orphans out;
  for (const std::string& table : tables) {
    if (TRY(scalar_integer(db, "select count(*) from pragma_foreign_key_list(?1)",
                           {Text{table}})) == 0)
      continue;
    auto rows = db.query("select \"table\", rowid, parent, fkid from pragma_foreign_key_check(?1)",
                         {Text{table}});
    if (!rows.has_value()) continue;
    while (true) {
      const auto step = (*rows)->next();
      if (!step.has_value() || *step == Step::end) break;
      OrphanRows& found = out[{(*rows)->text(0), (*rows)->text(2), (*rows)->integer(3)}];
      ++found.count;
      if (const Value id = (*rows)->value(1); std::holds_alternative<std::int64_t>(id))
        found.row_ids.insert(std::get<std::int64_t>(id));
    }
  }
  return out;
}

Result<void> refuse_orphans(Database& db, const std::set<std::string>& tables,
                            const Orphans& before, const std::string& what) {
  const Orphans now = TRY(orphans(db, tables));
  for (const auto& [reference, found] : now) {
    const auto known = before.find(reference);
    const OrphanRows old = known == before.end() ? OrphanRows() : known->second;
    if (old.count >= found.count) continue;
    const std::string list = TRY(listed(db, reference, old));
    return hinted(fail(Fault::denied,
                       "{}: a foreign key would be broken: {} refers to {}, nothing was changed; "
                       "these would refer to no row: {}",
                       what, reference.child, reference.parent, list),
                  fmt::format("delete these rows of {} or point them elsewhere first, or undo what "
                              "made them as well: neither --force nor --skip-conflicts breaks a "
                              "foreign key",
                              reference.child));
  }
  return {};
}

}  // namespace vestige::sqlite
