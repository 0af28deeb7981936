#include "vestige/trail/sqlite/decode.h"

#include <algorithm>
#include <limits>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/record/taken.h"
#include "vestige/trail/install.h"
#include "vestige/trail/opener.h"
#include "vestige/trail/sqlite/capture.h"
#include "vestige/trail/sqlite/catalog.h"

namespace vestige {
namespace {

// Places of change_columns().
enum Place {
  kId,
  kTable,
  kShape,
  kOp,
  kAt,
  kTx,
  kContext,
  kRowId,
  kKey,
  kNewKey,
  kChanged,
  kFirstSlot
};

// A time that is none is the nearest that there is.
std::int64_t time_of(const Rows& rows) {
  constexpr std::int64_t kFarthest = std::numeric_limits<std::int64_t>::max() / 1000;
  return std::clamp(rows.integer(kAt), -kFarthest, kFarthest) * 1000;
}

}  // namespace

std::string change_columns() {
  return "c.id, c.tbl, c.shape, c.op, c.at, c.tx, c.context, c.row_id, c.key, c.new_key, "
         "c.changed" +
         slot_names(0, kSlots);
}

Decoder::Decoder(Database& db, Names names, bool every)
    : db_(&db),
      opener_(names == Names::today ? opener_of(db) : nullptr),
      names_(names),
      every_(every) {}

Result<Decoder> Decoder::open(Database& db, Names names, bool every) {
  Decoder decoder(db, names, every);
  TRY(decoder.load());
  return decoder;
}

Result<void> Decoder::load() {
  for (const Tracked& table : TRY(sqlite::read_tables(*db_)))
    for (Shape& shape : TRY(sqlite::read_shapes(*db_, table.id, true))) {
      const bool today = names_ == Names::today;
      auto names = shown_names(shape, today ? table.shape : shape);
      const std::int64_t id = shape.id;
      std::string name = today ? table.name : shape.name;
      const bool encrypted = std::any_of(shape.columns.begin(), shape.columns.end(),
                                         [](const Column& own) { return !own.encrypted.empty(); });
      shapes_[id] = Known{std::move(shape), std::move(name), std::move(names), encrypted};
    }
  return {};
}

Result<const Decoder::Known*> Decoder::shape(std::int64_t id) {
  auto found = shapes_.find(id);
  if (found == shapes_.end()) {
    TRY(load());  // made since we began to read
    found = shapes_.find(id);
  }
  if (found == shapes_.end()) return fail(Fault::corrupt, "read a change: no shape {}", id);
  return &found->second;
}

const std::string& Decoder::shown(std::int64_t shape, std::size_t place) const {
  return shapes_.at(shape).shown.at(place);
}

Result<Context> Decoder::context(std::int64_t id) {
  if (id == context_id_) return context_;
  std::string columns;
  for (const std::string_view field : kContextFields) columns += fmt::format("{}, ", field);
  auto rows = TRY(
      db_->query(fmt::format("select {}extra from vestige_context where id = ?1", columns), {id}));
  if (TRY(rows->next()) == Step::end)
    return fail(Fault::corrupt, "read a change: no context {}", id);
  Context context;
  for (std::size_t i = 0; i < kContextFields.size(); ++i) {
    const Value value = rows->value(static_cast<int>(i));
    if (!std::holds_alternative<Null>(value)) context.set(kContextFields.at(i), to_display(value));
  }
  const std::string extra = rows->text(static_cast<int>(kContextFields.size()));
  if (!extra.empty()) {
    const auto fields = row_from_json(extra);
    if (!fields.has_value()) context.set("not_json", extra);  // no row ends a listing
    else
      for (const Field& field : *fields) context.set(field.name, to_display(field.value));
  }
  context_id_ = id;
  context_ = context;
  return context;
}

Result<Row> Decoder::key(const Known& known, const Value& stored) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < known.shape.columns.size() && known.shape.columns[i].key > 0; ++i)
    names.push_back(known.shown[i]);
  Row key;
  if (names.empty()) return key;
  if (names.size() == 1) {
    key.push_back({names[0], stored});
    return key;
  }
  const auto* text = std::get_if<Text>(&stored);
  if (text == nullptr)
    return fail(Fault::corrupt, "read a change: a key of several columns is not text");
  json::Reader reader(text->bytes);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') {
    if (key.size() == names.size())
      return fail(Fault::corrupt, "read a change: a key with too many parts");
    const json::Span span = TRY(reader.value());
    Value part = TRY(value_from_json(span.text));
    key.push_back({names[key.size()], std::move(part)});
  }
  if (key.size() != names.size())
    return fail(Fault::corrupt, "read a change: a key with too few parts");
  return key;
}

