#include "vestige/trail/postgres/decode.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/number.h"
#include "vestige/trail/postgres/catalog.h"
#include "vestige/trail/postgres/row_text.h"

namespace vestige::postgres {
namespace {

// Places of the query's columns.
enum Place {
  kId,
  kAt,
  kOp,
  kShape,
  kKey,
  kNewKey,
  kOldRow,
  kNewRow,
  kServed,
  kContext,
  kTx,
  kFields,
  kDbUser,
  kErased,
  kErases
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// As to_jsonb prints a time: with a T, and with minutes in its zone; " BC" stays behind it.
std::string iso_time(std::string text) {
  const std::size_t size = text.size() - (text.ends_with(" BC") ? 3 : 0);
  if (size >= 3 && (text[size - 3] == '+' || text[size - 3] == '-') && is_digit(text[size - 2]) &&
      is_digit(text[size - 1]))
    text.insert(size, ":00");
  const std::size_t space = text.find(' ');
  if (space != std::string::npos && space + 1 < text.size() && is_digit(text[space + 1]))
    text[space] = 'T';
  return text;
}

Result<std::vector<ErasedPart>> erased_parts(const Rows& rows) {
  std::vector<ErasedPart> parts;
  if (rows.is_null(kErased)) return parts;
  for (const Field& field : TRY(row_of_tokens(to_json(rows.value(kErased))))) {
    const auto by = TRY(parse_decimal(to_json(field.value)));
    parts.push_back({field.name, static_cast<std::int64_t>(by)});
  }
  return parts;
}

Result<std::optional<Row>> row_or_null(json::Reader& list) {
  const json::Span item = TRY(list.value());
  if (item.kind == json::Kind::null) return std::optional<Row>();
  return std::optional<Row>(TRY(row_of_tokens(item.text)));
}

// What vestige.decode made of a change: its key, its new key, its old and new values.
Result<void> take_served(const std::string& text, Change& change) {
  json::Reader list(text);
  TRY(list.open('['));
  TRY(list.more('['));
  change.key = TRY(row_or_null(list)).value_or(Row());
  TRY(list.more('['));
  change.new_key = TRY(row_or_null(list));
  TRY(list.more('['));
  change.old_values = TRY(row_or_null(list));
  TRY(list.more('['));
  change.new_values = TRY(row_or_null(list));
  return {};
}

}  // namespace

// The server reads arrays, by the types that they have. A context of plain texts needs no reading by it. Only what has
// nothing where something was can have been erased.
std::string_view change_columns() {
  return R"(c.id, case when c.at > '-infinity' and c.at < '200000-01-01' then (extract(epoch from c.at) * 1000000)::int8 end, c.op::text, c.shape, c.key, c.new_key,
    c.old_row, c.new_row,
    case when pg_catalog.strpos(pg_catalog.concat(c.old_row, c.new_row, c.key, c.new_key), '{') > 0
           and exists (select from vestige.shape s
                       where s.id = c.shape and s.columns @> '[{"kind": "cast"}]')
         then (select pg_catalog.json_build_array(d.key, d.new_key, d.old_values, d.new_values)
               from vestige.decode(c) d) end,
    x.id, x.tx,
    case when x.fields ~ '^\{"[^"\\\x01-\x1f]*": ?"[^"\\\x01-\x1f]*"(, ?"[^"\\\x01-\x1f]*": ?"[^"\\\x01-\x1f]*")*\}$'
         then x.fields else vestige.given_fields(x.fields)::text end,
    x.db_user,
    case when (select exists (select from vestige.erased))
           and (x.fields is null or c.old_row is null and c.new_row is null and c.op not in ('T', 'E', 'X'))
         then vestige.erased_parts(c.id) end,
    case when c.op in ('E', 'X') then vestige.erases(c.id) end)";
}

Result<Value> value_of(std::string_view kind, const std::optional<std::string>& text) {
  if (!text.has_value()) return Null{};
  if (kind == "number") {
    const std::size_t first = text->starts_with('-') ? 1 : 0;
    if (first < text->size() && is_digit((*text)[first])) return Token{*text};
  } else if (kind == "json") {
    // What cannot be read is shown as its text: no row ends a listing.
    json::Reader reader(*text);
    const auto token = reader.value();
    if (!token.has_value() || !reader.end().has_value()) return Text{*text};
    if (token->kind == json::Kind::null) return Null{};
    if (token->kind != json::Kind::string) return Token{std::string(token->text)};
    auto bytes = json::unquote(token->text);
    return Text{bytes.has_value() ? std::move(bytes).take() : *text};
  } else if (kind == "boolean") {
    return Token{*text == "t" || *text == "true" ? "true" : "false"};
  } else if (kind == "time" && !text->empty() && is_digit(text->front())) {
    return Text{iso_time(*text)};
  }
  return Text{*text};
}

namespace {

// A shape's columns in SQL: none where they are no list, so that no row ends a listing.
std::string columns_of(std::string_view shape) {
  return fmt::format(
      "pg_catalog.jsonb_array_elements(case pg_catalog.jsonb_typeof({0}.columns)"
      " when 'array' then {0}.columns else '[]' end)",
      shape);
}

}  // namespace

// In the alphabet of base64 there is no dash.
Value token_value(const std::string& text, const std::string& of) {
  return text.starts_with('-') ? redacted() : encrypted(text, of);
}

Result<Decoder> Decoder::open(Database& db, std::optional<std::int64_t> table) {
  Decoder decoder(db, table);
  TRY(decoder.load());
  return decoder;
}

Result<void> Decoder::load() {
  Params values;
  if (table_.has_value()) values.emplace_back(*table_);
  auto rows = TRY(db_->query(
      fmt::format("select s.id, vestige.shown_name(t.schema_name, t.table_name), s.whole,"
                  " coalesce(t.policy ->> 'capture' = 'full', false),"
                  " coalesce((select n ->> 'name' from {} n"
                  " where p.id <> s.id and n -> 'id' = i.item -> 'id' limit 1), i.item ->> 'name'),"
                  " i.item ->> 'kind', i.item ->> 'key', coalesce(i.item ->> 'left_out', '0'),"
                  " (i.item ? 'redacted')::int, (s.columns <> '[]')::int,"
                  " coalesce(i.item ->> 'encrypted', ''), coalesce(i.item ->> 'id', '0'), t.id"
                  " from vestige.tracked t join vestige.shape s on s.tracked = t.id"
                  " left join vestige.shape p on p.id = t.shape"
                  " left join lateral {} with ordinality"
                  " as i(item, place) on true{} order by s.id, i.place",
                  columns_of("p"), columns_of("s"),
                  table_.has_value() ? " where t.id = ?1::int" : ""),
      values));
  shapes_.clear();
  while (TRY(rows->next()) == Step::row) {
    Shape& shape = shapes_[rows->integer(0)];
    shape.table = rows->text(1);
    shape.whole = rows->integer(2) != 0;
    shape.full = shape.whole && rows->integer(3) != 0;
    const auto key = whole_number<std::int64_t>(rows->text(6));
    const auto left_out = whole_number<std::int64_t>(rows->text(7)).value_or(0);
    const bool nothing = rows->is_null(4) && rows->is_null(5) && rows->is_null(6);
    if (nothing && rows->integer(9) == 0) continue;  // no columns
    shape.unreadable = shape.unreadable || rows->is_null(4) || rows->is_null(5) || !key.has_value();
    shape.columns.push_back({.name = rows->text(4),
                             .kind = rows->text(5),
                             .key = key.value_or(0) > 0,
                             .old_left_out = (left_out & 1) != 0,
                             .new_left_out = (left_out & 2) != 0,
                             .redacted = rows->integer(8) != 0,
                             .encrypted = rows->text(10),
                             .id = whole_number<std::int64_t>(rows->text(11)).value_or(0),
                             .table = rows->integer(12)});
    if (shape.columns.back().key) ++shape.keys;
  }
  return {};
}

Result<const Decoder::Shape*> Decoder::shape(std::int64_t id) {
  auto known = shapes_.find(id);
  if (known == shapes_.end()) {
    TRY(load());  // made since we began to read
    known = shapes_.find(id);
  }
  if (known == shapes_.end()) return fail(Fault::corrupt, "no shape {}", id);
  if (known->second.unreadable)
    return fail(Fault::corrupt, "read shape {}: a column without name, kind or key", id);
  return &known->second;
}

Result<Context> Decoder::context(const Rows& rows) {
  if (rows.is_null(kContext)) return Context();
  if (rows.integer(kContext) == context_id_) return context_;
  context_ = Context();
  context_id_ = rows.integer(kContext);
  if (rows.is_null(kFields)) return context_;
  const auto fields = row_of_tokens(rows.text(kFields));
  if (!fields.has_value()) {
    context_.set("not_json", rows.text(kFields));
    return context_;
  }
  for (const Field& field : *fields)
    context_.set(field.name, std::holds_alternative<Text>(field.value)
                                 ? std::get<Text>(field.value).bytes
                                 : to_json(field.value));
  return context_;
}

bool Decoder::fields(const Rows& rows, int place, std::size_t count, Fields& out) {
  if (!read_row_text(rows.text(place), out)) return false;
  if (count == 0 && out.size() == 1 && !out[0].has_value()) out.clear();
  return out.size() == count;
}

// What is encrypted, as it is where somebody has an identity.
Result<Value> Decoder::shown(const Column& column, Value token) {
  const auto text =
      opener_ == nullptr ? std::nullopt : opener_->opened(token, column.table, column.id);
  if (!text.has_value()) return token;
  return value_of(column.kind, text);
}

Result<void> Decoder::open_served(const Shape& shape, std::optional<Row>& row) {
  if (opener_ == nullptr || !row.has_value()) return {};
  for (Field& field : *row)
    for (const Column& column : shape.columns)
      if (column.name == field.name && encrypted_token(field.value).has_value())
        field.value = TRY(shown(column, std::move(field.value)));
  return {};
}

Result<void> Decoder::open(Change& change) {
  const auto known = opener_ == nullptr ? Result<const Shape*>(nullptr) : shape(change.shape);
  if (opener_ == nullptr || !known.has_value()) return {};
  TRY(open_served(**known, change.old_values));
  return open_served(**known, change.new_values);
}

Result<void> Decoder::add(Row& row, const Column& column, const std::optional<std::string>& field,
                          bool left_out) {
  row.push_back({column.name, Null{}});
  if (column.redacted) row.back().value = redacted();
  else if (left_out) row.back().value = unrecorded();
  else if (!column.encrypted.empty() && field.has_value())
    row.back().value = TRY(shown(column, token_value(*field, column.encrypted)));
  else row.back().value = TRY(value_of(column.kind, field));
  return {};
}

Result<Row> Decoder::key(const Shape& shape, const Rows& rows, int place) {
  if (rows.is_null(place)) key_fields_.assign(shape.keys, std::nullopt);
  else if (shape.keys == 1) key_fields_.assign(1, rows.text(place));
  else if (!fields(rows, place, shape.keys, key_fields_))
    return fail(Fault::corrupt, "its key does not fit the columns");
  Row row;
  row.reserve(shape.keys);
  for (std::size_t i = 0; i < shape.keys; ++i)
    TRY(add(row, shape.columns[i], key_fields_[i], false));
  return row;
}

Result<void> Decoder::values(const Rows& rows, const Shape& shape, Change& change) {
  const bool has_old = !rows.is_null(kOldRow);
  const bool has_new = !rows.is_null(kNewRow);
  const std::size_t count = shape.columns.size();
  old_fields_.assign(count, std::nullopt);
  new_fields_.assign(count, std::nullopt);
  if ((has_old && !fields(rows, kOldRow, count, old_fields_)) ||
      (has_new && !fields(rows, kNewRow, count, new_fields_)))
    return fail(Fault::corrupt, "its values do not fit the columns");
  if (has_old) change.old_values.emplace();
  if (has_new) change.new_values.emplace();
  for (std::size_t i = 0; i < count; ++i) {
    const Column& column = shape.columns[i];
    // In an UPDATE the fields that did not change are empty on both sides, or the same where all are kept.
    const bool changed = change.op != Op::update || old_fields_[i] != new_fields_[i] ||
                         (old_fields_[i].has_value() && !shape.whole) || column.old_left_out ||
                         column.new_left_out;
    if (has_old && changed)
      TRY(add(*change.old_values, column, old_fields_[i], column.old_left_out));
    if (has_new && (changed || shape.full))
      TRY(add(*change.new_values, column, new_fields_[i], column.new_left_out));
  }
  return {};
}

Result<Change> Decoder::read(const Rows& rows) {
  Change change;
  change.id = rows.integer(kId);
  change.at = rows.integer(kAt);
  change.op = TRY(op_from_letter(rows.text(kOp)));
  change.shape = rows.integer(kShape);
  const Shape& shape = *TRY(this->shape(change.shape));
  change.table = shape.table;
  change.erased = TRY(erased_parts(rows));
  if (!rows.is_null(kServed)) {
    TRY(take_served(to_json(rows.value(kServed)), change));
    TRY(open_served(shape, change.old_values));
    TRY(open_served(shape, change.new_values));
  } else {
    const bool keyless = !of_a_row(change.op) || change.erased_by("key").has_value();
    if (!keyless) change.key = TRY(key(shape, rows, kKey));
    if (!rows.is_null(kNewKey)) change.new_key = TRY(key(shape, rows, kNewKey));
    TRY(values(rows, shape, change));
  }
  change.erases = rows.integer(kErases);
  change.tx = rows.integer(kTx);
  change.context = TRY(context(rows));
  if (!rows.is_null(kDbUser)) change.db_user = rows.text(kDbUser);
  return change;
}

// Of a change that cannot be read: the table by its number, key and rows as they are. Its operation is an UPDATE, as it is sealed.
Result<Change> Decoder::as_stored(const Rows& rows) {
  Change change;
  change.id = rows.integer(kId);
  change.at = rows.integer(kAt);
  change.op = op_from_letter(rows.text(kOp)).value_or(Op::update);
  change.shape = rows.integer(kShape);
  change.table = to_display(
      TRY(scalar(*db_,
                 "select coalesce((select vestige.shown_name(t.schema_name, t.table_name) from"
                 " vestige.change c join vestige.tracked t on t.id = c.tracked where c.id ="
                 " ?1::int8 limit 1), '')",
                 {change.id})));
  if (!rows.is_null(kKey)) change.key.push_back({"key", rows.value(kKey)});
  if (!rows.is_null(kNewKey)) change.new_key = Row{{"key", rows.value(kNewKey)}};
  if (!rows.is_null(kOldRow)) change.old_values = Row{{"row", rows.value(kOldRow)}};
  if (!rows.is_null(kNewRow)) change.new_values = Row{{"row", rows.value(kNewRow)}};
  change.tx = rows.integer(kTx);
  change.context = TRY(context(rows));
  if (!rows.is_null(kDbUser)) change.db_user = rows.text(kDbUser);
  return change;
}

Result<Change> Decoder::decode_forgiving(const Rows& rows) {
  auto change = read(rows);
  if (!change.has_value()) {
    if (change.error().fault == Fault::offline) return change;
    const std::string why = change.error().message;
    change = TRY(as_stored(rows));
    change->unreadable = why;
  } else if (rows.is_null(kContext)) {
    change->unreadable = "its context is gone";
  } else if (rows.is_null(kAt)) {
    change->unreadable = "its time is none";
  }
  return change;
}

Result<Change> Decoder::decode(const Rows& rows) {
  auto change = read(rows);
  if (!change.has_value() && change.error().fault != Fault::offline)
    return fail(Fault::corrupt, "read change {}: {}", rows.integer(kId), change.error().message);
  return change;
}

}  // namespace vestige::postgres
