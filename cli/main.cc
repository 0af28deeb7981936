// vestige: the command table, the global options, and the only place that prints errors.
// Covered by the transcripts in test/cli.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/keys.h"
#include "cli/printable.h"
#include "cli/session.h"
#include "vestige/base/time.h"

namespace vestige::cli {

std::span<const Command> commands() {
  static const std::vector<Command> all = {
      init_command(),
      track_command(),
      untrack_command(),
      status_command(),
      doctor_command(),
      metrics_command(),
      archived(keys_command()),
      plan_command(),
      apply_command(),
      opened(recorded(archived(log_command()))),
      opened(recorded(archived(show_command()))),
      opened(recorded(diff_command())),
      opened(recorded(archived(blame_command()))),
      recorded(archived(field_command())),
      opened(recorded(archived(at_command()))),
      recorded(access_command()),
      serve_command(),
      exec_command(),
      restore_command(),
      opened(revert_command()),
      undo_command(),
      mark_command(),
      erase_command(),
      recorded(hold_command()),
      expire_command(),
      ddl_command(),
      opened(recorded(archived(report_command()))),
      recorded(review_command()),
      keygen_command(),
      seal_command(),
      verify_command(),
      opened(recorded(prove_command())),
      recorded(export_command(), "export"),
      check_command(),
      archive_command(),
      tiles_command(),
      witness_command(),
      recorded(rules_command()),
      watch_command(),
      recorded(alert_command()),
      notify_command(),
      help_command(),
      completion_command(),
  };
  return all;
}

const std::vector<Option>& global_options() {
  static const std::vector<Option> all = {
      {.names = "--db",
       .value = "URL",
       .summary =
           "the database: a path, sqlite:PATH, postgresql://user@host/name or 'host=… dbname=…'; "
           "otherwise $VESTIGE_DB, vestige.toml, $DATABASE_URL, or PostgreSQL's $PGDATABASE"},
      {.names = "--tz",
       .value = "ZONE",
       .summary = "the time zone of times without one, and of times in tables: Europe/Berlin, UTC, "
                  "+02:00; otherwise $TZ, or the system's"},
      {.names = "--color",
       .value = "WHEN",
       .summary = "colours: auto (the default: on a terminal), always, never",
       .choices = {"auto", "always", "never"}},
      {.names = "--no-pager", .value = "", .summary = "do not page long output on a terminal"},
      {.names = "-h, --help", .value = "", .summary = "explain the verb"},
      {.names = "--version", .value = "", .summary = "print the version"},
  };
  return all;
}

namespace {

int report(const Error& error, int code) {
  talk(fmt::format("vestige: {}\n", printable(without_private_keys(error.message))));
  if (!error.hint.empty())
    talk(fmt::format("hint: {}\n", printable(without_private_keys(error.hint))));
  return code;
}

tl::unexpected<Error> unknown_verb(const std::string& word) {
  // --db host=db password=secret log: the rest of a connection string, which is not repeated.
  if (word.find('=') != std::string::npos)
    return hinted(fail(Fault::invalid, "unknown verb: an = stands in it"),
                  "a --db that has spaces in it needs quotes");
  return hinted(fail(Fault::invalid, "unknown verb '{}'", word), instead_of(word));
}

// Wrong arguments are usage, and so is whatever the library finds wrong with them; what the database says against our own
// SQL is none of the arguments' doing, and a database that cannot be opened, or a verb that does all or nothing, could not do
// what was asked.
int exit_code(const Error& error, const Session& session) {
  if (error.fault != Fault::invalid || error.message.starts_with("run sql: ")) return kFailed;
  if (!session.reached_database()) return kUsage;
  return session.opened_database() && !session.command().all_or_nothing ? kUsage : kFailed;
}

int run(const Command& command, Arguments arguments) {
  Session session(command, std::move(arguments));
  const Result<int> answer = command.run(session);
  const Result<void> written = session.output().finish();
  session.finish();
  if (!answer.has_value())
    return report(session.explained(answer.error()), exit_code(answer.error(), session));
  if (!written.has_value()) return report(written.error(), kFailed);
  return *answer;
}

Result<int> print_version(Session& session) {
  session.output().text("vestige " VESTIGE_VERSION "\n");
  return kDone;
}

Arguments help_on(const std::string& verb) {
  std::vector<std::string> words;
  if (!verb.empty()) words.push_back(verb);
  auto arguments = parse(*find_command("help"), std::move(words));
  return arguments.has_value() ? std::move(*arguments) : Arguments();
}

int start(std::vector<std::string> line) {
  static const Command none;
  std::size_t place = verb_place(line);
  if (place < line.size() && line[place] == "version") {  // as others spell it
    line[place] = "--version";
    place = line.size();
  }
  const Command* command = &none;
  if (place < line.size()) {
    command = find_command(line[place]);
    if (command == nullptr) {
      // "--dbb shop.db log": the mistake stands before what now looks like a verb.
      const auto before =
          parse(none, {line.begin(), line.begin() + static_cast<std::ptrdiff_t>(place)});
      return report(before.has_value() ? unknown_verb(line[place]).value() : before.error(),
                    kUsage);
    }
    line.erase(line.begin() + static_cast<std::ptrdiff_t>(place));
  }
  auto arguments = parse(*command, std::move(line));
  if (!arguments.has_value()) return report(arguments.error(), kUsage);
  if (const auto zone = arguments->value("--tz"); zone.has_value())
    if (const auto set = set_local_zone(*zone); !set.has_value())
      return report(set.error(), kUsage);
  if (arguments->has("--version")) {
    static const Command version = {.name = "version", .run = print_version};
    return run(version, std::move(*arguments));
  }
  if (arguments->has("--help")) return run(*find_command("help"), help_on(command->name));
  if (command == &none) {
    talk(short_help());
    return kUsage;
  }
  return run(*command, std::move(*arguments));
}

// Nobody else shall read in the list of processes what stands in a URL: a database that is named by more than a path is
// crossed out there.
void hide_passwords(int count, char** words) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    const bool url = word.find("://") != std::string_view::npos ||
                     word.find("password") != std::string_view::npos;
    const bool of_db = std::string_view(words[i - 1]) == "--db" || word.starts_with("--db=");
    if (url && of_db) std::memset(words[i], 'x', word.size());
  }
}

}  // namespace
}  // namespace vestige::cli

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  std::vector<std::string> line(words + 1, words + count);
  vestige::cli::hide_passwords(count, words);
  return vestige::cli::start(std::move(line));
}
