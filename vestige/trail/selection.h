// What reading changes has in common, whichever database holds them. For this floor only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "vestige/trail/changes.h"

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

/// What of a stream of changes SQL has not chosen: those that have the column, as many as are wanted.
std::unique_ptr<Changes> selected(std::unique_ptr<Changes> all, const Selection& selection);

}  // namespace vestige
