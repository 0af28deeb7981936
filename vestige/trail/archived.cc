#include "vestige/trail/archived.h"

#include "vestige/base/number.h"
#include "vestige/trail/changes.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/track.h"

namespace vestige {

Result<std::vector<RecordedPart>> recorded_parts(Database& db) {
  std::vector<RecordedPart> out;
  if (!TRY(known_own_table(db, "archived")).has_value()) return out;
  auto rows = TRY(db.query("select from_index, upto_index, manifest from " +
                           spelling_of(db).table("archived") + " order by id"));
  while (TRY(rows->next()) == Step::row)
    out.push_back({static_cast<std::uint64_t>(rows->integer(0)),
                   static_cast<std::uint64_t>(rows->integer(1)), rows->text(2)});
  return out;
}

Result<std::vector<ArchivedRange>> archived_ranges(Database& db) {
  std::vector<ArchivedRange> out;
  const auto table = TRY(known_own_table(db, "archived"));
  if (!table.has_value()) return out;
  Selection selection;
  selection.table = table->id;
  selection.ops = {Op::insert};
  selection.oldest_first = true;
  selection.forgiving = true;
  auto changes = TRY(read_changes(db, selection));
  while (const auto change = TRY(changes->next())) {
    const auto from = whole_number<std::uint64_t>(text_in(change->new_values, "from_index"));
    const auto upto = whole_number<std::uint64_t>(text_in(change->new_values, "upto_index"));
    if (from.has_value() && upto.has_value())
      out.push_back({*from, *upto, text_in(change->new_values, "manifest"), change->at});
  }
  return out;
}

}  // namespace vestige
