#include "vestige/source/archived_change.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/base/number.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

bool has_token(const Row& row) {
  return std::any_of(row.begin(), row.end(), [](const Field& field) {
    return std::holds_alternative<Token>(field.value) && !is_withheld(field.value);
  });
}

bool has_token(const std::optional<Row>& row) { return row.has_value() && has_token(*row); }

Result<Value> value_of(const json::Span& span, bool tokens) {
  const bool plain = span.kind == json::Kind::null || span.kind == json::Kind::string;
  if (!tokens || plain || span.text.starts_with("{\"$text\":")) return value_from_json(span.text);
  return Value(Token{std::string(span.text)});
}

Result<Row> row_of(std::string_view object, bool tokens) {
  Row row;
  json::Reader reader(object);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    std::string name = TRY(reader.key());
    Value value = TRY(value_of(TRY(reader.value()), tokens));
    row.push_back({std::move(name), std::move(value)});
  }
  TRY(reader.end());
  return row;
}

Result<std::optional<Row>> row_or_none(const json::Span& span, bool tokens) {
  if (span.kind == json::Kind::null) return std::optional<Row>();
  return std::optional<Row>(TRY(row_of(span.text, tokens)));
}

template <class Number>
Result<Number> number(std::string_view text) {
  if (const auto out = whole_number<Number>(text); out.has_value()) return *out;
  return fail(Fault::corrupt, "{} is no number", text);
}

Result<Context> context_of(std::string_view object) {
  Context context;
  for (const Field& field : TRY(row_of(object, false)))
    context.set(field.name, to_display(field.value));
  return context;
}

Result<std::vector<ErasedPart>> erased_of(std::string_view object) {
  std::vector<ErasedPart> out;
  json::Reader reader(object);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    std::string part = TRY(reader.key());
    const auto by = TRY(number<std::int64_t>(TRY(reader.value()).text));
    out.push_back({std::move(part), by});
  }
  TRY(reader.end());
  return out;
}

// One member of the object; what nobody knows is passed over.
Result<void> member(ArchivedChange& out, const std::string& name, const json::Span& value,
                    bool tokens) {
  Change& change = out.change;
  if (name == "index") change.index = TRY(number<std::uint64_t>(value.text));
  if (name == "id") change.id = TRY(number<std::int64_t>(value.text));
  if (name == "at") change.at = TRY(parse_time(TRY(json::unquote(value.text)), Now(0)));
  if (name == "op") change.op = TRY(op_from_name(TRY(json::unquote(value.text))));
  if (name == "table") change.table = TRY(json::unquote(value.text));
  if (name == "key") change.key = TRY(row_of(value.text, tokens));
  if (name == "new_key") change.new_key = TRY(row_or_none(value, tokens));
  if (name == "row_id") change.row_id = TRY(number<std::int64_t>(value.text));
  if (name == "old_values") change.old_values = TRY(row_or_none(value, tokens));
  if (name == "new_values") change.new_values = TRY(row_or_none(value, tokens));
  if (name == "tx") change.tx = TRY(number<std::int64_t>(value.text));
  if (name == "context") change.context = TRY(context_of(value.text));
  if (name == "db_user" && value.kind != json::Kind::null)
    change.db_user = to_display(TRY(value_from_json(value.text)));
  if (name == "erased") change.erased = TRY(erased_of(value.text));
  if (name == "erases") change.erases = TRY(number<std::int64_t>(value.text));
  if (name == "unreadable") change.unreadable = TRY(json::unquote(value.text));
  if (name == "shape") change.shape = TRY(number<std::int64_t>(value.text));
  if (name == "table_id") out.table_id = TRY(number<std::int64_t>(value.text));
  if (name == "shown") out.shown = value.text == "true";
  return {};
}

Result<ArchivedChange> read(std::string_view line, bool tokens) {
  ArchivedChange out;
  json::Reader reader(line);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string name = TRY(reader.key());
    TRY(member(out, name, TRY(reader.value()), tokens));
  }
  TRY(reader.end());
  if (!out.change.index.has_value() || out.change.id == 0)
    return fail(Fault::corrupt, "it is no change");
  return out;
}

}  // namespace

bool has_tokens(const Change& change) {
  return has_token(change.key) || has_token(change.new_key) || has_token(change.old_values) ||
         has_token(change.new_values);
}

std::string archived_json(const Change& change, std::int64_t table_id, std::uint64_t index) {
  Change placed = change;
  placed.index = index;
  std::string out = to_json(placed);
  out.pop_back();
  return out + fmt::format(R"(,"shape":{},"table_id":{}}})", change.shape, table_id);
}

std::string unshown_json(const Entry& entry, std::uint64_t index) {
  return fmt::format(
      R"({{"index":{},"id":{},"at":"{}","op":"{}","table":{},"tx":{},"table_id":{},"shown":false}})",
      index, entry.id, format_time(entry.at), entry.op, text_json(entry.table), entry.tx,
      entry.table_id);
}

Result<ArchivedChange> archived_change(std::string_view line, bool tokens) {
  auto out = read(line, tokens);
  if (out.has_value()) return out;
  return fail(Fault::corrupt, "read an archived change: {}", out.error().message);
}

void lose(Change& change, const ErasedPart& taken) {
  if (taken.part == "values") {
    change.old_values.reset();
    change.new_values.reset();
  } else if (taken.part == "key") {
    change.key.clear();
    change.new_key.reset();
    change.row_id.reset();
  } else {
    change.context = Context();
  }
  change.erased.push_back(taken);
}

std::string not_said(const ArchivedChange& said, const Entry& proved, std::uint64_t index) {
  const Change& change = said.change;
  // Of a change that cannot be read its time and its transaction may be sealed as none.
  const bool broken = !change.unreadable.empty();
  std::string_view what;
  if (change.index != index) what = "place";
  else if (change.id != proved.id) what = "id";
  else if (name(change.op) != proved.op) what = "operation";
  else if (change.tx != proved.tx && !(broken && proved.tx == 0)) what = "transaction";
  else if (change.at != proved.at && !(broken && proved.at == 0)) what = "time";
  else if (said.table_id != proved.table_id) what = "table";
  if (what.empty()) return "";
  return fmt::format("its {} is not the one that is proved", what);
}

}  // namespace vestige
