#include "vestige/trail/row_history.h"

#include <set>

#include "vestige/trail/table_rows.h"

namespace vestige {

bool same_row_key(const Row& left, const Row& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!same_key(left[i].value, right[i].value)) return false;
  return true;
}

namespace {

class RowHistory final : public Changes {
 public:
  RowHistory(Database& db, Tracked table, RowName name, std::int64_t upto)
      : db_(db), table_(std::move(table)), name_(std::move(name)), upto_(upto) {}

  Result<std::optional<Change>> next() override {
    while (!ended_) {
      if (changes_ == nullptr) changes_ = TRY(key_changes(db_, table_, name_, 0, upto_, false));
      auto change = TRY(changes_->next());
      if (!change.has_value()) break;
      const bool moved_in =
          change->new_key.has_value() && same_row_key(*change->new_key, name_.key);
      if (moved_in) {
        name_ = {change->key, change->row_id};
        upto_ = change->id - 1;
        changes_.reset();
      } else if (change->new_key.has_value() || (change->op == Op::remove && given_)) {
        break;  // an earlier row that had this key
      }
      ended_ = change->op == Op::insert;
      given_ = true;
      return change;
    }
    ended_ = true;
    return std::optional<Change>();
  }

 private:
  Database& db_;
  Tracked table_;
  RowName name_;
  std::int64_t upto_;
  std::unique_ptr<Changes> changes_;
  bool given_ = false;
  bool ended_ = false;
};

// The name that the row has now: the last change under the one that was typed may have moved it on.
Result<RowName> latest_name(Database& db, const Tracked& table, const RowName& name) {
  Selection selection;
  selection.table = table.id;
  selection.key = name.key;
  selection.row_id = tells_apart(name.key) ? std::nullopt : name.row_id;
  auto changes = TRY(read_changes(db, selection));
  const auto last = TRY(changes->next());
  if (!last.has_value()) return name;
  return RowName{last->new_key.has_value() ? *last->new_key : last->key, last->row_id};
}

}  // namespace

Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t upto) {
  return std::unique_ptr<Changes>(new RowHistory(db, table, name, upto));
}

namespace {

constexpr std::size_t kShown = 5;  // rowids that a refusal names

}  // namespace

Result<RowName> named_row(Database& db, const Tracked& table,
                          const std::vector<std::string>& words) {
  RowName name = TRY(parse_key(db, table, words));
  if (tells_apart(name.key) || name.row_id.has_value() || !table.shape.row_ids) {
    TRY(names_a_row(table, name));
    return name;
  }
  const auto found = TRY(table_rows_of(db)->row_ids(table, name.key, kShown));
  if (found.size() > 1) {
    std::string list;
    std::size_t shown = 0;
    for (const std::int64_t row_id : found) {
      if (shown == kShown) list += ", …";
      else if (shown < kShown) list += fmt::format("{}{}", shown == 0 ? "" : ", ", row_id);
      ++shown;
    }
    return hinted(fail(Fault::invalid,
                       "find a row of {}: several rows have or had the key {}:"
                       " rowid {}",
                       table.name, key_text(name.key), list),
                  fmt::format("add which one: rowid={}", *found.begin()));
  }
  if (!found.empty()) name.row_id = *found.begin();
  return name;
}

Result<void> names_a_row(const Tracked& table, const RowName& name) {
  if (tells_apart(name.key) || name.row_id.has_value()) return {};
  return hinted(
      fail(Fault::invalid,
           "tell the rows of {} apart: any number of them may have the key {}, and no rowid is"
           " recorded",
           table.name, key_text(name.key)),
      "vestige log " + table.name +
          " shows the changes; --key over columns that are never null"
          " gives the rows an identity");
}

Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const RowName& name) {
  return table_rows_of(db)->live_row(table, name);
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
      if (!of_a_row(change->op)) continue;
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

Result<void> require_same_key(Database& db, const Tracked& table, std::int64_t after,
                              const std::string& what) {
  const auto names = [](const std::vector<Column>& key) {
    std::vector<std::int64_t> ids;
    for (const Column& column : key) ids.push_back(column.id);
    return ids;
  };
  bool same = true;
  for (const Shape& shape : TRY(shapes(db, table.id)))
    same = same && names(shape.key()) == names(table.shape.key());
  if (same) return {};
  Selection later;
  later.table = table.id;
  later.after = after;
  auto changes = TRY(read_changes(db, later));
  while (auto change = TRY(changes->next())) {
    bool fits = change->key.size() == table.shape.key().size();
    for (std::size_t i = 0; fits && i < change->key.size(); ++i)
      fits = change->key[i].name == table.shape.key()[i].name;
    if (fits || !of_a_row(change->op)) continue;
    return hinted(fail(Fault::invalid,
                       "{}: the key of {} had other columns until change {}, and it cannot be told"
                       " which row it was",
                       what, table.name, change->id),
                  "vestige log shows the changes, vestige revert undoes them");
  }
  return {};
}

Result<Named> named_or_moved(Database& db, const Tracked& table,
                             const std::vector<std::string>& words) {
  Named out;
  out.name = TRY(named_row(db, table, words));
  out.row = TRY(live_row(db, table, out.name));
  if (out.row.has_value()) return out;
  RowName moved = TRY(latest_name(db, table, out.name));
  out.row = TRY(live_row(db, table, moved));
  if (out.row.has_value()) out.name = std::move(moved);
  return out;
}

}  // namespace vestige
