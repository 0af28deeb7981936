#include "vestige/trail/changes.h"

#include <algorithm>

#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/selection.h"
#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/row_index.h"

namespace vestige {
namespace {

class ReadChanges final : public Changes {
 public:
  ReadChanges(std::unique_ptr<Rows> rows, Decoder decoder)
      : rows_(std::move(rows)), decoder_(std::move(decoder)) {}

  Result<std::optional<Change>> next() override {
    while (TRY(rows_->next()) == Step::row) {
      auto change = TRY(decoder_.decode(*rows_));
      if (change.has_value()) return change;
    }
    return std::optional<Change>();
  }

 private:
  std::unique_ptr<Rows> rows_;
  Decoder decoder_;
};

using RowId = std::optional<std::int64_t>;

// A row's stay under one key: changes lo … hi; of one rowid, where the key does not tell rows apart.
struct Stay {
  Value key;
  std::int64_t lo;
  std::int64_t hi;
  RowId row_id;
};

constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

constexpr std::size_t kNoted = 10'000;  // ids of one row that are kept in memory

// The ids of changes whose stored key is NULL, before or after. No run has them, so this is a scan. The key
// is the first recorded column, where it is one.
std::string null_changes(const std::string& table, const std::string& key) {
  return fmt::format(
      "select id from vestige_change where tbl = {0}"
      " and (key is {1} or (op = 'U' and new_key is {1} and changed & 1))"
      " and op <> 'E' and coalesce(changed, 0) > {2}",
      table, key, kKeyErased);
}

std::string ids_under(const Value& stored, const std::string& table, const std::string& key) {
  return std::holds_alternative<Null>(stored) ? null_changes(table, key) : row_changes(table, key);
}

// A stored key in which a NULL may stand: of several columns it is JSON, and the word in a text does no harm.
bool may_hold_null(const Value& stored) {
  const auto* text = std::get_if<Text>(&stored);
  return text == nullptr
             ? std::holds_alternative<Null>(stored)
             : text->bytes.starts_with('[') && text->bytes.find("null") != std::string::npos;
}

// A new key; NULL, too, can be one, of the first recorded column.
constexpr std::string_view kMoved = "(op = 'U' and (new_key is not null or changed & 1))";

// Follows a row through its keys. Where a key holds a NULL, its rowid tells it from others. Each question is
// one search of the sorted runs.
class Follow {
 public:
  Follow(Database& db, std::int64_t table) : db_(db), table_(table) {}

  Result<std::vector<Stay>> stays(const Value& key) {
    stays_.push_back({key, 0, kEnd, {}});
    auto rows = TRY(db_.query(fmt::format("select id, key, new_key, row_id, {} from vestige_change"
                                          " where id in ({})",
                                          kMoved, ids_under(key, "?1", "?2")),
                              {table_, key}));
    struct Move {
      std::int64_t id;
      Value from, to;
      RowId row_id;
    };
    std::vector<Move> moves;
    while (TRY(rows->next()) == Step::row) {
      note(rows->integer(0));
      if (rows->integer(4) != 0)
        moves.push_back({rows->integer(0), rows->value(1), rows->value(2), row_id_at(*rows, 3)});
    }
    for (const Move& move : moves) {
      if (same_key(move.to, key)) TRY(backward(move.from, move.id, move.row_id));
      if (same_key(move.from, key)) TRY(forward(move.to, move.id, move.row_id));
    }
    return std::move(stays_);
  }

  // The ids under the key that was asked for, as a JSON array; nothing where they are too many to keep.
  std::optional<std::string> ids() const {
    if (noted_ > kNoted) return std::nullopt;
    return "[" + ids_ + "]";
  }

 private:
  static RowId row_id_at(const Rows& rows, int column) {
    return rows.is_null(column) ? RowId() : RowId(rows.integer(column));
  }

  // The id, the key, the new key and whether it moved, of a row's first or last change under a key that is
  // of a kind and comes before or after another.
  Result<std::unique_ptr<Rows>> next_change(const Value& key, std::int64_t id, const RowId& row_id,
                                            std::string_view which) {
    Params values = {table_, key, id};
    std::string same;
    if (may_hold_null(key)) {
      values.emplace_back(row_id.has_value() ? Value(*row_id) : Value(Null{}));
      same = " and row_id = ?4";
    }
    return db_.query(
        fmt::format("select id, key, new_key, {} from vestige_change where id in ({}){}"
                    " and {} limit 1",
                    kMoved, ids_under(key, "?1", "?2"), same, which),
        values);
  }

  // The stay under `key` that ended with the move at `end`, and what came before it.
  Result<void> backward(Value key, std::int64_t end, const RowId& row_id) {
    const std::string which = fmt::format(
        "id < ?3 and ((key is ?2 and op = 'I') or (new_key is ?2 and {})) order by id desc",
        kMoved);
    while (true) {
      auto rows = TRY(next_change(key, end, row_id, which));
      const bool known = TRY(rows->next()) == Step::row;
      const std::int64_t began = known ? rows->integer(0) : 0;
      stays_.push_back({key, began, end, row_id});
      if (!known || rows->integer(3) == 0) return {};
      key = rows->value(1);
      end = began;
    }
  }

