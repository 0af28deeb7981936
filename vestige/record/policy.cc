#include "vestige/record/policy.h"

#include "vestige/base/json.h"

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

Result<std::vector<std::string>> read_list(std::string_view text) {
  std::vector<std::string> list;
  json::Reader reader(text);
  TRY(reader.open('['));
  while (TRY(reader.more('[')) == 'y') list.push_back(TRY(json::unquote(TRY(reader.value()).text)));
  return list;
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
    if (name == "include") policy.include = TRY(read_list(value));
    else if (name == "exclude") policy.exclude = TRY(read_list(value));
    else if (name == "when") policy.when = TRY(json::unquote(value));
    else if (name == "require") policy.require = TRY(read_list(value));
    else if (name == "key") policy.key = TRY(read_list(value));
    else if (name == "capture") policy.full = TRY(read_capture(value));
    else if (name == "on_truncate") policy.on_truncate = TRY(json::unquote(value));
    else if (name == "retention") policy.retention = TRY(json::unquote(value));
    else if (name == "classification") policy.classification = TRY(json::unquote(value));
    else if (name == "tags") policy.tags = TRY(read_list(value));
    else return fail(Fault::invalid, "read a policy: unknown member '{}'", name);
  }
  TRY(reader.end());
  return policy;
}

}  // namespace vestige
