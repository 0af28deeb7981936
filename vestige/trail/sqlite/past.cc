// A whole table as it was: the changes after the moment, sorted by key, become what each touched row was, and
// are merged with one scan of the table in key order.

#include "vestige/trail/past.h"

#include <optional>

#include "vestige/trail/row_history.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/live_table.h"
#include "vestige/trail/sqlite/table_merge.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige::sqlite {
namespace {

// Folds the changes to each key, oldest first, into what the row with that key was before them. In the order
// of the keys as they are stored.
class Folded final : public TouchedRows {
 public:
  static Result<std::unique_ptr<TouchedRows>> read(Database& db, const Tracked& table,
                                                   std::int64_t early, std::int64_t late,
                                                   const std::string& order) {
    Decoder decoder = TRY(Decoder::open(db));
    // Where a key holds a NULL, the rowid tells rows apart. The stored form of several columns is JSON.
    const bool one = table.shape.key().size() == 1;
    std::string row_id;
    if (table.shape.row_ids)
      row_id = one ? "iif(k is null, row_id, 0), "
                   : "iif(instr(k, 'null') and json_valid(k) and exists (select 1 from json_each(k)"
                     " where type = 'null'), row_id, 0), ";
    auto rows = TRY(db.query(
        fmt::format(
            "select {}, e.k, e.arrives from (select k, id, arrives from ("
            "select key as k, id, 0 as arrives, row_id from vestige_change"
            " where id > ?2 and tbl = ?1 and op not in ('E', 'X') and coalesce(changed, 0) > {}"
            " union all select new_key, id, 1, row_id from vestige_change"
            " where id > ?2 and tbl = ?1 and (new_key is not null{})) order by {}, {}id,"
            " arrives limit -1) as e cross join vestige_change as c on c.id = e.id",
            change_columns(), kKeyErased, one ? " or (op = 'U' and changed & 1)" : "", order,
            row_id),
        {table.id, early}));
    return std::unique_ptr<TouchedRows>(
        new Folded(db, table, late, std::move(decoder), std::move(rows)));
  }

  Result<std::optional<Touched>> next() override {
    std::optional<Touched> given = std::exchange(begun_, std::nullopt);
    while (TRY(rows_->next()) == Step::row) {
      const auto change = TRY(decoder_.decode(*rows_));
      if (!change.has_value()) continue;
      const int place = rows_->columns() - 2;
      const bool arrives = rows_->integer(place + 1) != 0;
      Value stored = rows_->value(place);
      const Row& key = arrives ? *change->new_key : change->key;
      const std::int64_t row_id =
          tells_apart(key) || !change->row_id.has_value() ? 0 : *change->row_id;
      if (!key_.has_value() || !same_key(*key_, stored) || row_id != row_id_) {
        TRY(names_a_row(table_, {key, change->row_id}));
        key_ = std::move(stored);
        row_id_ = row_id;
        Touched& begun = begun_.emplace();
        begun.row_id = row_id;
        for (const Field& field : key) begun.key.push_back(field.value);
        TRY(take(begun, *change, arrives));
        if (given.has_value()) return given;
        given = std::exchange(begun_, std::nullopt);
      } else if (given.has_value()) {
        TRY(take(*given, *change, arrives));
      }
    }
    return given;
  }

 private:
  Folded(Database& db, const Tracked& table, std::int64_t late, Decoder decoder,
         std::unique_ptr<Rows> rows)
      : db_(db), table_(table), late_(late), decoder_(std::move(decoder)), rows_(std::move(rows)) {}

  Result<void> take(Touched& touched, const Change& change, bool arrives) {
    if (change.id <= late_) touched.between = true;
    else TRY(take(touched.late, change, arrives));
    return take(touched.early, change, arrives);
  }

  // Where a row went to another key, that key tells what else it was.
  Result<void> take(Was& was, const Change& change, bool arrives) {
    was.take(change, arrives);
    if (was.done || !change.new_key.has_value()) return {};
    auto rest = TRY(known_state(db_, table_, {*change.new_key, change.row_id}, change.id));
    if (rest.state.has_value()) underlay(was.row, *rest.state);
    was.kind = rest.lost.has_value() ? Was::Kind::unknown : Was::Kind::whole;
    was.done = true;
    return {};
  }

