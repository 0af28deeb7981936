#include "vestige/audit/at.h"

#include <algorithm>
#include <charconv>

#include "vestige/audit/row_history.h"
#include "vestige/base/time.h"
#include "vestige/record/taken.h"
#include "vestige/trail/install.h"

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

Result<std::int64_t> resolve(Database& db, const Moment& moment) {
  switch (moment.kind) {
    case Moment::Kind::now: return kNow;
    case Moment::Kind::time: return last_change_at(db, moment.value);
    case Moment::Kind::change: break;
  }
  if (moment.value == 0) return 0;
  Selection selection;
  selection.ids = {moment.value};
  if (!TRY(TRY(read_changes(db, selection))->next()).has_value())
    return hinted(fail(Fault::missing, "find change {}: no such change", moment.value),
                  "vestige log lists them");
  return moment.value;
}

tl::unexpected<Error> not_known(const std::string& attempt, const Change& change) {
  return hinted(fail(Fault::missing, "{}: change {} of it is needed, and {}", attempt, change.id,
                     change.how_lost()),
                "vestige show says who erased them and why; what came after is known");
}

Result<KnownState> known_state(Database& db, const Tracked& table, const RowName& name,
                               std::int64_t upto) {
  RowName current = name;
  Row row;
  bool found = false;
  const auto known = [&] { return KnownState{State(std::move(row)), std::nullopt}; };
  while (true) {
    auto changes = TRY(key_changes(db, table, current, upto, kNow, true));
    bool moved = false;
    while (!moved) {
      const auto change = TRY(changes->next());
      if (!change.has_value()) break;
      if (change->op == Op::truncate || change->op == Op::erase) continue;
      if (change->op == Op::insert) return found ? known() : KnownState();
      if (change->op == Op::update && !same_row_key(change->key, current.key))
        return found ? known() : KnownState();  // another row took the key later
      if (change->lost_values()) return KnownState{std::nullopt, change};
      underlay(row, change->op == Op::baseline ? *change->new_values : *change->old_values);
      if (change->op != Op::update) return known();
      found = true;
      if (change->new_key.has_value()) {
        current = {*change->new_key, change->row_id};
        upto = change->id;
        moved = true;
      }
    }
    if (!moved) break;
  }
  const auto live = TRY(live_row(db, table, current));
  if (live.has_value()) underlay(row, *live);
  if (!live.has_value() && !found) return KnownState();
  return known();
}

Result<State> state_of(Database& db, const Tracked& table, const RowName& name, std::int64_t upto) {
  KnownState found = TRY(known_state(db, table, name, upto));
  if (found.lost.has_value())
    return not_known(fmt::format("read {} {} at a moment", table.name, key_text(name)),
                     *found.lost);
  return std::move(found.state);
}

Result<std::vector<std::string>> columns_at(Database& db, const Tracked& table,
                                            const Moment& moment, std::int64_t upto) {
  const auto all = TRY(shapes(db, table.id));
  const Shape* chosen = &all.front();
  for (const Shape& shape : all) {
    const bool in_force = moment.kind == Moment::Kind::time
                              ? shape.at <= moment.value
                              : moment.kind == Moment::Kind::now || shape.since < upto;
    if (in_force) chosen = &shape;
  }
  return shown_names(*chosen, table.shape);
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
  const bool postgres = db.engine() == Engine::postgres;
  auto rows = TRY(db.query(
      fmt::format("select e.parts, count(*) from {} e join {} c on c.id = e.erased"
                  " where e.erased > ?1 and c.{} = ?2 group by e.parts",
                  postgres ? "vestige.erased" : "vestige_erased",
                  postgres ? "vestige.change" : "vestige_change", postgres ? "tracked" : "tbl"),
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
  const std::int64_t upto = TRY(resolve(db, moment));
  const State state = TRY(state_of(db, table, row, upto));
  if (!state.has_value()) return State();
  return State(with_columns(*state, TRY(columns_at(db, table, moment, upto))));
}

}  // namespace vestige
