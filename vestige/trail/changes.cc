#include "vestige/trail/changes.h"

#include <algorithm>

#include "vestige/trail/selection.h"
#include "vestige/trail/source.h"

namespace vestige {

bool tells_apart(const Row& key) {
  return !key.empty() && std::none_of(key.begin(), key.end(), [](const Field& field) {
    return std::holds_alternative<Null>(field.value);
  });
}

Result<std::unique_ptr<Changes>> read_changes(Database& db, const Selection& selection) {
  return source_of(db)->changes(narrowed(selection));
}

Result<std::unique_ptr<ChangeReader>> change_reader(Database& db, std::optional<std::int64_t> table,
                                                    bool every) {
  return source_of(db)->reader(table, every);
}

Result<std::vector<std::int64_t>> change_ids(Database& db, const Selection& selection) {
  if (selection.filter.conditions.empty()) return source_of(db)->ids(selection);
  Selection ordered = selection;
  ordered.oldest_first = true;
  return ids_of(TRY(read_changes(db, ordered)));
}

Result<std::int64_t> change_count(Database& db, const Selection& selection) {
  return source_of(db)->count_of(selection);
}

Result<std::unique_ptr<Changes>> key_changes(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t after,
                                             std::int64_t upto, bool oldest_first) {
  return source_of(db)->changes_under(table, name, after, upto, oldest_first);
}

Result<std::vector<std::int64_t>> doubtful_neighbours(Database& db, std::int64_t tx) {
  return source_of(db)->doubtful_neighbours(tx);
}

Result<std::int64_t> last_change_at(Database& db, std::int64_t micros) {
  return source_of(db)->last_at(micros);
}

}  // namespace vestige
