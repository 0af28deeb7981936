#include "vestige/record/policy.h"

#include "vestige/base/json.h"
#include "vestige/record/value.h"

namespace vestige {
namespace {

void append_member(std::string& out, std::string_view name, const std::string& value) {
  if (out.size() > 1) out += ',';
  json::append_string(out, name);
  out += ':';
  out += value;
}

void append_text(std::string& out, std::string_view name, const std::string& text) {
  if (!text.empty()) append_member(out, name, json::quote(text));
}

void append_list(std::string& out, std::string_view name, const std::vector<std::string>& list) {
  if (list.empty()) return;
  std::string array = "[";
  for (const std::string& item : list) {
    if (array.size() > 1) array += ',';
    json::append_string(array, item);
  }
  append_member(out, name, array + "]");
}

// Names and texts, in the order of the names.
void append_map(std::string& out, std::string_view name,
                const std::map<std::string, std::string>& map) {
  if (map.empty()) return;
  std::string object = "{";
  for (const auto& [own, value] : map) append_text(object, own, value);
  append_member(out, name, object + "}");
}

Result<std::map<std::string, std::string>> map_from_json(std::string_view text) {
  std::map<std::string, std::string> out;
  json::Reader reader(text);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    std::string name = TRY(reader.key());
    std::string value = TRY(json::unquote(TRY(reader.value()).text));
    if (!value.empty()) out[std::move(name)] = std::move(value);
  }
  TRY(reader.end());
  return out;
}

Result<bool> read_capture(std::string_view text) {
  const std::string capture = TRY(json::unquote(text));
  if (capture != "full" && capture != "changes")
    return fail(Fault::invalid, "read a policy: capture is '{}', not 'changes' or 'full'", capture);
  return capture == "full";
}

}  // namespace

std::string to_json(const Policy& policy) {
  std::string out = "{";
  append_list(out, "include", policy.include);
  append_list(out, "exclude", policy.exclude);
  append_list(out, "redact", policy.redact);
  append_map(out, "encrypt", policy.encrypt);
  append_text(out, "subject", policy.subject);
  append_text(out, "when", policy.when);
  append_list(out, "require", policy.require);
  append_list(out, "key", policy.key);
  if (policy.full) append_member(out, "capture", "\"full\"");
  append_text(out, "on_truncate", policy.on_truncate);
  append_text(out, "retention", policy.retention);
  append_text(out, "classification", policy.classification);
  append_list(out, "tags", policy.tags);
  return out + "}";
}

Result<Policy> policy_from_json(std::string_view text) {
  Policy policy;
  json::Reader reader(text);
  TRY(reader.open('{'));
  while (TRY(reader.more('{')) == 'y') {
    const std::string name = TRY(reader.key());
    const std::string_view value = TRY(reader.value()).text;
    if (name == "include") policy.include = TRY(list_from_json(value));
    else if (name == "exclude") policy.exclude = TRY(list_from_json(value));
    else if (name == "redact") policy.redact = TRY(list_from_json(value));
    else if (name == "encrypt") policy.encrypt = TRY(map_from_json(value));
    else if (name == "subject") policy.subject = TRY(json::unquote(value));
    else if (name == "when") policy.when = TRY(json::unquote(value));
    else if (name == "require") policy.require = TRY(list_from_json(value));
    else if (name == "key") policy.key = TRY(list_from_json(value));
    else if (name == "capture") policy.full = TRY(read_capture(value));
    else if (name == "on_truncate") policy.on_truncate = TRY(json::unquote(value));
    else if (name == "retention") policy.retention = TRY(json::unquote(value));
    else if (name == "classification") policy.classification = TRY(json::unquote(value));
    else if (name == "tags") policy.tags = TRY(list_from_json(value));
    else return fail(Fault::invalid, "read a policy: unknown member '{}'", name);
  }
  TRY(reader.end());
  return policy;
}

}  // namespace vestige
