// A row whose rowid changes, where the rowid is no column: recorded as the DELETE of the old row and the
// INSERT of the new one, because a change has one row_id. Triggers OF rowid are not even compiled into
// other UPDATEs.

#include "vestige/trail/capture_writer.h"

namespace vestige::capture {
namespace {

constexpr std::string_view kRowIds = "rowid, _rowid_, oid";

}  // namespace

std::string Writer::stays() const { return fmt::format("OLD.{0} = NEW.{0}", live_.row_id); }

Trigger Writer::before_move() const {
  if (!shape_.row_ids) return {};
  auto found = conflicts(true);
  found.push_back(fmt::format("t.{0} = NEW.{0}", live_.row_id));
  return trigger("before_move", fmt::format("before update of {}", kRowIds),
                 "not " + stays() + " and (" + any_conflict(found) + ")",
                 keep_replaced(found, true));
}

Trigger Writer::move(const std::vector<std::string>& required) const {
  if (!shape_.row_ids) return {};
  const std::string when = condition("OLD", "NEW");
  const std::string own =
      fmt::format("from vestige_replaced where tbl = {} and {}", table_.id, keeps_old());
  std::vector<std::string> body = checks(required, when, replaced(true));
  settle_some(conflicts(true).size() + 1, replaced(true), body);
  record_row("D", "OLD", "null", when, body);
  record_row("I", "NEW",
             fmt::format("total_changes() + {} + (select count(*) {})", row_parts(), own), when,
             body);
  follow_kept(body);
  return trigger("move", fmt::format("after update of {}", kRowIds), "not " + stays(), body);
}

}  // namespace vestige::capture
