#include "cli/change_text.h"

#include <algorithm>
#include <cmath>

#include "cli/printable.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/record/difference.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {
namespace {

std::string values_text(const Row& row, const Row& key) {
  std::string out;
  for (const Field& field : row)
    if (find(key, field.name) == nullptr)
      out += fmt::format("{}{}: {}", out.empty() ? "" : ", ", field.name, value_text(field.value));
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
  if (change.new_key.has_value())
    for (const Field& field : *change.new_key)
      if (const Value* before = find(change.key, field.name);
          before != nullptr && !identical(*before, field.value))
        all.push_back({field.name, before, &field.value});
  if (!change.old_values.has_value() || !change.new_values.has_value()) return all;
  for (const Field& field : *change.old_values) {
    const Value* after = find(*change.new_values, field.name);
    const bool known = std::any_of(all.begin(), all.end(),
                                   [&](const Edit& edit) { return edit.column == field.name; });
    if (after != nullptr && !known) all.push_back({field.name, &field.value, after});
  }
  return all;
}

}  // namespace

std::string value_text(const Value& value) {
  if (const Text* text = std::get_if<Text>(&value); text != nullptr)
    return text->bytes.empty() || text->bytes == "null" ? "'" + text->bytes + "'" : text->bytes;
  if (const double* real = std::get_if<double>(&value); real != nullptr && std::isinf(*real))
    return *real > 0 ? "Inf" : "-Inf";
  return to_display(value);
}

Pair pair_text(const Value& before, const Value& after) {
  Pair pair = {value_text(before), value_text(after)};
  return pair.before == pair.after && !is_withheld(before) ? Pair{to_json(before), to_json(after)}
                                                           : pair;
}

namespace {

std::string readable(const Change& change) {
  if (takes_away(change.op) || change.lost_values()) return erased_text(change);
  if (change.op != Op::update || !change.old_values.has_value()) {
    const auto& values = change.op == Op::remove ? change.old_values : change.new_values;
    return values.has_value() ? values_text(*values, change.key) : "";
  }
  std::string out;
  for (const Edit& edit : edits(change)) {
    const Pair pair = pair_text(*edit.before, *edit.after);
    out +=
        fmt::format("{}{}: {} → {}", out.empty() ? "" : ", ", edit.column, pair.before, pair.after);
  }
  return out;
}

}  // namespace

std::string what_changed(const Change& change) {
  const std::string read = readable(change);
  if (change.unreadable.empty()) return read;
  return fmt::format("{}{}(unreadable: {})", read, read.empty() ? "" : " ", change.unreadable);
}

Piece op_piece(Op op) {
  const Label label = op == Op::update                         ? Label::update
                      : op == Op::insert || op == Op::baseline ? Label::insert
                                                               : Label::remove;
  return {label, std::string(name(op))};
}

std::string key_words(const Row& key) {
  std::string out;
  for (const Field& field : key) out += (out.empty() ? "" : " ") + value_text(field.value);
  return out;
}

std::string who_text(const Change& change) {
  if (const std::string* who = change.who(); who != nullptr) return *who;
  return change.erased_by("context").has_value() ? "(erased)" : "";
}

std::string signed_who_text(const Change& change) {
  const std::string who = who_text(change);
  if (change.signed_word.empty()) return who;
  const std::string said =
      is_well_signed(change.signed_word) ? "✓" : "(" + change.signed_word + ")";
  return who.empty() ? said : said + " " + who;  // before it: what is long is cut at its end
}

std::string context_text(const Change& change, std::string_view field) {
  const std::string* text = change.context.get(field);
  return text == nullptr ? "" : *text;
}