  // The stay under `key` that began with the move at `begin`, and what came after it.
  Result<void> forward(Value key, std::int64_t begin, const RowId& row_id) {
    const std::string which =
        fmt::format("id > ?3 and key is ?2 and (op = 'D' or {}) order by id", kMoved);
    while (true) {
      auto rows = TRY(next_change(key, begin, row_id, which));
      const bool known = TRY(rows->next()) == Step::row;
      const std::int64_t ended = known ? rows->integer(0) : kEnd;
      stays_.push_back({key, begin, ended, row_id});
      if (!known || rows->integer(3) == 0) return {};
      key = rows->value(2);
      begin = ended;
    }
  }

  void note(std::int64_t id) {
    if (++noted_ <= kNoted) ids_ += fmt::format("{}{}", ids_.empty() ? "" : ",", id);
  }

  Database& db_;
  std::int64_t table_;
  std::vector<Stay> stays_;
  std::string ids_;
  std::size_t noted_ = 0;
};

Result<void> select_row(Database& db, std::int64_t table, const Row& key, Where& where) {
  const Value stored = TRY(stored_key(db, key));
  Follow follow(db, table);
  const auto stays = TRY(follow.stays(stored));
  if (const auto known = follow.ids(); stays.size() == 1 && known.has_value()) {
    where.add("c.id in (select value from json_each(" + where.bind(Text{*known}) + "))");
    return {};
  }
  std::string ids;
  for (const Stay& stay : stays) {
    const std::string at = where.bind(table);
    const std::string value = where.bind(stay.key);
    ids += fmt::format("{}select id from vestige_change where id in ({})",
                       ids.empty() ? "" : " union all ", ids_under(stay.key, at, value));
    if (stay.row_id.has_value() && may_hold_null(stay.key))
      ids += " and row_id = " + where.bind(*stay.row_id);
    if (stays.size() > 1) {
      // Only this stay: another row may have had the key before or after.
      ids += fmt::format(" and id between {} and {}", where.bind(stay.lo), where.bind(stay.hi));
    }
  }
  where.add("c.id in (" + ids + ")");
  return {};
}

// The tx of a plain client is an id of its own; its changes follow each other without a gap.
Result<void> select_tx(Database& db, std::int64_t tx, Where& where) {
  const std::int64_t after = TRY(scalar_integer(
      db, "select id from vestige_change where id > ?1 and tx <> ?1 order by id limit 1", {tx}));
  const std::string first = where.bind(tx);
  where.add(fmt::format("c.id >= {} and c.tx = {}", first, first));
  if (after != 0) where.add("c.id < " + where.bind(after));
  return {};
}

}  // namespace

bool tells_apart(const Row& key) {
  return !key.empty() && std::none_of(key.begin(), key.end(), [](const Field& field) {
    return std::holds_alternative<Null>(field.value);
  });
}

Result<std::int64_t> last_change_at(Database& db, std::int64_t micros) {
  if (db.engine() == Engine::postgres) return postgres::last_change_at(db, micros);
  // A moment lies between two of the clock's milliseconds.
  const std::int64_t milliseconds = micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000);
  std::int64_t hi = TRY(scalar_integer(db, "select max(id) from vestige_change"));
  std::int64_t lo = TRY(scalar_integer(db, "select min(id) from vestige_change"));
  // Where the clock went back, a new run of rising times begins; the last run that holds the moment counts.
  std::vector<std::int64_t> runs = {lo};
  auto back = TRY(db.query("select id from vestige_change where backward is not null order by id"));
  while (TRY(back->next()) == Step::row) runs.push_back(back->integer(0));
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    lo = *run;
    const std::int64_t first = TRY(scalar_integer(
        db, "select at from vestige_change where id >= ?1 order by id limit 1", {lo}));
    if (hi < lo || first > milliseconds) {
      hi = lo - 1;
      continue;
    }
    while (lo < hi) {  // lo's time is within; find the last that is
      const std::int64_t middle = lo + (hi - lo + 1) / 2;
      auto probe = TRY(db.query(
          "select id, at from vestige_change where id >= ?1 order by id limit 1", {middle}));
      if (TRY(probe->next()) == Step::row && probe->integer(0) <= hi &&
          probe->integer(1) <= milliseconds)
        lo = probe->integer(0);
      else hi = middle - 1;
    }
    return lo;
  }
  return 0;
}

