// What reading changes has in common, whichever database holds them. For this floor only.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "vestige/trail/changes.h"
#include "vestige/trail/source.h"

namespace vestige {

/// Conditions and their values; every value goes in as a parameter.
struct Where {
  std::string sql;
  Params values;

  std::string bind(Value value) {
    values.push_back(std::move(value));
    return fmt::format("?{}", values.size());
  }
  /// "?3, ?4"
  std::string bind_all(const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + bind(Text{text});
    return out;
  }
  void add(const std::string& condition) { sql += (sql.empty() ? " where " : " and ") + condition; }
};

/// The operations as the trail stores them: "I", "U", …
std::vector<std::string> letters(const std::vector<Op>& ops);

/// The same selection, with what of its filter the database can choose by an index said in its own words too.
Selection narrowed(const Selection& selection);

/// What a filter asks of tables; empty where it asks nothing.
///
/// faults   offline, corrupt
Result<std::map<std::string, TableFacts>> facts(Database& db, const Filter& filter);

/// What of a stream of changes SQL has not chosen: those that have the column and meet the filter, as many as are wanted.
///
/// tables   as facts() says; asked for before the stream begins, which a connection cannot interrupt
std::unique_ptr<Changes> selected(std::unique_ptr<Changes> all, const Selection& selection,
                                  std::map<std::string, TableFacts> tables);

/// Contexts as rows of: the first change under one, its transaction, that one's number in the database, what was said as JSON.
/// What cannot be read has no signature.
Result<std::vector<SaidContext>> said_in(Rows& rows);

/// The ids in a stream of changes.
Result<std::vector<std::int64_t>> ids_of(std::unique_ptr<Changes> changes);

}  // namespace vestige
