#include "cli/command.h"

#include <algorithm>

#include "vestige/base/nearest.h"
#include "vestige/record/change.h"
#include "vestige/trail/catalog.h"

namespace vestige::cli {

std::string Option::name() const { return names.substr(names.rfind(' ') + 1); }

const Command* find_command(std::string_view name) {
  const auto all = commands();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Command& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

namespace {

struct Synonym {
  std::string_view verb;
  std::string_view instead;
};

constexpr std::string_view kPurge =
    "nothing of a trail is lost by itself; vestige help erase says how values are made to go";
constexpr std::string_view kUninstall =
    "vestige untrack TABLE stops recording a table; vestige help init says how a trail is taken "
    "away";

// What people know from git, psql, systemctl, apt and other audit trails.
constexpr Synonym kSynonyms[] = {
    {"rollback", "vestige revert undoes changes, vestige restore puts a row back"},
    {"reset", "vestige revert undoes changes, vestige restore puts a row back"},
    {"history", "vestige log shows what happened"},
    {"changes", "vestige log shows what happened"},
    {"events", "vestige log shows what happened"},
    {"audit", "vestige log shows what happened"},
    {"tail", "vestige log shows what happened"},
    {"who",
     "vestige blame TABLE KEY shows who last touched each column; vestige log --actor, what they "
     "did"},
    {"annotate", "vestige blame shows who last touched each column"},
    {"ls", "vestige status lists the tables"},
    {"list", "vestige status lists the tables"},
    {"tables", "vestige status lists the tables"},
    {"info", "vestige status lists the tables"},
    {"enable", "vestige track TABLE records its changes from now on"},
    {"add", "vestige track TABLE records its changes from now on"},
    {"watch", "vestige track TABLE records its changes from now on"},
    {"start", "vestige track TABLE records its changes from now on"},
    {"disable", "vestige untrack TABLE stops recording its changes"},
    {"stop", "vestige untrack TABLE stops recording its changes"},
    {"ignore", "vestige untrack TABLE stops recording its changes"},
    {"install", "vestige init installs the trail"},
    {"setup", "vestige init installs the trail"},
    {"create", "vestige init installs the trail"},
    {"upgrade", "vestige init brings the trail up to date"},
    {"update", "vestige init brings the trail up to date; vestige exec runs SQL with a context"},
    {"uninstall", kUninstall},
    {"remove", kUninstall},
    {"rm", kUninstall},
    {"drop", kUninstall},
    {"purge", kPurge},
    {"delete", kPurge},
    {"forget", kPurge},
    {"prune", kPurge},
    {"clear", kPurge},
    {"redact", kPurge},
    {"cat", "vestige show ID shows a change in full"},
    {"get", "vestige at TABLE KEY shows a row as it was"},
    {"migrate", "vestige ddl runs a migration and keeps the tables recorded"},
    {"sql", "vestige exec runs SQL with a context"},
    {"run", "vestige exec runs SQL with a context"},
    {"query", "vestige exec runs SQL with a context"},
    {"check-trail", "vestige doctor looks whether recording is in order"},
    {"fsck",
     "vestige doctor looks whether recording is in order; vestige verify, whether history was "
     "rewritten"},
    {"repair", "vestige doctor --fix puts recording in order"},
    {"fix", "vestige doctor --fix puts recording in order"},
    {"sign", "vestige seal signs a checkpoint"},
    {"validate", "vestige verify looks whether history was rewritten"},
};

}  // namespace

std::string instead_of(const std::string& verb) {
  for (const Synonym& one : kSynonyms)
    if (one.verb == verb) return std::string(one.instead);
  std::vector<std::string> names;
  for (const Command& command : commands())
    if (command.name != "erase" && command.name != "untrack") names.push_back(command.name);
  const std::string near = nearest(verb, names);
  return near.empty() ? "vestige help lists the verbs" : fmt::format("did you mean {}?", near);
}

Option format_option() {
  return {.names = "--format",
          .value = "FORMAT",
          .summary =
              "table for people (the default), json: one object a line, csv, or raw-csv: csv "
              "without the apostrophe before what a spreadsheet would take for a formula",
          .choices = {"table", "json", "csv", "raw-csv"}};
}

Command recorded(Command command, const std::string& kind) {
  command.reads = kind;
  command.options.push_back(
      {.names = "--purpose",
       .value = "TEXT",
       .summary = "what this is looked up for, where reads are recorded (see access)"});
  const bool asks = std::any_of(command.options.begin(), command.options.end(),
                                [](const Option& one) { return one.name() == "--by"; });
  if (!asks)
    command.options.push_back({.names = "--by", .value = "NAME", .summary = "who looks it up"});
  return command;
}

Command archived(Command command) {
  command.archived = true;
  command.options.push_back({.names = "--archive",
                             .value = "DIR",
                             .summary = "changes that an archive has, too (see archive)"});
  return command;
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
    options.push_back({.names = field != "actor"     ? name
                                : actor == "--actor" ? "--by, " + actor
                                                     : actor,
                       .value = field == "actor" ? "NAME" : "TEXT",
                       .summary = summary(field)});
  }
  options.push_back({.names = "--context",
                     .value = "FIELD=TEXT",
                     .summary = "any other field of the context",
                     .repeated = true});
  return options;
}

std::string names_of(const std::vector<Option>& options) {
  std::string out;
  for (const Option& option : options) out += (out.empty() ? "" : " ") + option.name();
  return out;
}

std::vector<Option> joined(std::vector<Option> first, const std::vector<Option>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace vestige::cli