namespace {

Result<Where> where_of(Database& db, const Selection& selection) {
  Where where;
  if (selection.table.has_value() && selection.key.empty())
    where.add("c.tbl = " + where.bind(*selection.table));
  if (selection.table.has_value() && !selection.key.empty())
    TRY(select_row(db, *selection.table, selection.key, where));
  if (selection.row_id.has_value()) where.add("c.row_id = " + where.bind(*selection.row_id));
  if (selection.tx.has_value()) TRY(select_tx(db, *selection.tx, where));
  if (selection.after.has_value()) where.add("c.id > " + where.bind(*selection.after));
  if (selection.upto.has_value()) where.add("c.id <= " + where.bind(*selection.upto));
  if (!selection.ids.empty()) {
    std::string list;
    for (const std::int64_t id : selection.ids) list += (list.empty() ? "" : ", ") + where.bind(id);
    where.add("c.id in (" + list + ")");
  }
  if (selection.since.has_value()) {
    where.add("c.at >= " + where.bind((*selection.since + 999) / 1000));
    // A shortcut by search, exact as long as the clock never went back.
    if (TRY(scalar_integer(db, "select count(*) from vestige_change where backward is not null")) ==
        0)
      where.add("c.id > " + where.bind(TRY(last_change_at(db, *selection.since - 1))));
  }
  if (selection.until.has_value())
    where.add("c.at < " + where.bind((*selection.until + 999) / 1000));
  if (!selection.who.empty())
    where.add("c.context in (select id from vestige_context where actor in (" +
              where.bind_all(selection.who) + "))");
  if (!selection.db_users.empty())
    return hinted(fail(Fault::invalid, "select by db user: SQLite has no users"),
                  "--actor NAME selects by what the application said");
  if (!selection.ops.empty()) where.add("c.op in (" + where.bind_all(letters(selection.ops)) + ")");
  return where;
}

}  // namespace

Result<std::unique_ptr<Changes>> read_changes(Database& db, const Selection& asked) {
  const Selection selection = narrowed(asked);
  if (db.engine() == Engine::postgres) return postgres::read_changes(db, selection);
  const Where where = TRY(where_of(db, selection));
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige_change as c{} order by c.id{}",
                               change_columns(), where.sql, selection.oldest_first ? "" : " desc"),
                   where.values));
  Decoder decoder = TRY(Decoder::open(db));
  auto tables = TRY(facts(db, selection.filter));
  return selected(std::unique_ptr<Changes>(new ReadChanges(std::move(rows), std::move(decoder))),
                  selection, std::move(tables));
}

Result<std::vector<std::int64_t>> change_ids(Database& db, const Selection& selection) {
  if (!selection.filter.conditions.empty()) {
    Selection ordered = selection;
    ordered.oldest_first = true;
    return ids_of(TRY(read_changes(db, ordered)));
  }
  if (db.engine() == Engine::postgres) return postgres::change_ids(db, selection);
  const Where where = TRY(where_of(db, selection));
  std::vector<std::int64_t> ids;
  auto rows = TRY(db.query("select c.id from vestige_change as c" + where.sql + " order by c.id",
                           where.values));
  while (TRY(rows->next()) == Step::row) ids.push_back(rows->integer(0));
  return ids;
}

Result<std::unique_ptr<Changes>> key_changes(Database& db, const Tracked& table,
                                             const RowName& name, std::int64_t after,
                                             std::int64_t upto, bool oldest_first) {
  if (db.engine() == Engine::postgres)
    return postgres::key_changes(db, table.id, name.key, after, upto, oldest_first);
  const Value stored = name.key.empty() ? Value(Null{}) : TRY(stored_key(db, name.key));
  Params values = {table.id, stored, after, upto};
  std::string which;
  if (name.row_id.has_value() && !tells_apart(name.key)) {
    values.emplace_back(*name.row_id);
    which = " and c.row_id = ?5";
  }
  auto rows =
      TRY(db.query(fmt::format("select {} from vestige_change as c where c.id in ({}) and c.id > ?3"
                               " and c.id <= ?4{} order by c.id{}",
                               change_columns(), ids_under(stored, "?1", "?2"), which,
                               oldest_first ? "" : " desc"),
                   values));
  Decoder decoder = TRY(Decoder::open(db));
  return std::unique_ptr<Changes>(new ReadChanges(std::move(rows), std::move(decoder)));
}

Result<std::vector<std::int64_t>> doubtful_neighbours(Database& db, std::int64_t tx) {
  std::vector<std::int64_t> out;
  if (db.engine() == Engine::postgres) return out;
  // A transaction's id is that of its first change; its changes stand side by side.
  auto rows = TRY(db.query(
      "select distinct n.tx from (select id, at from vestige_change where tx = ?1 and id >= ?1"
      " and context is null order by id limit 1) as f"
      " join (select max(id) as id, at from vestige_change where tx = ?1 and id >= ?1) as l"
      " join vestige_change as n on n.id between f.id - 100 and l.id + 100 and n.tx <> ?1"
      " and n.at in (f.at, l.at) and n.context is null and n.op in ('I', 'U', 'D')"
      " order by n.tx limit 40",
      {tx}));
  while (TRY(rows->next()) == Step::row) out.push_back(rows->integer(0));
  return out;
}

}  // namespace vestige