// A key that cannot be read (an older Vestige wrote such in UTF-16 databases): what the row's values say, or its text in each
// column, so that no row ends a listing. What is sealed of it stays as it was read then.
Result<Row> Decoder::shown_key(const Known& known, const Value& stored,
                               const std::optional<Row>& values) const {
  auto read = key(known, stored);
  if (read.has_value() || names_ == Names::recorded) return read;
  Row spelled;
  for (std::size_t i = 0; i < known.shape.columns.size() && known.shape.columns[i].key > 0; ++i)
    spelled.push_back(values.has_value() && i < values->size()
                          ? values->at(i)
                          : Field{known.shown[i], Text{to_display(stored)}});
  return spelled;
}

// Key columns stand first in a shape.
bool Decoder::moved(const Known& known, const Row& changed) {
  for (std::size_t i = 0; i < known.shape.columns.size() && known.shape.columns[i].key > 0; ++i)
    for (const Field& field : changed)
      if (field.name == known.shown[i]) return true;
  return false;
}

// They stand in vestige_more, as part -1 for the slots of part 0, -2 for those of part 1, and so on.
Result<void> Decoder::take_tokens(std::int64_t change, const Known& known) {
  tokens_.clear();
  if (!known.encrypted) return {};
  auto rows = TRY(db_->query("select -1 - part" + slot_names(0, kSlots) +
                                 " from vestige_more where change = ?1 and part < 0",
                             {change}));
  while (TRY(rows->next()) == Step::row) {
    std::vector<Value>& part = tokens_[static_cast<std::size_t>(rows->integer(0))];
    for (std::size_t i = 0; i < kSlots; ++i) part.push_back(rows->value(1 + static_cast<int>(i)));
  }
  return {};
}

// What stands in the slot of a column that was redacted says nothing, and that of one that is encrypted is nobody's to see: while it
// waits for the sequencer it is the value itself.
Value Decoder::value_of(const Known& known, const Column& column, Value stored,
                        const Value* token) const {
  if (column.redacted) return redacted();
  if (column.encrypted.empty()) return stored;
  if (const auto* bytes = token == nullptr ? nullptr : std::get_if<Blob>(token); bytes != nullptr) {
    Value value = encrypted(to_base64(bytes->bytes), column.encrypted);
    const auto json =
        opener_ == nullptr ? std::nullopt : opener_->opened(value, known.shape.table, column.id);
    if (!json.has_value()) return value;
    auto plain = value_from_json(*json);
    return plain.has_value() ? std::move(*plain) : value;
  }
  return std::holds_alternative<Null>(stored) ? stored : encrypted("", column.encrypted);
}

const Value* Decoder::token(std::size_t part, std::size_t slot) const {
  const auto found = tokens_.find(part);
  return found == tokens_.end() ? nullptr : &found->second.at(slot);
}

Result<void> Decoder::row_values(const Rows& rows, const Known& known, Row& out) {
  const std::size_t count = known.shape.columns.size();
  out.reserve(count);
  for (std::size_t i = 0; i < std::min(count, kSlots); ++i)
    out.push_back(
        {known.shown[i], value_of(known, known.shape.columns[i],
                                  rows.value(kFirstSlot + static_cast<int>(i)), token(0, i))});
  if (count <= kSlots) return {};
  auto more = TRY(db_->query("select part" + slot_names(0, kSlots) +
                                 " from vestige_more where change = ?1 and part > 0 order by part",
                             {rows.integer(kId)}));
  while (TRY(more->next()) == Step::row) {
    const auto first = static_cast<std::size_t>(more->integer(0)) * kSlots;
    for (std::size_t i = first; i < std::min(count, first + kSlots); ++i)
      out.push_back({known.shown[i], value_of(known, known.shape.columns[i],
                                              more->value(1 + static_cast<int>(i - first)),
                                              token(first / kSlots, i - first))});
  }
  if (out.size() != count)
    return fail(Fault::corrupt, "read change {}: values are missing", rows.integer(kId));
  return {};
}

