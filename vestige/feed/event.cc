#include "vestige/feed/event.h"

#include <algorithm>
#include <array>

#include "vestige/base/json.h"
#include "vestige/feed/cef.h"
#include "vestige/feed/cloudevents.h"
#include "vestige/feed/debezium.h"
#include "vestige/feed/ecs.h"
#include "vestige/feed/event_text.h"
#include "vestige/feed/ocsf.h"

namespace vestige {
namespace {

bool is_encrypted(const Value& value) {
  const Token* token = std::get_if<Token>(&value);
  return token != nullptr && token->text.starts_with(R"({"$encrypted":)");
}

bool fit(const Row& row) {
  return std::all_of(row.begin(), row.end(), [](const Field& field) {
    return !is_encrypted(field.value) && json::is_utf8(field.name);
  });
}

bool fit(const std::optional<Row>& row) { return !row.has_value() || fit(*row); }

void mend(Row& row) {
  for (Field& field : row) {
    if (is_encrypted(field.value)) field.value = Token{R"({"$encrypted":true})"};
    field.name = readable(field.name);
  }
}

}  // namespace

Outgoing::Outgoing(const Change& change) : change_(change) {
  if (fit(change.key) && fit(change.new_key) && fit(change.old_values) && fit(change.new_values) &&
      json::is_utf8(change.table) && json::is_utf8(change.unreadable))
    return;
  copy_ = change;
  copied_ = true;
  copy_.table = readable(change.table);
  copy_.unreadable = readable(change.unreadable);
  mend(copy_.key);
  for (std::optional<Row>* row : {&copy_.new_key, &copy_.old_values, &copy_.new_values})
    if (row->has_value()) mend(**row);
}

std::span<const EventFormat> event_formats() {
  static constexpr std::array<EventFormat, 5> kAll = {{{"ocsf", ocsf},
                                                       {"cef", cef},
                                                       {"cloudevents", cloudevents},
                                                       {"ecs", ecs},
                                                       {"debezium", debezium}}};
  return kAll;
}

const EventFormat* find_event_format(std::string_view name) {
  for (const EventFormat& one : event_formats())
    if (one.name == name) return &one;
  return nullptr;
}

}  // namespace vestige
