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

// The temporary table of rows with so many key columns. It stays: SQLite drops none while anything is read, and whoever asks on a
// connection of the application's may be in the midst of reading.
std::string room_of(std::size_t keys) { return fmt::format("temp.vestige_touched_{}", keys); }

// Rows that were kept in a temporary table, in the order of their key columns; there no longer than this.
class Sorted final : public TouchedRows {
 public:
  Sorted(Database& db, std::unique_ptr<Rows> rows, std::size_t keys, std::int64_t use)
      : db_(db), rows_(std::move(rows)), keys_(keys), use_(use) {}
  ~Sorted() override {
    rows_.reset();
    static_cast<void>(
        db_.run(fmt::format("delete from {} where use = ?1", room_of(keys_)), {use_}));
  }

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
  Database& db_;
  std::unique_ptr<Rows> rows_;
  std::size_t keys_;
  std::int64_t use_;
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
      fmt::format("create temp table if not exists vestige_touched_{} (use integer, {}early, late,"
                  " between_them, row_id)",
                  keys, columns));
}

Result<std::unique_ptr<TouchedRows>> sorted_anew(Database& db, TouchedRows& touched,
                                                 std::size_t keys, const KeyOrder& order) {
  std::vector<std::string> columns;
  std::string places;
  for (std::size_t i = 0; i < keys; ++i) {
    columns.push_back(fmt::format("k{}", i));
    places += fmt::format("?{}, ", i + 1);
  }
  const std::string room = room_of(keys);
  const std::int64_t use =
      TRY(scalar_integer(db, fmt::format("select coalesce(max(use), 0) from {}", room))) + 1;
  const std::string insert = fmt::format("insert into {} values ({}, {}?{}, ?{}, ?{}, ?{})", room,
                                         use, places, keys + 1, keys + 2, keys + 3, keys + 4);
  while (const auto row = TRY(touched.next())) {
    Params values = row->key;
    values.emplace_back(Text{text_of(row->early)});
    values.emplace_back(Text{text_of(row->late)});
    values.emplace_back(std::int64_t{row->between});
    values.emplace_back(row->row_id);
    TRY(db.run(insert, values));
  }
  auto rows =
      TRY(db.query(fmt::format("select {}, early, late, between_them, row_id from {} where use = {}"
                               " order by {}, row_id",
                               fmt::join(columns, ", "), room, use, order.terms(columns))));
  return std::unique_ptr<TouchedRows>(new Sorted(db, std::move(rows), keys, use));
}

}  // namespace vestige::sqlite
