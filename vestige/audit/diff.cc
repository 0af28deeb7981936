#include "vestige/audit/diff.h"

#include <utility>

#include "vestige/audit/row_history.h"
#include "vestige/trail/install.h"

namespace vestige {

Result<Diff> diff(Database& db, const std::string& name, const std::vector<std::string>& words,
                  const Moment& from, const Moment& to) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  Diff out;
  out.table = table.name;
  const RowName row = TRY(named_row(db, table, words));
  out.key = row.key;
  std::int64_t early = TRY(resolve(db, from));
  std::int64_t late = TRY(resolve(db, to));
  const bool turned = early > late;
  if (turned) std::swap(early, late);

  // The row that has the key at the later moment, and the same row before, under whatever key.
  State after = TRY(state_of(db, table, row, late));
  State before = after;
  if (after.has_value()) {
    auto history = TRY(row_history(db, table, row, late));
    while (auto change = TRY(history->next())) {
      if (change->id <= early) break;
      if (change->lost_values() && change->op != Op::insert)
        return not_known(fmt::format("diff {} {}", table.name, key_text(row)), *change);
      fold_backward(before, *change);
    }
  } else {
    before = TRY(state_of(db, table, row, early));
  }
  if (before.has_value())
    before = with_columns(*before, TRY(columns_at(db, table, turned ? to : from, early)));
  if (after.has_value())
    after = with_columns(*after, TRY(columns_at(db, table, turned ? from : to, late)));
  out.from = turned ? after : before;
  out.to = turned ? before : after;
  out.differences = difference(out.from, out.to);
  return out;
}

}  // namespace vestige
