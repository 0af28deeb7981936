// completion: scripts for bash and zsh, made from the command table.
#include <algorithm>

#include "cli/session.h"
#include "vestige/audit/offers.h"

namespace vestige::cli {
namespace {

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

// Every spelling of an option: "-f", "--file".
std::vector<std::string> spellings(const Option& option) {
  const std::size_t comma = option.names.find(", ");
  if (comma == std::string::npos) return {option.names};
  return {option.names.substr(0, comma), option.name()};
}

bool takes_table(const Command& command) {
  return command.arguments.find("TABLE") != std::string::npos;
}

std::vector<std::string> words_for(const Command& command) {
  if (command.name == "completion") {
    std::vector<std::string> words = {"bash", "zsh"};
    words.insert(words.end(), std::begin(kOffers), std::end(kOffers));
    return words;
  }
  if (command.name != "help") return {};
  std::vector<std::string> names;
  for (const Command& one : commands()) names.push_back(one.name);
  return names;
}

// What the database can offer for an option's value; empty: nothing.
std::string_view offered(const Option& option) {
  const std::string name = option.name();
  if (name == "--actor" || name == "--by") return "actors";
  if (name == "--column") return "columns";
  if (name == "--table") return "tables";
  if (name == "--tx") return "transactions";
  if (option.value == "MOMENT") return "marks";
  return name == "--consumer" ? "consumers" : "";
}

// A template with its marks replaced.
std::string filled(std::string_view text,
                   const std::vector<std::pair<std::string_view, std::string>>& marks) {
  std::string out(text);
  for (const auto& [mark, value] : marks) out.replace(out.find(mark), mark.size(), value);
  return out;
}

std::string bash_script() {
  std::string verbs;
  std::string cases;
  for (const Command& command : commands()) {
    verbs += (verbs.empty() ? "" : " ") + command.name;
    std::vector<std::string> words;
    for (const Option& option : joined(command.options, global_options()))
      for (const std::string& spelling : spellings(option)) words.push_back(spelling);
    cases += fmt::format("    {}) options='{}' words='{}' tables={} ;;\n", command.name,
                         joined_words(words), joined_words(words_for(command)),
                         takes_table(command) ? "yes" : "");
  }
  std::string values;
  std::vector<std::string> seen;
  const auto add_values = [&](const std::vector<Option>& options) {
    for (const Option& option : options) {
      if (option.value.empty()) continue;
      const std::string name = option.name();
      if (std::find(seen.begin(), seen.end(), name) != seen.end()) continue;
      seen.push_back(name);
      std::string pattern;
      for (const std::string& spelling : spellings(option))
        pattern += (pattern.empty() ? "" : "|") + spelling;
      if (!option.choices.empty())
        values += fmt::format("    {}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n",
                              pattern, joined_words(option.choices));
      else if (option.value == "FILE" || option.value == "URL")
        values +=
            fmt::format("    {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", pattern);
      else if (!offered(option).empty())
        values += fmt::format(
            "    {}) words=$(vestige \"${{db[@]}}\" completion {} 2>/dev/null)\n"
            "      COMPREPLY=($(compgen -W \"$words\" -- \"$word\")); return ;;\n",
            pattern, offered(option));
      else values += fmt::format("    {}) return ;;\n", pattern);
    }
  };
  add_values(global_options());
  for (const Command& command : commands()) add_values(command.options);
  return filled(R"SH(# bash completion for vestige; made by `vestige completion bash`.

_vestige() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local verb='' options='' words='' tables='' i db=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    --db) db=(--db "${COMP_WORDS[i+1]}"); ((i++)) ;;
    --color) ((i++)) ;;
    -*) ;;
    *) [[ $verb ]] || verb=${COMP_WORDS[i]} ;;
    esac
  done
  case $before in
@values@  esac
  case $verb in
    '') words='@verbs@' ;;
@cases@  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    [[ $tables ]] && words=$(vestige "${db[@]}" completion tables 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -o default -F _vestige vestige
)SH",
                {{"@values@", values}, {"@verbs@", verbs}, {"@cases@", cases}});
}

