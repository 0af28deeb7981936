#include "vestige/audit/row_history.h"

#include "vestige/trail/live_table.h"
#include "vestige/trail/postgres_trail.h"

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
  RowHistory(Database& db, Tracked table, Row key, std::int64_t upto)
      : db_(db), table_(std::move(table)), key_(std::move(key)), upto_(upto) {}

  Result<std::optional<Change>> next() override {
    while (!ended_) {
      if (changes_ == nullptr) changes_ = TRY(key_changes(db_, table_, key_, 0, upto_, false));
      auto change = TRY(changes_->next());
      if (!change.has_value()) break;
      const bool moved_in = change->new_key.has_value() && same_row_key(*change->new_key, key_);
      if (moved_in) {
        key_ = change->key;
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
  Row key_;
  std::int64_t upto_;
  std::unique_ptr<Changes> changes_;
  bool given_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table, const Row& key,
                                             std::int64_t upto) {
  return std::unique_ptr<Changes>(new RowHistory(db, table, key, upto));
}

Result<void> names_a_row(const Tracked& table, const Row& key) {
  for (const Field& field : key)
    if (std::holds_alternative<Null>(field.value))
      return hinted(
          fail(Fault::invalid,
               "tell the rows of {} apart: {} of a key is null, and any number of rows may have it",
               table.name, field.name),
          "vestige log " + table.name +
              " shows the changes; --key over columns that are never null"
              " gives the rows an identity");
  return {};
}

Result<std::optional<Row>> live_row(Database& db, const Tracked& table, const Row& key) {
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
  // The comparison without a collation lets the index find the row; the other makes it exact.
  std::string search;
  for (std::size_t i = 0; i < key.size(); ++i)
    search += fmt::format("{} is ?{} and ", db.quote_name(key[i].name), i + 1);
  auto rows = TRY(db.query(fmt::format("select {} from {} where {}{} limit 2", columns,
                                       db.quote_name(live->name), search, where),
                           values));
  if (TRY(rows->next()) == Step::end) return std::optional<Row>();
  Row row;
  for (std::size_t i = 0; i < names.size(); ++i)
    row.push_back({names[i], rows->value(static_cast<int>(i))});
  if (TRY(rows->next()) == Step::row)
    return fail(Fault::corrupt, "read {} {}: more than one row has this key", table.name,
                key_text(key));
  return std::optional<Row>(std::move(row));
}

}  // namespace vestige