Result<void> Decoder::pair_values(const Rows& rows, const Known& known, Change& change) {
  Row before;
  Row after;
  const std::size_t count = known.shape.columns.size();
  const auto read_part = [&](const Rows& from, std::size_t part, std::int64_t mask, int slot) {
    for (std::size_t i = part * kPairs; i < std::min(count, (part + 1) * kPairs); ++i, slot += 2) {
      bool differs = (mask >> (i - part * kPairs) & 1) != 0;
      if (!differs && !known.shape.full) continue;
      const Column& column = known.shape.columns[i];
      const std::size_t place = 2 * (i - part * kPairs);
      const Value* new_token = token(part, place + 1);
      Value now = value_of(known, column, from.value(slot + 1), new_token);
      if (differs) {
        Value was = value_of(known, column, from.value(slot), token(part, place));
        // Values that are equal have one token; those that wait for theirs are compared themselves.
        const bool waits = !column.encrypted.empty() && new_token == nullptr;
        differs = column.redacted || !(waits ? identical(from.value(slot), from.value(slot + 1))
                                             : identical(was, now));
        if (differs) before.push_back({known.shown[i], std::move(was)});
      }
      if (differs || known.shape.full) after.push_back({known.shown[i], std::move(now)});
    }
  };
  read_part(rows, 0, rows.integer(kChanged), kFirstSlot);
  if (count > kPairs) {
    auto more =
        TRY(db_->query("select part, changed" + slot_names(0, kSlots) +
                           " from vestige_more where change = ?1 and part > 0 order by part",
                       {change.id}));
    while (TRY(more->next()) == Step::row)
      read_part(*more, static_cast<std::size_t>(more->integer(0)), more->integer(1), 2);
  }
  change.old_values = std::move(before);
  change.new_values = std::move(after);
  return {};
}

// By whom parts were erased, and how much an ERASE took.
Result<void> Decoder::erasures(const Rows& rows, Change& change) {
  const bool parts = rows.integer(kChanged) < 0;
  const bool context = names_ == Names::today && !rows.is_null(kContext) && change.context.empty();
  if (!takes_away(change.op) && !parts && !context) return {};
  if (!evidence_.has_value()) evidence_ = TRY(has_evidence(*db_));
  if (!*evidence_) return {};
  if (change.op == Op::expire) {
    change.erases = TRY(
        scalar_integer(*db_, "select changes from vestige_expired where change = ?1", {change.id}));
    return {};
  }
  if (takes_away(change.op)) {
    change.erases = TRY(
        scalar_integer(*db_, "select count(*) from vestige_erased where change = ?1", {change.id}));
    return {};
  }
  auto found =
      TRY(db_->query("select change, parts from vestige_erased where erased = ?1"
                     " order by change",
                     {change.id}));
  while (TRY(found->next()) == Step::row) {
    const std::string parts_text = found->text(1);
    for (const TakenPart& part : taken_parts(parts_text))
      change.erased.push_back({std::string(part.name), found->integer(0)});
  }
  return {};
}

Result<void> Decoder::values(const Rows& rows, const Known& known, Change& change) {
  TRY(take_tokens(change.id, known));
  switch (change.op) {
    case Op::insert:
    case Op::baseline: return row_values(rows, known, change.new_values.emplace());
    case Op::remove: return row_values(rows, known, change.old_values.emplace());
    case Op::update: return pair_values(rows, known, change);
    case Op::truncate:
    case Op::erase:
    case Op::expire: return {};
  }
  return {};
}

Result<std::optional<Change>> Decoder::decode(const Rows& rows) { return read(rows, nullptr); }

Result<std::optional<Change>> Decoder::decode_forgiving(const Rows& rows) {
  std::string unreadable;
  auto change = read(rows, &unreadable);
  if (!change.has_value()) {
    if (change.error().fault != Fault::corrupt && change.error().fault != Fault::invalid)
      return change;
    unreadable = change.error().message;
    change = TRY(as_stored(rows));
  }
  if (change->has_value()) (*change)->unreadable = std::move(unreadable);
  return change;
}