// A text inside '…' of an _arguments specification.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') out += "'\\'";
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_option(const Option& option) {
  const std::vector<std::string> names = spellings(option);
  std::string action;
  if (!option.choices.empty())
    action = fmt::format(":{}:({})", option.value, joined_words(option.choices));
  else if (option.value == "FILE" || option.value == "URL") action = ":" + option.value + ":_files";
  else if (!offered(option).empty())
    action = fmt::format(":{}: _vestige_offer {}", zsh_text(option.value), offered(option));
  else if (!option.value.empty()) action = ":" + zsh_text(option.value) + ":";
  std::string out;
  for (const std::string& name : names) {
    const std::string others = option.repeated ? "*" : "(" + joined_words(names) + ")";
    out += fmt::format("      '{}{}[{}]{}' \\\n", others, name, zsh_text(option.summary), action);
  }
  return out;
}

std::string zsh_script() {
  std::string verbs;
  std::string cases;
  for (const Command& command : commands()) {
    verbs += fmt::format("    '{}:{}'\n", command.name, zsh_text(command.summary));
    std::string specs;
    for (const Option& option : joined(command.options, global_options()))
      specs += zsh_option(option);
    const std::string words = joined_words(words_for(command));
    specs += takes_table(command) ? "      '*:table: _vestige_offer tables'"
             : words.empty()      ? "      '*:word:'"
                                  : "      '*:word:(" + words + ")'";
    cases += fmt::format("  {})\n    _arguments \\\n{} ;;\n", command.name, specs);
  }
  std::string global;
  for (const Option& option : global_options()) global += zsh_option(option);
  return filled(R"SH(#compdef vestige
# zsh completion for vestige; made by `vestige completion zsh`.

_vestige_offer() {
  local -a db found
  [[ -n $opt_args[--db] ]] && db=(--db $opt_args[--db])
  found=(${(f)"$(vestige $db completion $1 2>/dev/null)"})
  compadd -- $found
}

_vestige() {
  local -a verbs
  verbs=(
@verbs@  )
  local context state line
  typeset -A opt_args
  _arguments -C \
@global@    '1:verb:->verb' '*::word:->words'
  case $state in
  verb) _describe verb verbs; return ;;
  esac
  case $words[1] in
@cases@  esac
}

if [[ $funcstack[1] == _vestige ]]; then
  _vestige "$@"
else
  compdef _vestige vestige
fi
)SH",
                {{"@verbs@", verbs}, {"@global@", global}, {"@cases@", cases}});
}

// Shells take what is offered into the command line as it is, and anybody may give a name: only what no shell takes apart, or runs.
bool is_one_word(const std::string& word) {
  return !word.empty() && word[0] != '-' && std::all_of(word.begin(), word.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 ||
           std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-.,:@/+").find(c) != std::string_view::npos;
  });
}

// One a line.
Result<int> print_offers(Session& session, const std::string& what) {
  for (const std::string& word : TRY(offers(*TRY(session.database()), what)))
    if (is_one_word(word)) session.output().line({{Label::plain, word}});
  return kDone;
}

Result<int> run_completion(Session& session) {
  const std::string& shell = session.arguments().words().front();
  if (std::find(std::begin(kOffers), std::end(kOffers), shell) != std::end(kOffers))
    return print_offers(session, shell);
  if (shell != "bash" && shell != "zsh")
    return hinted(fail(Fault::invalid, "completion: there is none for '{}'", shell), "bash or zsh");
  session.output().text(shell == "bash" ? bash_script() : zsh_script());
  return kDone;
}

}  // namespace

Command completion_command() {
  return {
      .name = "completion",
      .group = "about",
      .summary = "print the completion script of a shell",
      .arguments = "bash|zsh|tables|columns|actors|transactions|consumers|marks",
      .least = 1,
      .most = 1,
      .about =
          {"The scripts complete verbs, options and their values: tables, columns, who made the "
           "last changes, "
           "the last transactions, consumers and marks are those of the database. They are "
           "installed with "
           "vestige. The other words print what they offer, one a line, but names that a shell "
           "would take apart."},
      .examples = {{"eval \"$(vestige completion bash)\"", "complete in this shell"},
                   {"eval \"$(vestige completion zsh)\"", "the same; after compinit"}},
      .run = run_completion};
}

}  // namespace vestige::cli
