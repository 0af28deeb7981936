#include "vestige/trail/undoing.h"

#include <algorithm>

namespace vestige {
namespace {

std::string to_json(const Conflict& conflict) {
  return fmt::format(R"({{"change":{},"table":{},"key":{},"what":{},"columns":{}}})",
                     conflict.change == 0 ? "null" : std::to_string(conflict.change),
                     text_json(conflict.table), to_json(conflict.key), text_json(conflict.what),
                     list_json(conflict.columns));
}

}  // namespace

std::string to_json(const Outcome& outcome, bool dry_run, bool refused) {
  std::string conflicts;
  for (const Conflict& conflict : outcome.conflicts)
    conflicts += (conflicts.empty() ? "" : ",") + to_json(conflict);
  return fmt::format(
      R"({{"dry_run":{},{}"applied":{},"skipped":{},"tx":{},"conflicts":[{}],"notes":{}}})",
      dry_run, refused ? R"("refused":true,)" : "", refused ? 0 : outcome.applied, outcome.skipped,
      outcome.tx.has_value() ? std::to_string(*outcome.tx) : "null", conflicts,
      list_json(outcome.notes));
}

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
    const std::string row = fmt::format("{} {}", conflict.table, key_text(conflict.key));
    list += fmt::format(
        "{}{}: {}", i == 0 ? "" : "; ",
        conflict.change == 0 ? row : fmt::format("change {} ({})", conflict.change, row),
        conflict.what);
  }
  if (outcome.conflicts.size() > kShown)
    list += fmt::format("; and {} more", outcome.conflicts.size() - kShown);
  const bool forced = options.on_conflict == OnConflict::force;
  std::string hint = forced ? "a row that is gone cannot be forced"
                            : "--force puts the old values back all the same";
  // There is nothing of a single row that could be left out.
  if (!what.starts_with("restore of ") || what.starts_with(kRestoreOfRows))
    hint += forced ? "; --skip-conflicts leaves it alone"
                   : ", --skip-conflicts leaves what conflicts alone";
  return hinted(
      fail(Fault::conflict, "{}: {} of its changes cannot be undone, nothing was changed: {}", what,
           outcome.skipped, list),
      std::move(hint));
}

}  // namespace vestige
