#include "vestige/trail/sqlite/sealables.h"

#include <algorithm>
#include <limits>

#include "vestige/record/canonical.h"
#include "vestige/trail/expiry.h"
#include "vestige/trail/sqlite/decode.h"

namespace vestige::sqlite {
namespace {

void add_row(Canonical& out, std::string_view section, const Row& row) {
  out.section(section);
  for (const Field& field : row) out.token(field.name, to_json(field.value));
}

std::optional<std::string> key_of(const Change& change) {
  if (change.key.empty() && !change.new_key.has_value() && !change.row_id.has_value())
    return std::nullopt;
  Canonical out;
  if (change.row_id.has_value()) out.token("row_id", std::to_string(*change.row_id));
  if (!change.key.empty()) add_row(out, "key", change.key);
  if (change.new_key.has_value()) add_row(out, "new_key", *change.new_key);
  return std::move(out).take();
}

std::optional<std::string> values_of(const Change& change) {
  if (!change.old_values.has_value() && !change.new_values.has_value()) return std::nullopt;
  Canonical out;
  if (change.old_values.has_value()) add_row(out, "old", *change.old_values);
  if (change.new_values.has_value()) add_row(out, "new", *change.new_values);
  return std::move(out).take();
}

class SqliteSealables final : public Sealables {
 public:
  SqliteSealables(Database& db, std::unique_ptr<Rows> rows, Decoder decoder)
      : db_(db), rows_(std::move(rows)), decoder_(std::move(decoder)) {
    context_ = rows_->columns() - 2;
  }

  Result<const Sealable*> next() override {
    if (TRY(rows_->next()) == Step::end) return nullptr;
    one_ = Sealable();
    Entry& entry = one_.entry;
    entry.id = rows_->integer(0);
    entry.op = op_of(rows_->text(3));
    entry.table_id = std::max<std::int64_t>(rows_->integer(1), 0);
    constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 1000;
    const std::int64_t at = std::clamp(rows_->integer(4), -kFarthest, kFarthest) * 1000;
    if (is_nameable(at)) entry.at = at;
    else one_.broken = "its time is none";
    entry.tx = rows_->integer(5);
    if (entry.tx < 0) {
      entry.tx = 0;
      one_.broken = "its transaction is none";
    }
    for (const auto part : {&SqliteSealables::read_row, &SqliteSealables::read_context}) {
      const auto read = (this->*part)();
      if (read.has_value()) continue;
      if (read.error().fault != Fault::corrupt && read.error().fault != Fault::invalid)
        return tl::unexpected<Error>(read.error());
      one_.broken = read.error().message;
      if (entry.table.empty())
        entry.table = to_display(
            TRY(scalar(db_, "select name from vestige_shape where id = ?1", {rows_->integer(2)})));
    }
    return &one_;
  }

 private:
  static std::string op_of(const std::string& letter) {
    const auto op = op_from_letter(letter);
    return std::string(name(op.has_value() ? *op : Op::update));
  }

  Result<void> read_row() {
    const auto decoded = TRY(decoder_.decode(*rows_));
    const Change& change = *decoded;  // a change that is there, with the names that were recorded
    one_.entry.table = change.table;
    one_.key = key_of(change);
    one_.values = change.op == Op::expire ? TRY(expired(change.id))
                  : takes_away(change.op) ? TRY(erased(change.id))
                                          : values_of(change);
    return {};
  }

  Result<void> read_context() {
    if (!rows_->is_null(context_)) one_.context = TRY(context(rows_->integer(context_)));
    return {};
  }

  Result<std::string> expired(std::int64_t id) {
    auto said = TRY(ExpiryStore(db_).canonical(id));
    if (!said.has_value())
      return fail(Fault::corrupt, "read change {}: nothing is kept of what expired", id);
    return std::move(*said);
  }

  Result<std::string> erased(std::int64_t id) {
    auto rows = TRY(db_.query(
        "select erased, parts from vestige_erased where change = ?1 order by erased", {id}));
    Canonical out;
    out.section("erased");
    while (TRY(rows->next()) == Step::row)
      out.text(std::to_string(rows->integer(0)), rows->text(1));
    return std::move(out).take();
  }

  Result<std::string> context(std::int64_t id) {
    if (id == context_id_) return context_bytes_;
    auto rows = TRY(db_.query("select * from vestige_context where id = ?1", {id}));
    if (TRY(rows->next()) == Step::end)
      return fail(Fault::corrupt, "read a change: no context {}", id);
    Canonical out;
    for (int i = 0; i < rows->columns(); ++i) {
      const std::string column = rows->name(i);
      if (column == "id" || rows->is_null(i)) continue;
      if (column == "extra") add_members(out, column, rows->text(i));
      else out.token(column, to_json(rows->value(i)));
    }
    context_bytes_ = std::move(out).take();
    context_id_ = id;
    return context_bytes_;
  }

  Database& db_;
  std::unique_ptr<Rows> rows_;
  Decoder decoder_;
  int context_;  // the place of c.context; c.tbl stands after it
  std::int64_t context_id_ = 0;
  std::string context_bytes_;
  Sealable one_;
};

}  // namespace

Result<std::unique_ptr<Sealables>> read_sealables(Database& db, const SealingRange& range) {
  auto rows = TRY(db.query(
      fmt::format("select {}, c.context, c.tbl from vestige_change as c where c.id > ?1 and c.id"
                  " <= ?2 order by c.id limit ?3",
                  change_columns()),
      {range.after, range.upto.value_or(std::numeric_limits<std::int64_t>::max()),
       range.limit == 0 ? std::int64_t{-1} : range.limit}));
  Decoder decoder = TRY(Decoder::open(db, Names::recorded));
  return std::unique_ptr<Sealables>(new SqliteSealables(db, std::move(rows), std::move(decoder)));
}

}  // namespace vestige::sqlite
