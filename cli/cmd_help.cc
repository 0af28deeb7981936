// help: the manual.
#include "cli/help.h"
#include "cli/session.h"

namespace vestige::cli {
namespace {

Result<int> run_help(Session& session) {
  const Arguments& arguments = session.arguments();
  Output& output = session.output();
  if (arguments.has("--markdown")) {
    output.text(markdown_help());
  } else if (arguments.has("--man")) {
    output.text(man_page());
  } else if (arguments.words().empty()) {
    output.text(short_help());
  } else {
    const std::string& verb = arguments.words().front();
    const Command* command = find_command(verb);
    if (command == nullptr) {
      return hinted(fail(Fault::invalid, "help: there is no verb '{}'", verb), instead_of(verb));
    }
    output.text(verb_help(*command));
  }
  return kDone;
}

}  // namespace

Command help_command() {
  return {
      .name = "help",
      .group = "about",
      .summary = "the verbs, or one verb in full",
      .arguments = "[VERB]",
      .least = 0,
      .most = 1,
      .options = {{.names = "--markdown", .value = "", .summary = "print the manual as Markdown"},
                  {.names = "--man", .value = "", .summary = "print the man page"}},
      .examples = {{"vestige help log", "everything about log"}},
      .run = run_help};
}

}  // namespace vestige::cli
