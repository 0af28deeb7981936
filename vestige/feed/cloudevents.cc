#include "vestige/feed/cloudevents.h"

#include "vestige/base/letters.h"
#include "vestige/base/time.h"
#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

constexpr std::size_t kMost = 64 << 10;      // what every intermediary must pass on
constexpr std::size_t kAttribute = 1 << 10;  // of a text in an attribute

// A part of a URI: all but the letters that stand for themselves is percent and hex.
std::string uri_part(std::string_view text, std::string_view also) {
  static constexpr std::string_view kSelf =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kSelf.find(c) != std::string_view::npos || also.find(c) != std::string_view::npos) out += c;
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string attribute(std::string_view text) {
  return cut(printable_text(text.substr(0, 2 * kAttribute)), kAttribute);
}

void append_who(JsonObject& event, const Change& change) {
  const bool actor = change.context.get("actor") != nullptr;
  const std::string* who = change.who();
  event.text("authtype", actor ? "app_user" : who != nullptr ? "user" : "unknown");
  if (who != nullptr && !who->empty()) event.text("authid", attribute(*who));
}

// Without the parts that are too large, which are named.
std::string event_of(const Change& change, const Origin& origin, std::string_view dropped) {
  std::string out;
  {
    JsonObject event(out);
    event.text("specversion", "1.0");
    event.text("id", change.index.has_value() ? std::to_string(*change.index)
                                              : fmt::format("change-{}", change.id));
    event.text("source", fmt::format("//{}/{}", uri_part(cut(origin.log, kAttribute), "/:"),
                                     uri_part(cut(change.table, kAttribute), "")));
    event.text("type", "dev.vestige.change." + lower(name(change.op)));
    if (!change.key.empty()) {
      const std::string key = attribute(plain(change.key));
      if (!key.empty()) event.text("subject", key);
    }
    event.text("time", format_time(change.at));
    if (change.index.has_value()) event.text("sequence", fmt::format("{:020}", *change.index));
    if (trace_id(change.context).has_value())
      event.text("traceparent", change.context.get("traceparent"));
    append_who(event, change);
    event.text("datacontenttype", "application/json");
    std::string data = to_json(change);
    if (!dropped.empty()) {
      data.pop_back();
      data.append(",\"dropped\":").append(dropped).append("}");
    }
    event.json("data", data);
  }
  return out;
}

}  // namespace

std::string cloudevents(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  std::string whole = event_of(outgoing.change(), origin, "");
  if (whole.size() <= kMost) return whole;
  Change small = outgoing.change();
  small.old_values.reset();
  small.new_values.reset();
  std::string out = event_of(small, origin, R"(["old_values","new_values"])");
  if (out.size() <= kMost) return out;
  small.context = Context();
  small.key.clear();
  small.new_key.reset();
  small.unreadable.clear();
  small.db_user.reset();
  small.table = cut(readable(small.table), kAttribute);
  return event_of(small, origin,
                  R"(["old_values","new_values","key","new_key","context","db_user"])");
}

}  // namespace vestige