// Of a change that cannot be read: the table by its number, the key and the slots as they are. Its operation is an UPDATE, as it
// is sealed.
Result<Change> Decoder::as_stored(const Rows& rows) {
  Change change;
  change.id = rows.integer(kId);
  change.at = time_of(rows);
  change.op = op_from_letter(rows.text(kOp)).value_or(Op::update);
  change.tx = rows.integer(kTx);
  change.shape = rows.integer(kShape);
  change.table = to_display(
      TRY(scalar(*db_, "select coalesce((select name from vestige_table where id = ?1), '')",
                 {rows.integer(kTable)})));
  if (!rows.is_null(kContext)) change.context = context(rows.integer(kContext)).value_or(Context());
  if (!rows.is_null(kRowId)) change.row_id = rows.integer(kRowId);
  if (!rows.is_null(kKey)) change.key.push_back({"key", rows.value(kKey)});
  if (!rows.is_null(kNewKey)) change.new_key = Row{{"key", rows.value(kNewKey)}};
  Row slots;
  // Which of them are encrypted cannot be told where the shape cannot.
  const auto known = shapes_.find(change.shape);
  bool open = known != shapes_.end() && !known->second.encrypted;
  if (known == shapes_.end())
    for (const auto& [id, one] : shapes_)
      if (one.shape.table == rows.integer(kTable)) {
        open = !one.encrypted;
        if (one.encrypted) break;
      }
  for (std::size_t i = 0; open && i < kSlots; ++i)
    if (const int place = kFirstSlot + static_cast<int>(i); !rows.is_null(place))
      slots.push_back({fmt::format("v{}", i), rows.value(place)});
  (change.op == Op::remove ? change.old_values : change.new_values) = std::move(slots);
  return change;
}

// unreadable   where it is given, a context that is gone ends nothing, and it says so
Result<std::optional<Change>> Decoder::read(const Rows& rows, std::string* unreadable) {
  const Known& known = *TRY(shape(rows.integer(kShape)));
  Change change;
  change.id = rows.integer(kId);
  change.at = time_of(rows);
  change.op = TRY(op_from_letter(rows.text(kOp)));
  change.tx = rows.integer(kTx);
  change.shape = known.shape.id;
  change.table = known.table;
  if (names_ == Names::today && !rows.is_null(kContext)) {
    auto said = context(rows.integer(kContext));
    if (said.has_value()) change.context = std::move(said).take();
    else if (unreadable == nullptr || said.error().fault != Fault::corrupt)
      return tl::unexpected<Error>(said.error());
    else *unreadable = said.error().message;
  }
  if (!rows.is_null(kRowId)) change.row_id = rows.integer(kRowId);
  TRY(erasures(rows, change));
  const std::int64_t mark = rows.integer(kChanged);
  if (!of_a_row(change.op) || mark <= kKeyErased) return std::optional<Change>(std::move(change));
  if (mark >= 0) TRY(values(rows, known, change));
  const auto& whole = change.op == Op::remove ? change.old_values : change.new_values;
  change.key =
      TRY(shown_key(known, rows.value(kKey), change.op == Op::update ? std::nullopt : whole));
  if (change.op == Op::update) {
    if (mark >= 0 && names_ == Names::today && !every_ && change.old_values->empty())
      return std::optional<Change>();
    // Null, too, can be a new key.
    if ((mark >= 0 && moved(known, *change.old_values)) ||
        ((mark < 0 || names_ == Names::recorded) && !rows.is_null(kNewKey)))
      change.new_key = TRY(shown_key(known, rows.value(kNewKey), std::nullopt));
  }
  return std::optional<Change>(std::move(change));
}

Result<Value> stored_key(Database& db, const Row& key) {
  if (key.size() == 1) return key[0].value;
  std::vector<std::string> names;
  std::string given;
  Params values;
  for (const Field& field : key) {
    values.push_back(field.value);
    names.push_back(fmt::format("k.k{}", values.size()));
    given += fmt::format("{}?{} as k{}", given.empty() ? "" : ", ", values.size(), values.size());
  }
  return scalar(db, fmt::format("select {} from (select {}) as k", key_expression(names), given),
                values);
}

}  // namespace vestige
