#include "vestige/audit/at.h"

#include <algorithm>
#include <charconv>

#include "vestige/base/time.h"
#include "vestige/record/taken.h"
#include "vestige/trail/install.h"
#include "vestige/trail/row_history.h"
#include "vestige/trail/spelling.h"

namespace vestige {

Result<Moment> parse_moment(std::string_view text, const Now& now) {
  if (text == "now") return Moment{};
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size())
    return Moment{Moment::Kind::change, id};
  const std::int64_t micros = TRY(parse_time(text, now));
  return Moment{Moment::Kind::time, micros};
}

Result<Tracked> table_with_key(Database& db, const std::string& name) {
  TRY(require_trail(db));
  Tracked table = TRY(tracked_table(db, name));
  if (table.shape.key().empty())
    return hinted(
        fail(Fault::invalid, "read {} at a moment: it is tracked without a key", table.name),
        "vestige log " + table.name +
            " shows its changes; give it a primary key, or track it with"
            " --key over a UNIQUE constraint");
  return table;
}

Result<std::unique_ptr<States>> at(Database& db, const std::string& name, const Moment& moment) {
  const Tracked table = TRY(table_with_key(db, name));
  const std::int64_t upto = TRY(resolve(db, table, moment));
  return past_of(db)->at(table, {moment, upto});
}

Result<std::optional<std::int64_t>> began_after(Database& db, const std::string& name,
                                                const Moment& moment) {
  const Tracked table = TRY(tracked_table(db, name));
  const auto all = TRY(shapes(db, table.id));
  const Shape& first = all.front();
  const bool before = moment.kind == Moment::Kind::time     ? moment.value < first.at
                      : moment.kind == Moment::Kind::change ? moment.value < first.since
                                                            : false;
  return before ? std::optional<std::int64_t>(first.at) : std::nullopt;
}

Result<ErasedSince> erased_since(Database& db, const std::string& name, const Moment& moment) {
  if (moment.kind == Moment::Kind::now || !TRY(has_evidence(db))) return ErasedSince();
  const Tracked table = TRY(tracked_table(db, name));
  const std::int64_t upto = TRY(resolve(db, moment));
  const Spelling trail = spelling_of(db);
  auto rows =
      TRY(db.query(fmt::format("select e.parts, count(*) from {} e join {} c on c.id = e.erased"
                               " where e.erased > ?1 and c.{} = ?2 group by e.parts",
                               trail.table("erased"), trail.table("change"), trail.of_table),
                   {upto, table.id}));
  ErasedSince since;
  while (TRY(rows->next()) == Step::row) {
    const std::string parts = rows->text(0);
    const bool key = takes(parts, "key");
    if (key || takes(parts, "values")) since.changes += rows->integer(1);
    if (key) since.keys += rows->integer(1);
  }
  return since;
}

Row with_columns(const Row& row, const std::vector<std::string>& columns) {
  Row out;
  for (const std::string& column : columns)
    if (const Value* value = find(row, column); value != nullptr) out.push_back({column, *value});
  return out;
}

Result<State> at(Database& db, const std::string& name, const std::vector<std::string>& words,
                 const Moment& moment) {
  TRY(require_trail(db));
  const Tracked table = TRY(tracked_table(db, name));
  const RowName row = TRY(named_row(db, table, words));
  const std::int64_t upto = TRY(resolve(db, table, moment));
  const State state = TRY(state_of(db, table, row, upto));
  if (!state.has_value()) return State();
  return State(with_columns(*state, TRY(columns_at(db, table, moment, upto))));
}

}  // namespace vestige
