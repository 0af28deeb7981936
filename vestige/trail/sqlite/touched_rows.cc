#include "vestige/trail/sqlite/touched_rows.h"

#include "vestige/record/fold.h"

namespace vestige::sqlite {
namespace {

std::string text_of(const Was& was) { return static_cast<char>(was.kind) + to_json(was.row); }

Result<Was> read(std::string_view text) {
  Was was;
  was.kind = static_cast<Was::Kind>(text[0]);
  was.row = TRY(row_from_json(text.substr(1)));
  return was;
}

// Rows that were kept in a temporary table, in the order of their key columns.
class Sorted final : public TouchedRows {
 public:
  Sorted(std::unique_ptr<Rows> rows, std::size_t keys) : rows_(std::move(rows)), keys_(keys) {}

  Result<std::optional<Touched>> next() override {
    if (TRY(rows_->next()) == Step::end) return std::optional<Touched>();
    Touched touched;
    int place = 0;
    while (place < static_cast<int>(keys_)) touched.key.push_back(rows_->value(place++));
    touched.early = TRY(read(rows_->text(place)));
    touched.late = TRY(read(rows_->text(place + 1)));
    touched.between = rows_->integer(place + 2) != 0;
    touched.row_id = rows_->integer(place + 3);
    return std::optional<Touched>(std::move(touched));
  }

 private:
  std::unique_ptr<Rows> rows_;
  std::size_t keys_;
};

}  // namespace

void Was::take(const Change& change, bool arrives) {
  if (done) return;
  const bool first = kind == Kind::live;
  done = true;
  if (change.op == Op::insert || arrives) {
    kind = first ? Kind::absent : Kind::whole;
  } else if (change.lost_values()) {
    kind = Kind::unknown;
  } else if (change.op == Op::remove || change.op == Op::baseline) {
    underlay(row, change.op == Op::remove ? *change.old_values : *change.new_values);
    kind = Kind::whole;
  } else {
    underlay(row, *change.old_values);
    kind = Kind::overlay;
    done = false;
  }
}

Result<void> make_room(Database& db, std::size_t keys) {
  std::string columns;
  for (std::size_t i = 0; i < keys; ++i) columns += fmt::format("k{}, ", i);
  return db.script(
      "drop table if exists temp.vestige_touched; create temp table vestige_touched (" + columns +
      "early, late, between_them, row_id)");
}

Result<std::unique_ptr<TouchedRows>> sorted_anew(Database& db, TouchedRows& touched,
                                                 std::size_t keys, const KeyOrder& order) {
  std::vector<std::string> columns;
  std::string places;
  for (std::size_t i = 0; i < keys; ++i) {
    columns.push_back(fmt::format("k{}", i));
    places += fmt::format("?{}, ", i + 1);
  }
  const std::string insert =
      fmt::format("insert into temp.vestige_touched values ({}?{}, ?{}, ?{}, ?{})", places,
                  keys + 1, keys + 2, keys + 3, keys + 4);
  while (const auto row = TRY(touched.next())) {
    Params values = row->key;
    values.emplace_back(Text{text_of(row->early)});
    values.emplace_back(Text{text_of(row->late)});
    values.emplace_back(std::int64_t{row->between});
    values.emplace_back(row->row_id);
    TRY(db.run(insert, values));
  }
  auto rows = TRY(
      db.query(fmt::format("select {}, early, late, between_them, row_id from temp.vestige_touched"
                           " order by {}, row_id",
                           fmt::join(columns, ", "), order.terms(columns))));
  return std::unique_ptr<TouchedRows>(new Sorted(std::move(rows), keys));
}

}  // namespace vestige::sqlite
