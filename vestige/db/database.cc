#include "vestige/db/database.h"

namespace vestige {

std::int64_t Rows::integer(int column) const {
  const Value read = value(column);
  const auto* integer = std::get_if<std::int64_t>(&read);
  return integer == nullptr ? 0 : *integer;
}

std::string Rows::text(int column) const {
  Value read = value(column);
  if (auto* text = std::get_if<Text>(&read)) return std::move(text->bytes);
  if (auto* blob = std::get_if<Blob>(&read)) return std::move(blob->bytes);
  return {};
}

Result<Value> scalar(Database& db, std::string_view sql, const Params& params) {
  auto rows = TRY(db.query(sql, params));
  if (TRY(rows->next()) == Step::end) return Value(Null{});
  Value first = rows->value(0);
  // PostgreSQL has run it all by now, and may refuse the commit after the last row.
  if (db.engine() == Engine::postgres) TRY(rows->next());
  return first;
}

Result<std::int64_t> scalar_integer(Database& db, std::string_view sql, const Params& params) {
  const Value value = TRY(scalar(db, sql, params));
  const auto* integer = std::get_if<std::int64_t>(&value);
  return integer == nullptr ? 0 : *integer;
}

Result<Transaction> Transaction::begin(Database& db) {
  TRY(db.begin());
  return Transaction(db);
}

Result<void> Transaction::commit() {
  TRY(db_->commit());
  db_ = nullptr;
  return {};
}

}  // namespace vestige