  Database& db_;
  Tracked table_;
  std::int64_t late_;
  Decoder decoder_;
  std::unique_ptr<Rows> rows_;
  std::optional<Value> key_;  // stored, of the row that was begun last
  std::int64_t row_id_ = 0;
  std::optional<Touched> begun_;  // the row after the one that is given
};

std::string collation_of(const SqliteTable* live, const std::string& column) {
  if (live != nullptr)
    for (const UniqueIndex& index : live->unique)
      for (const UniqueIndex::Term& term : index.terms)
        if (term.column == column) return term.collation;
  return "";
}

class SqlitePast final : public Past {
 public:
  explicit SqlitePast(Database& db) : db_(db) {}

  Result<std::unique_ptr<States>> at(const Tracked& table, const Instant& when) override {
    const auto wanted = TRY(columns_at(db_, table, when.moment, when.upto));
    return states_of(TRY(merge(table, when.upto, kNow)), wanted);
  }

  Result<std::unique_ptr<StatePairs>> between(const Tracked& table, const Instant& early,
                                              const Instant& late) override {
    const auto first = TRY(columns_at(db_, table, early.moment, early.upto));
    const auto last = TRY(columns_at(db_, table, late.moment, late.upto));
    return pairs_of(TRY(merge(table, early.upto, late.upto)), first, last);
  }

 private:
  // The scan of the live rows; nothing is read yet.
  Result<LiveScan> scan(const Tracked& table, const SqliteTable* stands, const KeyOrder& order) {
    LiveScan scan;
    if (stands == nullptr) return scan;
    std::string columns;
    std::vector<std::string> key_columns;
    for (const Column& column : table.shape.key())
      key_columns.push_back(db_.quote_name(column.name));
    for (const Column& column : table.shape.columns) {
      if (stands->find(column.name) == nullptr) continue;
      if (column.key > 0) scan.key.push_back(static_cast<int>(scan.columns.size()));
      scan.columns.push_back(column.name);
      columns += (columns.empty() ? "" : ", ") + db_.quote_name(column.name);
    }
    scan.row_ids = table.shape.row_ids && !stands->row_id.empty();
    std::string sorted = order.terms(key_columns);
    if (scan.row_ids) {
      columns += ", " + stands->row_id;
      sorted += ", " + stands->row_id;
    }
    scan.rows = TRY(db_.query(fmt::format("select {} from {} order by {}", columns,
                                          db_.quote_name(stands->name), sorted)));
    return scan;
  }

  Result<std::unique_ptr<TableMerge>> merge(const Tracked& table, std::int64_t early,
                                            std::int64_t late) {
    auto live = read_table(db_, table.name);
    if (!live.has_value() && live.error().fault != Fault::missing)
      return tl::unexpected<Error>(std::move(live).error());
    const SqliteTable* stands = live.has_value() ? &*live : nullptr;
    std::vector<std::string> collations;
    for (const Column& column : table.shape.key())
      collations.push_back(collation_of(stands, column.name));
    const KeyOrder order = TRY(KeyOrder::of(db_, std::move(collations)));
    const std::size_t keys = table.shape.key().size();
    auto merge = std::make_unique<TableMerge>(order, TRY(scan(table, stands, order)));
    if (keys > 1) TRY(make_room(db_, keys));
    TRY(merge->open());
    auto touched = TRY(Folded::read(db_, table, early, late, keys == 1 ? order.terms({"k"}) : "k"));
    if (keys > 1) touched = TRY(sorted_anew(db_, *touched, keys, order));
    TRY(merge->merge_with(std::move(touched)));
    return merge;
  }

  Database& db_;
};

}  // namespace

std::unique_ptr<Past> past(Database& db) { return std::make_unique<SqlitePast>(db); }

}  // namespace vestige::sqlite
