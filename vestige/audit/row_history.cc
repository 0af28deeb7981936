#include "vestige/audit/row_history.h"

#include <set>

#include "vestige/db/unregistered.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/sqlite/live_table.h"

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

}  // namespace

Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t upto) {
  return std::unique_ptr<Changes>(new RowHistory(db, table, name, upto));
}

namespace {

constexpr std::size_t kShown = 5;  // rowids that a refusal names

// The rowids of the rows that have or had a key which does not tell them apart.
Result<std::set<std::int64_t>> row_ids_under(Database& db, const Tracked& table, const Row& key) {
  std::set<std::int64_t> found;
  auto changes = TRY(key_changes(db, table, {key, std::nullopt}, 0, kNow, false));
  while (found.size() <= kShown) {
    const auto change = TRY(changes->next());
    if (!change.has_value()) break;
    if (change->row_id.has_value()) found.insert(*change->row_id);
  }
  auto live = live_table(db, table.name);
  if (!live.has_value() || live->row_id.empty()) return found;  // gone: then the trail alone knows
  Params values;
  std::string sql =
      fmt::format("select {} from {} where true", live->row_id, db.quote_name(live->name));
  for (const Field& field : key) {
    if (live->find(field.name) == nullptr) return found;
    values.push_back(field.value);
    sql += fmt::format(" and {} is ?{}", db.quote_name(field.name), values.size());
  }
  auto rows = TRY(db.query(sql, values));
  while (found.size() <= kShown && TRY(rows->next()) == Step::row) found.insert(rows->integer(0));
  return found;
}

}  // namespace

Result<RowName> named_row(Database& db, const Tracked& table,
                          const std::vector<std::string>& words) {
  RowName name = TRY(parse_key(db, table, words));
  if (tells_apart(name.key) || name.row_id.has_value() || !table.shape.row_ids) {
    TRY(names_a_row(table, name));
    return name;
  }
  const auto found = TRY(row_ids_under(db, table, name.key));
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
  const Row& key = name.key;
  if (db.engine() == Engine::postgres) return postgres::live_row(db, table, key);
  auto live = live_table(db, table.name);
  if (!live.has_value()) {
    if (live.error().fault == Fault::missing) return std::optional<Row>();
    return tl::unexpected<Error>(std::move(live).error());
  }
  std::string columns;
  std::vector<std::string> names;
  for (const Column& column : table.shape.columns) {
    if (live->find(column.name) == nullptr) continue;
    names.push_back(column.name);
    columns += (columns.empty() ? "" : ", ") + db.quote_name(column.name);
  }
  std::string where;
  Params values;
  for (const Field& field : key) {
    if (live->find(field.name) == nullptr) return std::optional<Row>();
    values.push_back(field.value);
    where += fmt::format("{}{} is ?{} collate binary", where.empty() ? "" : " and ",
                         db.quote_name(field.name), values.size());
  }
  if (!tells_apart(key)) {
    if (!name.row_id.has_value() || live->row_id.empty()) return std::optional<Row>();
    values.emplace_back(*name.row_id);
    where += fmt::format("{}{} = ?{}", where.empty() ? "" : " and ", live->row_id, values.size());
  }
  // The comparison without a collation lets the index find the row; the other makes it exact.
  std::string search;
  for (std::size_t i = 0; i < key.size(); ++i)
    search += fmt::format("{} is ?{} and ", db.quote_name(key[i].name), i + 1);
  // Without the collation, which only the application may have, SQLite looks at every row.
  const std::string from =
      fmt::format("select {} from {} where ", columns, db.quote_name(live->name));
  auto found = db.query(from + search + where + " limit 2", values);
  if (!found.has_value() && unregistered(found.error()).has_value())
    if (auto sought = db.query(from + where + " limit 2", values); sought.has_value())
      found = std::move(sought);
  auto rows = TRY(std::move(found));
  if (TRY(rows->next()) == Step::end) return std::optional<Row>();
  Row row;
  for (std::size_t i = 0; i < names.size(); ++i)
    row.push_back({names[i], rows->value(static_cast<int>(i))});
  if (TRY(rows->next()) == Step::row)
    return fail(Fault::corrupt, "read {} {}: more than one row has this key", table.name,
                key_text(name));
  return std::optional<Row>(std::move(row));
}

}  // namespace vestige
