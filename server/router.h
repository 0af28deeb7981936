// The table of the API: from it requests are answered, openapi.json is printed, and docs/api.md is written.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/message.h"

namespace vestige::server {

class Call;

/// What a question may be told behind the question mark.
struct Parameter {
  std::string_view name;
  std::string_view type;  // "string", "integer", "boolean"
  std::string_view summary;
};

enum class Format { json, csv, ndjson };

struct Route {
  std::string_view method;
  std::string_view path;     // "/api/v1/changes/{id}"
  std::string_view summary;  // one line
  std::vector<Parameter> parameters = {};
  bool list = false;  // it is there as .csv and .ndjson, too
  bool own_names =
      false;  // what stands for the last name in braces is ours: it has no such ending itself
  std::string_view reads = {};  // from the trail: recorded as such a read before it is answered
  std::string_view type = "application/json";  // of the answer
  std::string_view writes = {};                // what a POST writes
  Result<Answer> (*run)(const std::shared_ptr<Call>&) = nullptr;
};

/// Every one of them (routes.cc).
std::span<const Route> routes();

struct Routed {
  const Route* route = nullptr;    // nullptr: there is none
  std::vector<std::string> words;  // what stood for the names in braces, as it came
  Format format = Format::json;
  bool other_method = false;  // there is one, for another method
};

Routed find_route(const Request& request);

/// OpenAPI 3.1.
std::string openapi_json();

}  // namespace vestige::server
