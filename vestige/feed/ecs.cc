#include "vestige/feed/ecs.h"

#include "vestige/base/letters.h"
#include "vestige/base/time.h"
#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

constexpr std::string_view kSchema = "9.0.0";

void append_event(JsonObject& document, const Change& change) {
  JsonObject event(document.member("event"));
  event.text("kind", "event");
  event.json("category", R"(["database"])");
  event.json("type", R"(["change"])");  // of this category's types, whatever the operation
  event.text("action", lower(name(change.op)));
  event.text("outcome", "success");
  event.text("id", std::to_string(change.id));
  if (change.index.has_value()) event.number("sequence", static_cast<std::int64_t>(*change.index));
  event.text("created", format_time(change.at));
  event.text("module", "vestige");
  event.text("dataset", "vestige.change");
  event.text("provider", "vestige");
  event.text("reason", change.context.get("reason"));
}

void append_people(JsonObject& document, const Change& change) {
  const std::string* who = change.who();
  const std::string* effective = change.context.get("on_behalf_of");
  if (who != nullptr || effective != nullptr) {
    JsonObject user(document.member("user"));
    user.text("name", who);
    if (effective != nullptr) {
      JsonObject one(user.member("effective"));
      one.text("name", *effective);
    }
  }
}

void append_place(JsonObject& document, const Change& change) {
  const Context& context = change.context;
  if (const std::string* address = context.get("ip_address"); address != nullptr) {
    JsonObject source(document.member("source"));
    source.text("address", *address);
    if (ip_version(*address) != 0) source.text("ip", *address);
  }
  if (const std::string* agent = context.get("user_agent"); agent != nullptr) {
    JsonObject one(document.member("user_agent"));
    one.text("original", *agent);
  }
  if (const std::string* application = context.get("application_name"); application != nullptr) {
    JsonObject service(document.member("service"));
    service.text("name", *application);
  }
  if (const std::string* request = context.get("request_id"); request != nullptr) {
    JsonObject http(document.member("http"));
    JsonObject one(http.member("request"));
    one.text("id", *request);
  }
  if (const auto trace = trace_id(context); trace.has_value()) {
    JsonObject one(document.member("trace"));
    one.text("id", *trace);
  }
}

}  // namespace

std::string ecs(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  const Change& change = outgoing.change();
  std::string out;
  {
    JsonObject document(out);
    document.text("@timestamp", format_time(change.at));
    {
      JsonObject version(document.member("ecs"));
      version.text("version", kSchema);
    }
    document.text("message", headline(change));
    append_event(document, change);
    append_people(document, change);
    append_place(document, change);
    {
      JsonObject observer(document.member("observer"));
      observer.text("vendor", "Vestige");
      observer.text("product", "Vestige");
      observer.text("version", origin.version);
    }
    JsonObject rest(document.member("vestige"));
    rest.text("origin", origin.log);
    rest.text("database", origin.database);
    rest.text("table", change.table);
    append_record(rest, change);
  }
  return out;
}

}  // namespace vestige
