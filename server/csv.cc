#include "server/csv.h"

#include <cmath>

#include "vestige/base/json.h"
#include "vestige/base/time.h"

namespace vestige::server {
namespace {

// What a spreadsheet would take for a formula; a number is none.
bool is_formula(std::string_view field) {
  if (field.starts_with('"')) field.remove_prefix(1);
  if (field.empty() || std::string_view("=+-@\t\r").find(field.front()) == std::string_view::npos)
    return false;
  if (field.front() != '-' && field.front() != '+') return true;
  field.remove_prefix(1);
  const bool number = !field.empty() && field.find_first_not_of("0123456789.eE+-") == field.npos &&
                      field.front() >= '0' && field.front() <= '9';
  const std::size_t sign = field.find_first_of("+-");
  const bool plain =
      sign == field.npos || (sign > 0 && (field[sign - 1] == 'e' || field[sign - 1] == 'E'));
  return !(number && plain) && field != "Inf";
}

// With an apostrophe before it, which makes a spreadsheet show it as the text that it is.
std::string guarded(const std::string& field) {
  return field.starts_with('"') ? "\"'" + field.substr(1) : "'" + field;
}

}  // namespace

std::string csv_record(const std::vector<std::string>& fields, bool raw) {
  std::string record;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    record += i == 0 ? "" : ",";
    record += raw || !is_formula(fields[i]) ? fields[i] : guarded(fields[i]);
  }
  return record + "\r\n";
}

std::string csv_text(std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
      text.front() != ' ' && text.back() != ' ')
    return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string csv_field(const Value& value) {
  if (std::holds_alternative<Null>(value)) return "";
  if (const Text* text = std::get_if<Text>(&value)) return csv_text(text->bytes);
  if (const double* real = std::get_if<double>(&value); real != nullptr && std::isinf(*real))
    return *real > 0 ? "Inf" : "-Inf";
  return csv_text(to_display(value));
}

std::string erased_text(const Change& change) {
  std::string out;
  for (const ErasedPart& one : change.erased)
    out += fmt::format("{}{} erased by change {}", out.empty() ? "" : ", ", one.part, one.by);
  if (takes_away(change.op))
    out += fmt::format("{}{} change{}", change.op == Op::expire ? "" : "parts of ", change.erases,
                       change.erases == 1 ? "" : "s");
  return out;
}

std::vector<std::string> change_heads(bool index) {
  std::vector<std::string> names = {
      "id",      "at",         "op",         "table",          "key",
      "new_key", "old_values", "new_values", "changed_fields", "tx",
      "actor",   "reason",     "context",    "db_user",        "erased",
      "who"};
  if (index) names.push_back("index");
  return names;
}

std::vector<std::string> change_fields(const Change& change, bool index) {
  const auto object = [](const std::optional<Row>& row) {
    return row.has_value() ? csv_text(to_json(*row)) : "";
  };
  const auto optional = [](const std::string* text) {
    return text == nullptr ? "" : csv_text(*text);
  };
  std::string fields;
  for (const std::string& field : change.changed_fields())
    fields += (fields.empty() ? "" : ",") + json::quote(field);
  std::vector<std::string> cells = {std::to_string(change.id),
                                    format_time(change.at),
                                    std::string(name(change.op)),
                                    csv_text(change.table),
                                    csv_text(to_json(change.key)),
                                    object(change.new_key),
                                    object(change.old_values),
                                    object(change.new_values),
                                    change.op == Op::update ? csv_text("[" + fields + "]") : "",
                                    std::to_string(change.tx),
                                    optional(change.context.get("actor")),
                                    optional(change.context.get("reason")),
                                    csv_text(to_json(change.context)),
                                    change.db_user.has_value() ? csv_text(*change.db_user) : "",
                                    csv_text(erased_text(change)),
                                    optional(change.who())};
  if (index) cells.push_back(std::to_string(change.index.value_or(0)));
  return cells;
}

}  // namespace vestige::server
