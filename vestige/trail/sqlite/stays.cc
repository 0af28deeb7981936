#include "vestige/trail/sqlite/stays.h"

#include <limits>
#include <optional>
#include <vector>

#include "vestige/trail/sqlite/decode.h"
#include "vestige/trail/sqlite/row_index.h"

namespace vestige::sqlite {
namespace {

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

}  // namespace

std::string ids_under(const Value& stored, const std::string& table, const std::string& key) {
  return std::holds_alternative<Null>(stored) ? null_changes(table, key) : row_changes(table, key);
}

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

}  // namespace vestige::sqlite
