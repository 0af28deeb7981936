#include "vestige/trail/told_alerts.h"

#include <set>

#include "vestige/base/number.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/kept_table.h"
#include "vestige/trail/track.h"

namespace vestige {
namespace {

constexpr std::string_view kDigits = "0123456789";

// Whoever may write the table can have put anything there: a number is as many digits as stand together, whatever else the text is
// (vestige.alerts_of of PostgreSQL has the same).
bool names_any(std::string_view text, const std::set<std::int64_t>& about) {
  while (true) {
    const std::size_t from = text.find_first_of(kDigits);
    if (from == std::string_view::npos) return false;
    text.remove_prefix(from);
    const std::size_t end = std::min(text.find_first_not_of(kDigits), text.size());
    const auto id = whole_number<std::int64_t>(text.substr(0, end));
    if (id.has_value() && about.contains(*id)) return true;
    text.remove_prefix(end);
  }
}

}  // namespace

Result<ToldAlerts> told_alerts(Database& db, const std::vector<std::int64_t>& about) {
  ToldAlerts out;
  const std::string table = TRY(known_kept_table(db, "alert"));
  const auto own = TRY(known_own_table(db, "alert"));
  if (table.empty() || !own.has_value()) return out;
  {
    const std::set<std::int64_t> ids(about.begin(), about.end());
    auto rows = TRY(db.query("select id, changes from " + table +
                             " where coalesce(title, '') <> '(erased)' or comment is not null"));
    while (TRY(rows->next()) == Step::row)
      if (names_any(rows->text(1), ids)) out.ids.push_back(rows->text(0));
  }
  for (const std::string& id : out.ids) {
    Selection selection;
    selection.table = own->id;
    selection.key = Row{{"id", Text{id}}};
    for (const std::int64_t change : TRY(change_ids(db, selection))) out.changes.push_back(change);
  }
  return out;
}

Result<std::int64_t> silent_alerts(Database& db) {
  const std::string table = TRY(known_kept_table(db, "alert"));
  if (table.empty()) return 0;
  return scalar_integer(db, "select count(*) from " + table + " where title = '(erased)'");
}

}  // namespace vestige
