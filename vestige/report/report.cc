#include "vestige/report/report.h"

#include "vestige/base/bytes.h"
#include "vestige/base/crypto.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

std::string cell_json(const Cell& cell, CellKind kind) {
  if (!cell.has_value()) return "null";
  return kind == CellKind::number || kind == CellKind::value ? *cell : text_json(*cell);
}

std::string optional_time(const std::optional<std::int64_t>& micros) {
  return micros.has_value() ? "\"" + format_time(*micros) + "\"" : "null";
}

std::string optional_text(const std::string& text) { return vestige::to_json(text_or_null(text)); }

// As people know a value; nothing is taken for something else: '' and 'null' are texts.
std::string value_shown(const std::string& json) {
  if (is_number_token(json)) return json;  // no digit of it is lost
  const auto value = value_from_json(json);
  if (!value.has_value()) return json;
  if (const Text* text = std::get_if<Text>(&*value))
    return text->bytes.empty() || text->bytes == "null" ? "'" + text->bytes + "'" : text->bytes;
  return to_display(*value);
}

std::string time_shown(const std::string& text, const TimeZone& zone) {
  const auto micros = read_time(text);
  if (!micros.has_value()) return text;
  const LocalTime local = local_time(*micros, zone);
  std::string out = wall_time(*micros + std::int64_t{local.offset} * 1'000'000, Zone::utc);
  out.resize(out.find('.'));
  return out;
}

}  // namespace

bool is_number_token(std::string_view json) {
  return !json.empty() && (json.front() == '-' || (json.front() >= '0' && json.front() <= '9'));
}

Cell text_cell(const std::string* text) { return text == nullptr ? Cell() : Cell(*text); }
Cell text_cell(std::string_view text) { return text.empty() ? Cell() : Cell(text); }
Cell number_cell(std::int64_t number) { return std::to_string(number); }
Cell time_cell(std::int64_t micros) { return format_time(micros); }
Cell value_cell(const Value* value) {
  return value == nullptr ? Cell() : Cell(vestige::to_json(*value));
}

std::string shown(const Cell& cell, CellKind kind, const TimeZone& zone) {
  if (!cell.has_value()) return "";
  switch (kind) {
    case CellKind::value: return value_shown(*cell);
    case CellKind::time: return time_shown(*cell, zone);
    case CellKind::text:
    case CellKind::number: break;
  }
  return *cell;
}

std::string embeddable(std::string_view json) {
  std::string out;
  out.reserve(json.size() + 16);
  for (const char c : json) {
    if (c == '<') out += "\\u003c";
    else if (c == '>') out += "\\u003e";
    else if (c == '&') out += "\\u0026";
    else out += c;
  }
  return out;
}

std::size_t Report::add(ReportSection section) {
  parts_.emplace_back().section = std::move(section);
  return parts_.size() - 1;
}

Result<void> Report::row(std::size_t number, const Cells& cells) {
  Part& part = parts_[number];
  std::string object;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const ReportColumn& column = part.section.columns[i];
    if (!cells[i].has_value() && column.kind == CellKind::value) continue;  // null is a value
    object += object.empty() ? "" : ",";
    object += text_json(column.name) + ":" + cell_json(cells[i], column.kind);
  }
  ++part.rows;
  return part.lines.append(embeddable(
      fmt::format(R"({{"section":{},"row":{{{}}}}})", text_json(part.section.name), object)));
}

Result<void> Report::read_again(std::size_t section) {
  parts_[section].lines.again();
  return {};
}

Result<char> Report::next_line(std::size_t section, std::string& line) {
  return parts_[section].lines.next(line);
}

Result<char> Report::next_row(std::size_t section, Cells& cells) {
  if (TRY(next_line(section, line_)) == 'n') return 'n';
  const std::vector<ReportColumn>& columns = parts_[section].section.columns;
  cells.assign(columns.size(), Cell());
  json::Reader reader(line_);
  TRY(reader.open('{'));
  TRY(reader.more('{'));
  TRY(reader.key());
  TRY(reader.value());
  TRY(reader.more('{'));
  TRY(reader.key());
  TRY(reader.open('{'));
  for (std::size_t i = 0; TRY(reader.more('{')) == 'y'; ++i) {
    const std::string name = TRY(reader.key());
    while (columns[i].name != name) ++i;
    const json::Span span = TRY(reader.value());
    const CellKind kind = columns[i].kind;
    if (kind == CellKind::value) cells[i] = std::string(span.text);
    else if (span.kind == json::Kind::null) continue;
    else if (kind == CellKind::number) cells[i] = std::string(span.text);
    else if (span.kind == json::Kind::string) cells[i] = TRY(json::unquote(span.text));
    else cells[i] = to_display(TRY(value_from_json(span.text)));  // it is not UTF-8
  }
  return 'y';
}

Result<void> Report::finish() {
  Sha256 hash;
  head.rows = 0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    TRY(read_again(i));
    while (TRY(next_line(i, line_)) == 'y') {
      hash.update(line_);
      hash.update("\n");
    }
    head.rows += parts_[i].rows;
  }
  const Hash sum = hash.finish();
  head.rows_sha256 = to_hex(view(sum));
  return {};
}

std::string to_json(const ReportHead& head) {
  return fmt::format(
      R"({{"report":{},"title":{},"database":{},"origin":{},"checkpoint":{},"covered":{},)"
      R"("left_out":{},"complete":{},"verified":{},"sound":{},"filter":{},"time_zone":{},)"
      R"("since":{},"until":{},"made_at":"{}","made_by":{},"version":{},"rows":{},"rows_sha256":"{}"}})",
      text_json(head.name), text_json(head.title), text_json(head.database),
      optional_text(head.origin), optional_text(head.checkpoint),
      head.covered.has_value() ? std::to_string(*head.covered) : "null", head.left_out,
      text_json(head.complete), optional_text(head.verified), head.sound,
      optional_text(head.filter), text_json(head.zone), optional_time(head.since),
      optional_time(head.until), format_time(head.made_at), optional_text(head.made_by),
      text_json(head.version), head.rows, head.rows_sha256);
}

}  // namespace vestige
