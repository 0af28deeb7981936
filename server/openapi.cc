// openapi.json, from the table of routes.
#include "server/router.h"
#include "vestige/record/value.h"

namespace vestige::server {
namespace {

std::string parameter_json(std::string_view name, std::string_view where, std::string_view type,
                           std::string_view summary) {
  return fmt::format(
      R"~({{"name":{},"in":"{}","required":{},"description":{},"schema":{{"type":"{}"}}}})~",
      text_json(name), where, where == "path", text_json(summary), type);
}

std::string summary_of_word(std::string_view name) {
  if (name == "table") return "a table, as the trail shows it";
  if (name == "key") return "the values of the key's columns, with commas between them";
  if (name == "column") return "a column";
  if (name == "name") return "a name";
  return "an id";
}

std::string parameters_json(const Route& route) {
  std::string out;
  const auto add = [&](const std::string& one) { out += (out.empty() ? "" : ",") + one; };
  std::string_view rest = route.path;
  for (std::size_t open = rest.find('{'); open != std::string_view::npos; open = rest.find('{')) {
    const std::size_t end = rest.find('}');
    const std::string_view name = rest.substr(open + 1, end - open - 1);
    add(parameter_json(name, "path", "string", summary_of_word(name)));
    rest.remove_prefix(end + 1);
  }
  for (const Parameter& one : route.parameters)
    add(parameter_json(one.name, "query", one.type, one.summary));
  return "[" + out + "]";
}

std::string operation_json(const Route& route) {
  std::string content = fmt::format(R"("{}":{{}})", route.type);
  if (route.list) content += R"(,"text/csv":{},"application/x-ndjson":{})";
  std::string small(route.method == "GET" ? "get" : "post");
  std::string body;
  if (route.method == "POST")
    body = R"("requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}},)";
  return fmt::format(R"~("{}":{{"summary":{},"parameters":{},{}"x-vestige-list":{},)~"
                     R"~("responses":{{"200":{{"description":"the answer","content":{{{}}}}},)~"
                     R"~("default":{{"description":"what went wrong (RFC 9457)",)~"
                     R"~("content":{{"application/problem+json":{{}}}}}}}}}})~",
                     small, text_json(route.summary), parameters_json(route), body, route.list,
                     content);
}

}  // namespace

std::string openapi_json() {
  std::string paths;
  std::string_view last;
  for (const Route& route : routes()) {
    if (route.path == last) {
      paths.pop_back();  // of the path that has another method
      paths += "," + operation_json(route) + "}";
      continue;
    }
    paths += fmt::format("{}{}:{{{}}}", paths.empty() ? "" : ",", text_json(route.path),
                         operation_json(route));
    last = route.path;
  }
  return fmt::format(
      R"({{"openapi":"3.1.0","info":{{"title":"Vestige","version":"{}"}},"paths":{{{}}}}})",
      VESTIGE_VERSION, paths);
}

}  // namespace vestige::server
