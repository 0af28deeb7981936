#include "cli/change_text.h"

#include <algorithm>

#include "cli/printable.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {
namespace {

std::string shown(const Value* value) { return value == nullptr ? "(none)" : to_display(*value); }

std::string values_text(const Row& row, const Row& key) {
  std::string out;
  for (const Field& field : row)
    if (find(key, field.name) == nullptr)
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", field.name, to_display(field.value));
  return out;
}

struct Edit {
  std::string column;
  const Value* before;
  const Value* after;
};

// The columns of an UPDATE that changed, the key's columns among them.
std::vector<Edit> edits(const Change& change) {
  std::vector<Edit> all;
  const Row none;
  const Row& after = change.new_values.has_value() ? *change.new_values : none;
  if (change.new_key.has_value())
    for (const Field& field : *change.new_key)
      if (const Value* before = find(change.key, field.name);
          before == nullptr || !identical(*before, field.value))
        all.push_back({field.name, before, &field.value});
  if (change.old_values.has_value())
    for (const Field& field : *change.old_values)
      if (std::none_of(all.begin(), all.end(),
                       [&](const Edit& edit) { return edit.column == field.name; }))
        all.push_back({field.name, &field.value, find(after, field.name)});
  return all;
}

}  // namespace

std::string what_changed(const Change& change) {
  if (change.op != Op::update) {
    const auto& values = change.op == Op::remove ? change.old_values : change.new_values;
    return values.has_value() ? values_text(*values, change.key) : "";
  }
  std::string out;
  for (const Edit& edit : edits(change))
    out += fmt::format("{}{}: {} → {}", out.empty() ? "" : ", ", edit.column, shown(edit.before),
                       shown(edit.after));
  return out;
}

Piece op_piece(Op op) {
  const Label label = op == Op::update                         ? Label::update
                      : op == Op::insert || op == Op::baseline ? Label::insert
                                                               : Label::remove;
  return {label, std::string(name(op))};
}

std::string key_words(const Row& key) {
  return key.size() == 1 ? to_display(key.front().value) : key_text(key);
}

std::string context_text(const Change& change, std::string_view field) {
  const std::string* text = change.context.get(field);
  return text == nullptr ? "" : *text;
}

void print_change(Output& output, const Change& change) {
  output.line({{Label::id, fmt::format("change {}", change.id)},
               {Label::plain, "  "},
               op_piece(change.op),
               {Label::plain, " "},
               {Label::name, change.table},
               {Label::plain, change.key.empty() ? "" : " " + key_text(change.key)}});
  const auto head = [&](std::string_view name, Piece piece) {
    output.line(
        {{Label::faint, fmt::format("{:<12}", fmt::format("{}:", name))}, std::move(piece)});
  };
  head("time", {Label::time, format_time(change.at)});
  head("tx", {Label::id, std::to_string(change.tx)});
  if (change.db_user.has_value()) head("db user", {Label::person, *change.db_user});
  for (const auto& [field, value] : change.context.fields()) {
    std::string spoken = field;
    std::replace(spoken.begin(), spoken.end(), '_', ' ');
    head(spoken, {field == "actor" ? Label::person : Label::plain, value});
  }
  output.line({});
  const auto value_line = [&](Label label, char sign, const std::string& column,
                              const Value& value) {
    output.line({{label, fmt::format("  {} {}: {}", sign, column, to_display(value))}});
  };
  if (change.op == Op::update) {
    for (const Edit& edit : edits(change)) {
      if (edit.before != nullptr) value_line(Label::before, '-', edit.column, *edit.before);
      if (edit.after != nullptr) value_line(Label::after, '+', edit.column, *edit.after);
    }
    return;
  }
  if (change.old_values.has_value())
    for (const Field& field : *change.old_values)
      value_line(Label::before, '-', field.name, field.value);
  if (change.new_values.has_value())
    for (const Field& field : *change.new_values)
      value_line(Label::after, '+', field.name, field.value);
}

void print_csv_head(Output& output) {
  output.csv({"id", "at", "op", "table", "key", "new_key", "old_values", "new_values",
              "changed_fields", "tx", "actor", "reason", "context", "db_user"});
}

void print_csv(Output& output, const Change& change) {
  const auto object = [](const std::optional<Row>& row) {
    return row.has_value() ? csv_text(to_json(*row)) : "";
  };
  const auto optional = [](const std::string* text) {
    return text == nullptr ? "" : csv_text(*text);
  };
  std::string fields;
  for (const std::string& field : change.changed_fields())
    fields += (fields.empty() ? "" : ",") + json::quote(field);
  output.csv({std::to_string(change.id), format_time(change.at), std::string(name(change.op)),
              csv_text(change.table), csv_text(to_json(change.key)), object(change.new_key),
              object(change.old_values), object(change.new_values),
              change.op == Op::update ? csv_text("[" + fields + "]") : "",
              std::to_string(change.tx), optional(change.context.get("actor")),
              optional(change.context.get("reason")), csv_text(to_json(change.context)),
              change.db_user.has_value() ? csv_text(*change.db_user) : ""});
}

}  // namespace vestige::cli
