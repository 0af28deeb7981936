#include "cli/command.h"

#include <algorithm>

#include "vestige/record/change.h"

namespace vestige::cli {

std::string Option::name() const { return names.substr(names.rfind(' ') + 1); }

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Command& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Option format_option() {
  return {.names = "--format",
          .value = "FORMAT",
          .summary = "table for people (the default), json: one object a line, or csv",
          .choices = {"table", "json", "csv"}};
}

std::vector<Option> context_options(const std::string& actor) {
  const auto summary = [](std::string_view field) -> std::string {
    if (field == "actor") return "who does it, in the application's terms";
    if (field == "on_behalf_of") return "for whom the actor does it";
    if (field == "reason") return "why";
    if (field == "business_process") return "the process that it is part of";
    if (field == "request_id") return "the request that caused it";
    if (field == "session_id") return "the session in which it happened";
    if (field == "ip_address") return "the address of the person or machine";
    if (field == "user_agent") return "the program that the person used";
    if (field == "auth_method") return "how the actor was authenticated";
    if (field == "auth_role") return "the role in which the actor did it";
    return "the W3C trace context";
  };
  std::vector<Option> options;
  for (const std::string_view field : kContextFields) {
    std::string name = "--" + std::string(field);
    std::replace(name.begin(), name.end(), '_', '-');
    options.push_back({.names = field == "actor" ? actor : name,
                       .value = field == "actor" ? "NAME" : "TEXT",
                       .summary = summary(field)});
  }
  options.push_back({.names = "--context",
                     .value = "FIELD=TEXT",
                     .summary = "any other field of the context",
                     .repeated = true});
  return options;
}

std::vector<Option> joined(std::vector<Option> first, const std::vector<Option>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace vestige::cli
