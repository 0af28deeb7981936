#include "vestige/audit/row_history.h"

#include "vestige/trail/decode.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/row_index.h"

namespace vestige {
namespace {

bool same_row_key(const Row& left, const Row& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i)
    if (!same_key(left[i].value, right[i].value)) return false;
  return true;
}

class RowHistory final : public Changes {
 public:
  RowHistory(Database& db, Decoder decoder, std::int64_t table, Row key, std::int64_t upto)
      : db_(db), decoder_(std::move(decoder)), table_(table), key_(std::move(key)), upto_(upto) {}

  Result<std::optional<Change>> next() override {
    while (!ended_) {
      if (rows_ == nullptr) TRY(search());
      if (TRY(rows_->next()) == Step::end) break;
      auto change = TRY(decoder_.decode(*rows_));
      if (!change.has_value()) continue;
      const bool moved_in = change->new_key.has_value() && same_row_key(*change->new_key, key_);
      if (moved_in) {
        key_ = change->key;
        upto_ = change->id - 1;
        rows_.reset();
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
  Result<void> search() {
    const Value stored = TRY(stored_key(db_, key_));
    rows_ =
        TRY(db_.query("select " + change_columns() + " from vestige_change as c where c.id in (" +
                          row_changes("?1", "?2") + ") and c.id <= ?3 order by c.id desc",
                      {table_, stored, upto_}));
    return {};
  }

  Database& db_;
  Decoder decoder_;
  std::int64_t table_;
  Row key_;
  std::int64_t upto_;
  std::unique_ptr<Rows> rows_;
  bool given_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<Changes>> row_history(Database& db, const Tracked& table, const Row& key,
                                             std::int64_t upto) {
  Decoder decoder = TRY(Decoder::open(db));
  return std::unique_ptr<Changes>(new RowHistory(db, std::move(decoder), table.id, key, upto));
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
