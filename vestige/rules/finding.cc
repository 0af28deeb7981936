#include "vestige/rules/finding.h"

#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

constexpr std::string_view kSchema = "1.8.0";

std::pair<std::int64_t, std::string_view> severity_of(std::string_view severity) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames = {
      {{"info", "Informational"},
       {"low", "Low"},
       {"medium", "Medium"},
       {"high", "High"},
       {"critical", "Critical"}}};
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (kNames.at(i).first == severity)
      return {static_cast<std::int64_t>(i + 1), kNames.at(i).second};
  return {0, "Unknown"};
}

void append_class(JsonObject& event, const Alert& alert) {
  event.number("category_uid", 2);
  event.text("category_name", "Findings");
  event.number("class_uid", 2004);
  event.text("class_name", "Detection Finding");
  event.number("activity_id", 1);
  event.text("activity_name", "Create");
  event.number("type_uid", 200401);
  event.text("type_name", "Detection Finding: Create");
  const auto [id, name] = severity_of(alert.severity);
  event.number("severity_id", id);
  event.text("severity", name);
  event.number("status_id", 1);
  event.text("status", "New");
}

void append_metadata(JsonObject& event, const Alert& alert) {
  JsonObject metadata(event.member("metadata"));
  metadata.text("version", kSchema);
  {
    JsonObject product(metadata.member("product"));
    product.text("name", "Vestige");
    product.text("vendor_name", "Vestige");
    product.text("version", VESTIGE_VERSION);
  }
  metadata.text("uid", alert.id);
  metadata.text("event_code", alert.kind);
}

void append_finding(JsonObject& event, const Alert& alert) {
  JsonObject info(event.member("finding_info"));
  info.text("uid", alert.id);
  info.text("title", readable(alert.title));
  if (!alert.why.empty()) info.text("desc", readable(alert.why));
  info.number("created_time", alert.at / kMicrosOfMilli);
  JsonObject analytic(info.member("analytic"));
  analytic.text("name", alert.rule);
  analytic.text("uid", alert.rule_hash);
  analytic.number("type_id", 1);
  analytic.text("type", "Rule");
}

// The changes by their ids: what was in them stands in the trail, and in the feed of changes.
void append_evidence(JsonObject& event, const Alert& alert) {
  std::string& list = event.member("evidences");
  list += '[';
  {
    JsonObject one(list);
    one.text("name", "changes");
    if (!alert.who.empty()) {
      JsonObject actor(one.member("actor"));
      JsonObject user(actor.member("user"));
      user.text("name", readable(alert.who));
    }
    JsonObject data(one.member("data"));
    data.json("changes", fmt::format("[{}]", fmt::join(alert.changes, ",")));
    data.number("first_index", alert.first_index);
    data.number("last_index", alert.last_index);
    data.json("group", alert.group);
    if (!alert.table.empty()) data.text("table", readable(alert.table));
  }
  list += ']';
}

}  // namespace

std::string ocsf_finding(const Alert& alert) {
  std::string out;
  {
    JsonObject event(out);
    append_class(event, alert);
    event.number("time", alert.at / kMicrosOfMilli);
    append_metadata(event, alert);
    event.text("message", readable(alert.title));
    event.json("is_alert", "true");
    append_finding(event, alert);
    append_evidence(event, alert);
  }
  return out;
}

}  // namespace vestige
