// A row whose rowid changes, where the rowid is no column: recorded as the DELETE of the old row and the
// INSERT of the new one, because a change has one row_id. Triggers OF rowid are not even compiled into
// other UPDATEs.

#include "vestige/trail/sqlite/capture_writer.h"

namespace vestige::capture {
namespace {

constexpr std::string_view kRowIds = "rowid, _rowid_, oid";

}  // namespace

std::string Writer::stays() const { return fmt::format("OLD.{0} = NEW.{0}", live_.row_id); }

std::string Writer::moves() const { return fmt::format("OLD.{0} <> NEW.{0}", live_.row_id); }

Trigger Writer::before_move() const {
  if (!shape_.row_ids) return {};
  auto found = conflicts(true);
  const std::string taken = fmt::format("t.{0} = NEW.{0}", live_.row_id);
  found.push_back({searched(quote(live_.name) + " as t", taken), taken});
  return trigger("before_move", fmt::format("before update of {}", kRowIds),
                 one_of(in_the_way(found)), keep_replaced(found, true));
}

// Rows that are kept follow first: the DELETE would find the row among them.
Trigger Writer::move(const std::vector<Demand>& required) const {
  if (!shape_.row_ids) return {};
  const std::string when = condition("OLD", "NEW");
  std::vector<std::string> body = checks(required, when, replaced(true));
  settle(replaced(true), body);
  follow(body);
  record_row("D", "OLD", true, when, body);
  record_row("I", "NEW", false, when, body);
  return trigger("move", fmt::format("after update of {}", kRowIds), moves(), body);
}

}  // namespace vestige::capture
