#include "vestige/trail/undoing.h"

#include <algorithm>

namespace vestige {

tl::unexpected<Error> no_such_changes(const std::string& what) {
  return hinted(fail(Fault::missing, "{}: no such changes", what), "vestige log lists them");
}

tl::unexpected<Error> conflicts_refused(const std::string& what, const Outcome& outcome,
                                        const ApplyOptions& options) {
  constexpr std::size_t kShown = 10;
  if (options.patch != nullptr) options.patch->refused(outcome);
  std::string list;
  for (std::size_t i = 0; i < std::min(kShown, outcome.conflicts.size()); ++i) {
    const Conflict& conflict = outcome.conflicts[i];
    list += fmt::format("{}change {} ({} {}): {}", i == 0 ? "" : "; ", conflict.change,
                        conflict.table, key_text(conflict.key), conflict.what);
  }
  if (outcome.conflicts.size() > kShown)
    list += fmt::format("; and {} more", outcome.conflicts.size() - kShown);
  const bool forced = options.on_conflict == OnConflict::force;
  std::string hint = forced ? "a row that is gone cannot be forced"
                            : "--force puts the old values back all the same";
  // There is nothing of a single row that could be left out.
  if (!what.starts_with("restore of ") || what.starts_with(kRestoreOfRows))
    hint += forced ? "; --skip-conflicts leaves it alone"
                   : ", --skip-conflicts leaves these rows alone";
  return hinted(
      fail(Fault::conflict, "{}: {} of its changes cannot be undone, nothing was changed: {}", what,
           outcome.skipped, list),
      std::move(hint));
}

}  // namespace vestige