namespace {

void print_head(Output& output, const Change& change) {
  output.line({{Label::id, fmt::format("change {}", change.id)},
               {Label::plain, "  "},
               op_piece(change.op),
               {Label::plain, " "},
               {Label::name, change.table},
               {Label::plain, change.key.empty() ? "" : " " + key_text(change.key)}});
  std::vector<std::pair<std::string, Piece>> heads = {
      {"time", {Label::time, offset_time(change.at, Zone::local)}},
      {"tx", {Label::id, std::to_string(change.tx)}}};
  if (change.db_user.has_value()) heads.push_back({"db user", {Label::person, *change.db_user}});
  for (const auto& [field, value] : change.context.fields())
    heads.push_back({field, {field == "actor" ? Label::person : Label::plain, value}});
  if (!change.signed_word.empty())
    heads.push_back({"signed",
                     {is_well_signed(change.signed_word) ? Label::good : Label::warning,
                      (is_well_signed(change.signed_word) ? "✓ " : "") + change.signed_word}});
  if (const std::string erased = erased_text(change); !erased.empty())
    heads.push_back({"erased", {Label::plain, erased}});
  if (!change.unreadable.empty())
    heads.push_back({"unreadable", {Label::plain, change.unreadable}});
  std::size_t width = 0;
  for (const auto& [name, piece] : heads) width = std::max(width, name.size());
  for (const auto& [name, piece] : heads)
    output.line({{Label::faint, fmt::format("{:<{}}", name + ":", width + 2)}, piece});
  output.line({});
}

void print_removed(Output& output, const std::string& column, const std::string& value) {
  output.line({{Label::before, "  - " + column + ": " + value}});
}

void print_added(Output& output, const std::string& column, const std::string& value) {
  output.line({{Label::after, "  + " + column + ": " + value}});
}

void print_edit(Output& output, const Edit& edit) {
  const Pair pair = pair_text(*edit.before, *edit.after);
  print_removed(output, edit.column, pair.before);
  print_added(output, edit.column, pair.after);
}

// A value as the text that people see in it.
std::string text_of(const Value& value) {
  const Token* token = std::get_if<Token>(&value);
  return token == nullptr ? to_display(value) : token->text;
}

bool print_places(Output& output, const Edit& edit) {
  const auto places = json_difference(text_of(*edit.before), text_of(*edit.after));
  if (!places.has_value() || places->empty()) return false;
  for (const JsonEdit& place : *places) {
    const std::string name = edit.column + (place.path.starts_with('[') ? "" : ".") + place.path;
    if (place.before.has_value()) print_removed(output, name, *place.before);
    if (place.after.has_value()) print_added(output, name, *place.after);
  }
  return true;
}

// Texts that have much in common, and are long enough for that to be hard to see.
bool print_words(Output& output, const Edit& edit) {
  constexpr std::size_t kLong = 40;
  const Text* before = std::get_if<Text>(edit.before);
  const Text* after = std::get_if<Text>(edit.after);
  if (before == nullptr || after == nullptr || before->bytes.size() + after->bytes.size() < kLong)
    return false;
  const std::vector<TextPiece> pieces = word_difference(before->bytes, after->bytes);
  std::size_t same = 0;
  for (const TextPiece& piece : pieces)
    if (piece.kind == TextPiece::Kind::same) same += piece.text.size();
  if (same * 4 < before->bytes.size() + after->bytes.size()) return false;
  std::vector<Piece> line = {{Label::plain, "  ~ " + edit.column + ": "}};
  for (const TextPiece& piece : pieces) {
    if (piece.kind == TextPiece::Kind::same) line.push_back({Label::plain, piece.text});
    if (piece.kind == TextPiece::Kind::before)
      line.push_back({Label::before, "[-" + piece.text + "-]"});
    if (piece.kind == TextPiece::Kind::after)
      line.push_back({Label::after, "{+" + piece.text + "+}"});
  }
  output.line(line);
  return true;
}

void print_values(Output& output, const Change& change) {
  if (change.old_values.has_value())
    for (const Field& field : *change.old_values)
      print_removed(output, field.name, value_text(field.value));
  if (change.new_values.has_value())
    for (const Field& field : *change.new_values)
      print_added(output, field.name, value_text(field.value));
}

}  // namespace

void print_change(Output& output, const Change& change) {
  print_head(output, change);
  if (change.op != Op::update) return print_values(output, change);
  for (const Edit& edit : edits(change)) print_edit(output, edit);
}

void print_patch(Output& output, const Change& change) {
  print_head(output, change);
  if (change.op != Op::update) return print_values(output, change);
  for (const Edit& edit : edits(change))
    if (!print_places(output, edit) && !print_words(output, edit)) print_edit(output, edit);
}

void print_line(Output& output, const Change& change) {
  std::vector<Piece> line = {{Label::id, std::to_string(change.id)},
                             {Label::plain, " "},
                             op_piece(change.op),
                             {Label::plain, " "},
                             {Label::name, change.table}};
  const auto add = [&](Label label, const std::string& text) {
    if (!text.empty()) line.insert(line.end(), {{Label::plain, " "}, {label, text}});
  };
  add(Label::name, key_words(change.key));
  add(Label::plain, what_changed(change));
  const std::string who =
      change.erased_by("context").has_value() ? "" : signed_who_text(change);  // it says so already
  const std::string why = context_text(change, "reason");
  if (!who.empty() || !why.empty())
    add(Label::faint, "(" + who + (who.empty() || why.empty() ? "" : ": ") + why + ")");
  output.line(line);
}

void print_csv_head(Output& output, bool index) { output.csv(server::change_heads(index)); }

void print_csv(Output& output, const Change& change, bool index) {
  output.csv(server::change_fields(change, index));
}

}  // namespace vestige::cli
