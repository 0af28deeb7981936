#include "vestige/record/change.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

constexpr std::string_view kLetters = "IUDTBEX";
static_assert(kLetters.size() == kOpNames.size());

std::size_t rank(std::string_view field) {
  return static_cast<std::size_t>(std::find(kContextFields.begin(), kContextFields.end(), field) -
                                  kContextFields.begin());
}

std::string values_json(const std::optional<Row>& values) {
  return values.has_value() ? to_json(*values) : "null";
}

}  // namespace

std::string_view name(Op op) { return kOpNames.at(static_cast<std::size_t>(op)); }

std::string_view letter(Op op) { return kLetters.substr(static_cast<std::size_t>(op), 1); }

Result<Op> op_from_letter(std::string_view letter) {
  const std::size_t place = letter.size() == 1 ? kLetters.find(letter) : std::string_view::npos;
  if (place == std::string_view::npos)
    return fail(Fault::corrupt, "read a change: unknown operation '{}'", letter);
  return static_cast<Op>(place);
}

bool of_a_row(Op op) { return op != Op::truncate && !takes_away(op); }

bool takes_away(Op op) { return op == Op::erase || op == Op::expire; }

Result<Op> op_from_name(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (std::size_t i = 0; i < kOpNames.size(); ++i)
    if (kOpNames.at(i) == upper) return static_cast<Op>(i);
  return hinted(fail(Fault::invalid, "read the operation '{}': unknown", name),
                "one of insert, update, delete, truncate, baseline, erase");
}

bool is_context_field(std::string_view name) { return rank(name) < kContextFields.size(); }

bool is_well_signed(std::string_view word) { return word == "signed" || word == "bound"; }

void Context::set(std::string_view field, std::string value) {
  const auto place = std::find_if(fields_.begin(), fields_.end(), [&](const auto& entry) {
    return std::pair(rank(entry.first), std::string_view(entry.first)) >=
           std::pair(rank(field), field);
  });
  if (place != fields_.end() && place->first == field) place->second = std::move(value);
  else fields_.insert(place, {std::string(field), std::move(value)});
}

const std::string* Context::get(std::string_view field) const {
  for (const auto& [name, value] : fields_)
    if (name == field) return &value;
  return nullptr;
}

std::string to_json(const Context& context) {
  std::string out = "{";
  for (const auto& [name, value] : context.fields()) {
    if (out.size() > 1) out += ',';
    json::append_string(out, name);
    out += ':';
    append_json(out, Text{value});
  }
  return out + "}";
}

std::vector<std::string> Change::changed_fields() const {
  std::vector<std::string> names;
  if (op == Op::update && old_values.has_value())
    for (const Field& field : *old_values) names.push_back(field.name);
  return names;
}

const std::string* Change::who() const {
  if (const std::string* actor = context.get("actor"); actor != nullptr) return actor;
  if (erased_by("context").has_value()) return nullptr;
  return db_user.has_value() ? &*db_user : nullptr;
}

bool Change::lost_values() const {
  return of_a_row(op) && !old_values.has_value() && !new_values.has_value();
}

std::string Change::how_lost() const {
  const auto by = erased_by("values");
  return by.has_value() ? fmt::format("its values were erased by change {}", *by)
                        : "its values are gone, and no ERASE says who took them";
}

std::optional<std::int64_t> Change::erased_by(std::string_view part) const {
  for (const ErasedPart& one : erased)
    if (one.part == part) return one.by;
  return std::nullopt;
}

std::string to_json(const Change& change) {
  std::string out = "{";
  if (change.index.has_value()) out += fmt::format("\"index\":{},", *change.index);
  out += fmt::format(R"("id":{},"at":"{}","op":"{}","table":{},"key":{})", change.id,
                     format_time(change.at), name(change.op), json::quote(change.table),
                     to_json(change.key));
  if (change.new_key.has_value()) out += ",\"new_key\":" + to_json(*change.new_key);
  if (change.row_id.has_value()) out += fmt::format(",\"row_id\":{}", *change.row_id);
  out += ",\"old_values\":" + values_json(change.old_values);
  out += ",\"new_values\":" + values_json(change.new_values);
  if (change.op == Op::update && !change.lost_values()) {
    out += ",\"changed_fields\":[";
    bool first = true;
    for (const std::string& field : change.changed_fields()) {
      if (!std::exchange(first, false)) out += ',';
      json::append_string(out, field);
    }
    out += ']';
  }
  out += fmt::format(",\"tx\":{},\"context\":{},\"db_user\":", change.tx, to_json(change.context));
  append_json(out, change.db_user.has_value() ? Value(Text{*change.db_user}) : Value(Null{}));
  if (!change.signed_word.empty()) out += fmt::format(R"(,"signed":"{}")", change.signed_word);
  if (!change.erased.empty()) {
    out += ",\"erased\":{";
    for (const ErasedPart& one : change.erased)
      out += fmt::format("{}\"{}\":{}", out.back() == '{' ? "" : ",", one.part, one.by);
    out += '}';
  }
  if (takes_away(change.op)) out += fmt::format(",\"erases\":{}", change.erases);
  if (!change.unreadable.empty()) out += ",\"unreadable\":" + json::quote(change.unreadable);
  return out + "}";
}

}  // namespace vestige
