// Command and Option: the one table from which parsing, help, docs/cli.md, the man page and the
// completions are made. Each verb describes itself in cmd_<verb>.cc; main.cc lists them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"

namespace vestige::cli {

class Session;

struct Option {
  std::string names;    // "--since", or "-f, --file"
  std::string value;    // "TIME"; empty: a switch
  std::string summary;  // one line
  std::vector<std::string> choices = {};
  bool repeated = false;

  /// The long name, "--file".
  std::string name() const;
};

struct Example {
  std::string command;
  std::string what;
};

/// What the first word of a verb says is to be done.
struct Action {
  std::string name;     // empty: what is done without one
  std::string options;  // that are for it, by their long names: "--from --by"
};

struct Command {
  std::string name;
  std::string group;
  std::string summary;                  // one line
  std::string arguments = {};           // "TABLE [KEY…]"
  int least = 0;                        // how many words, at least and
  int most = 0;                         // at most; kAny: no limit
  std::vector<std::string> about = {};  // paragraphs
  std::vector<Option> options = {};
  // An option that any of them names is for those that name it; the first is what is done where there is no word.
  std::vector<Action> actions = {};
  std::vector<Example> examples = {};
  // Once the arguments are understood, everything that fails is "could not be done" (exit 3).
  bool all_or_nothing = false;
  bool writes = false;     // to the application's tables
  bool archived = false;   // it reads what --archive names as one history with the trail
  std::string reads = {};  // from the trail: as what that is recorded (see recorded)
  Result<int> (*run)(Session&) = nullptr;  // returns the exit code: kDone or kNo
};

inline constexpr int kAny = -1;

// Exit codes.
inline constexpr int kDone = 0;    // done
inline constexpr int kNo = 1;      // the answer is no
inline constexpr int kUsage = 2;   // the command line is wrong
inline constexpr int kFailed = 3;  // it could not be done

/// Every verb, in the order in which help lists them (main.cc).
std::span<const Command> commands();

/// nullptr when there is none of that name
const Command* find_command(std::string_view name);

/// What to say of a verb that there is not: the verb of another program that does the same, or the nearest name; never
/// one that destroys.
std::string instead_of(const std::string& verb);

/// What every verb understands, before or after the verb (main.cc).
const std::vector<Option>& global_options();

/// --format table|json|csv.
Option format_option();

/// --actor and the other context fields. `actor` is the name of the first, where another --actor selects.
std::vector<Option> context_options(const std::string& actor = "--actor");

/// The verb reads from the trail: where that is asked for it is recorded as such a read (trail, export) before a row is shown.
/// With the options that say what for, and by whom.
Command recorded(Command command, const std::string& kind = "trail");

/// The verb reads changes: with --archive, from an archive too.
Command archived(Command command);

/// One list after the other.
std::vector<Option> joined(std::vector<Option> first, const std::vector<Option>& second);

/// Their long names, as an action has them.
std::string names_of(const std::vector<Option>& options);

Command init_command();
Command track_command();
Command untrack_command();
Command status_command();
Command doctor_command();
Command metrics_command();
Command notify_command();
Command exec_command();
Command ddl_command();
Command log_command();
Command show_command();
Command diff_command();
Command blame_command();
Command at_command();
Command restore_command();
Command revert_command();
Command undo_command();
Command mark_command();
Command access_command();
Command review_command();
Command field_command();
Command report_command();
Command erase_command();
Command hold_command();
Command expire_command();
Command plan_command();
Command apply_command();
Command keygen_command();
Command seal_command();
Command verify_command();
Command prove_command();
Command export_command();
Command tiles_command();
Command check_command();
Command archive_command();
Command witness_command();
Command rules_command();
Command watch_command();
Command alert_command();
Command serve_command();
Command help_command();
Command completion_command();

}  // namespace vestige::cli
