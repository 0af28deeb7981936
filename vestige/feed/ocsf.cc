#include "vestige/feed/ocsf.h"

#include "vestige/feed/event_text.h"

namespace vestige {
namespace {

constexpr std::string_view kSchema = "1.8.0";

struct Activity {
  std::int64_t id;
  std::string_view name;
};

struct Class {
  std::int64_t category;
  std::string_view category_name;
  std::int64_t id;
  std::string_view name;
};

constexpr Class kDatastore = {6, "Application Activity", 6005, "Datastore Activity"};
constexpr Class kEntity = {3, "Identity & Access Management", 3004, "Entity Management"};

// A look at a row is a Write of the record; what takes parts of changes away is a Delete.
Activity in_datastore(Op op) {
  switch (op) {
    case Op::insert: return {6, "Create"};
    case Op::update: return {2, "Update"};
    case Op::baseline: return {5, "Write"};
    case Op::remove:
    case Op::truncate:
    case Op::erase:
    case Op::expire: break;
  }
  return {7, "Delete"};
}

Activity of_entity(Op op) {
  switch (op) {
    case Op::insert: return {1, "Create"};
    case Op::update: return {3, "Update"};
    case Op::baseline: return {2, "Read"};
    case Op::remove:
    case Op::truncate:
    case Op::erase:
    case Op::expire: break;
  }
  return {4, "Delete"};
}

void append_class(JsonObject& event, const Class& of, const Activity& activity) {
  event.number("category_uid", of.category);
  event.text("category_name", of.category_name);
  event.number("class_uid", of.id);
  event.text("class_name", of.name);
  event.number("activity_id", activity.id);
  event.text("activity_name", activity.name);
  event.number("type_uid", of.id * 100 + activity.id);
  event.text("type_name", fmt::format("{}: {}", of.name, activity.name));
  event.number("severity_id", 1);
  event.text("severity", "Informational");
}

void append_metadata(JsonObject& event, const Change& change, const Origin& origin) {
  JsonObject metadata(event.member("metadata"));
  metadata.text("version", kSchema);
  {
    JsonObject product(metadata.member("product"));
    product.text("name", "Vestige");
    product.text("vendor_name", "Vestige");
    product.text("version", origin.version);
  }
  metadata.text("log_name", origin.log);
  metadata.text("uid", std::to_string(change.id));
  metadata.text("event_code", name(change.op));
  if (change.index.has_value())
    metadata.number("sequence", static_cast<std::int64_t>(*change.index));
  metadata.text("correlation_uid", trace_id(change.context).value_or(fmt::format("{}", change.tx)));
}

void append_actor(JsonObject& event, const Change& change) {
  JsonObject actor(event.member("actor"));
  const std::string* who = change.who();
  const std::string* session = change.context.get("session_id");
  const std::string* application = change.context.get("application_name");
  if (who != nullptr) {
    JsonObject user(actor.member("user"));
    user.text("name", *who);
  }
  if (session != nullptr) {
    JsonObject one(actor.member("session"));
    one.text("uid", *session);
  }
  if (application != nullptr) actor.text("app_name", *application);
  else if (who == nullptr && session == nullptr) actor.text("app_name", "unknown");
}

void append_source(JsonObject& event, const Change& change) {
  JsonObject source(event.member("src_endpoint"));
  const std::string* address = change.context.get("ip_address");
  const std::string* application = change.context.get("application_name");
  if (address != nullptr && ip_version(*address) != 0) source.text("ip", *address);
  else if (address != nullptr) source.text("name", *address);
  else if (application != nullptr) source.text("svc_name", *application);
  else source.text("name", "local");
}

void append_request(JsonObject& event, const Change& change) {
  const std::string* agent = change.context.get("user_agent");
  const std::string* id = change.context.get("request_id");
  if (agent == nullptr && id == nullptr) return;
  JsonObject request(event.member("http_request"));
  request.text("uid", id);
  request.text("user_agent", agent);
}

void append_rest(JsonObject& event, const Change& change) {
  append_actor(event, change);
  append_source(event, change);
  append_request(event, change);
  event.text("message", headline(change));
  event.number("status_id", 1);
  event.text("status", "Success");
}

}  // namespace

std::string ocsf(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  const Change& change = outgoing.change();
  std::string out;
  {
    JsonObject event(out);
    append_class(event, kDatastore, in_datastore(change.op));
    event.number("time", change.at / kMicrosOfMilli);
    append_metadata(event, change, origin);
    append_rest(event, change);
    event.number("type_id", 3);
    event.text("type", "Table");
    {
      JsonObject database(event.member("database"));
      database.text("name", origin.database);
      database.number("type_id", 1);
      database.text("type", "Relational");
    }
    {
      JsonObject table(event.member("table"));
      table.text("name", takes_away(change.op) ? "vestige.change" : change.table);
    }
    JsonObject unmapped(event.member("unmapped"));
    append_record(unmapped, change);
  }
  return out;
}

std::string ocsf_entity(const Change& given, const Origin& origin) {
  const Outgoing outgoing(given);
  const Change& change = outgoing.change();
  std::string out;
  {
    JsonObject event(out);
    append_class(event, kEntity, of_entity(change.op));
    event.number("time", change.at / kMicrosOfMilli);
    append_metadata(event, change, origin);
    append_rest(event, change);
    event.text("comment", change.context.get("reason"));
    {
      JsonObject entity(event.member("entity"));
      entity.text("name", change.table);
      entity.text("type", change.table);
      if (!change.key.empty()) entity.text("uid", plain(change.key));
      if (change.old_values.has_value()) entity.json("data", to_json(*change.old_values));
    }
    if (change.new_values.has_value()) {
      JsonObject result(event.member("entity_result"));
      result.text("name", change.table);
      result.text("type", change.table);
      const Row& key = change.new_key.has_value() ? *change.new_key : change.key;
      if (!key.empty()) result.text("uid", plain(key));
      result.json("data", to_json(*change.new_values));
    }
    JsonObject unmapped(event.member("unmapped"));
    append_record(unmapped, change);
  }
  return out;
}

}  // namespace vestige
