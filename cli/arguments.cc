#include "cli/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "vestige/base/nearest.h"
#include "vestige/base/time.h"
#include "vestige/trail/catalog.h"

namespace vestige::cli {
namespace {

// CLI11 takes "-5" for an option, "[a,b]" for a list and "--name=" for "value follows". Whatever is
// a value carries this mark while CLI11 looks at it.
constexpr char kMark = '\x01';

bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word[1] != '.' && (word[1] < '0' || word[1] > '9');
}

std::string unmarked(const std::string& word) {
  return !word.empty() && word[0] == kMark ? word.substr(1) : word;
}

void mark(std::vector<std::string>& line) {
  bool options = true;
  for (std::string& word : line) {
    if (options && word == "--") {
      options = false;
    } else if (!options || !looks_like_option(word)) {
      word.insert(word.begin(), kMark);
    } else if (const std::size_t equals = word.find('=');
               word.starts_with("--") && equals != std::string::npos) {
      word.insert(equals + 1, 1, kMark);
    }
  }
}

std::vector<Option> all_options(const Command& command) {
  return joined(command.options, global_options());
}

std::string comma_separated(std::string names) {
  names.erase(std::remove(names.begin(), names.end(), ' '), names.end());
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// "log: "; nothing before a verb is known.
std::string prefix(const Command& command) {
  return command.name.empty() ? "" : command.name + ": ";
}

tl::unexpected<Error> unknown_option(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const Option& option : all_options(command)) names.push_back(option.name());
  // Where no context is given, or another --actor selects.
  const bool by = name == "--actor" && std::find(names.begin(), names.end(), "--by") != names.end();
  const std::string near = by ? "--by" : nearest(name, names);
  return hinted(fail(Fault::invalid, "{}unknown option '{}'", prefix(command), name),
                near.empty() ? "usage: " + usage(command) : fmt::format("did you mean {}?", near));
}

bool is_option(const std::string& word, const std::vector<Option>& options) {
  const std::string name = "," + word.substr(0, word.find('=')) + ",";
  return std::any_of(options.begin(), options.end(), [&](const Option& option) {
    return ("," + comma_separated(option.names) + ",").find(name) != std::string::npos;
  });
}

Result<void> check_choices(const Command& command, const Option& option,
                           const std::vector<std::string>& values) {
  if (option.choices.empty()) return {};
  for (const std::string& value : values) {
    const auto& choices = option.choices;
    if (std::find(choices.begin(), choices.end(), value) != choices.end()) continue;
    return hinted(
        fail(Fault::invalid, "{}{} cannot be '{}'", prefix(command), option.name(), value),
        "one of " + listed(choices));
  }
  return {};
}

Result<void> check_count(const Command& command, const std::vector<std::string>& words) {
  const auto count = static_cast<int>(words.size());
  if (count < command.least)
    return hinted(fail(Fault::invalid, "{}: {} is missing", command.name, command.arguments),
                  "usage: " + usage(command));
  if (command.most != kAny && count > command.most)
    return hinted(
        fail(Fault::invalid, "{}: '{}' is one word too many", command.name, words[command.most]),
        "usage: " + usage(command) + "; what contains spaces needs quotes");
  return {};
}

bool is_for(const Action& action, const std::string& option) {
  return (" " + action.options + " ").find(" " + option + " ") != std::string::npos;
}

// What an action does not look at may have been meant as a condition, and is not passed over.
Result<void> check_action(const Command& command, const Arguments& arguments) {
  const auto& actions = command.actions;
  const std::string named = !arguments.words().empty() ? arguments.words().front()
                            : actions.empty()          ? ""
                                                       : actions.front().name;
  const auto action = std::find_if(actions.begin(), actions.end(),
                                   [&](const Action& one) { return one.name == named; });
  if (action == actions.end()) return {};  // none, or none that there is: the verb says so
  const auto spelled = [&](const Action& one) {
    return command.name + (one.name.empty() ? "" : " ") + one.name;
  };
  for (const Option& option : command.options) {
    if (!arguments.has(option.name()) || is_for(*action, option.name())) continue;
    std::vector<std::string> others;
    for (const Action& one : actions)
      if (is_for(one, option.name())) others.push_back(spelled(one));
    if (!others.empty())
      return fail(Fault::invalid, "{}: {} is for {}", spelled(*action), option.name(),
                  listed(others));
  }
  return {};
}

}  // namespace

Result<Arguments> parse(const Command& command, std::vector<std::string> line) {
  CLI::App app;
  app.allow_extras();
  app.set_help_flag();
  std::map<std::string, std::vector<std::string>, std::less<>> found;
  const std::vector<Option> options = all_options(command);
  std::map<std::string, CLI::Option*> handles;
  for (const Option& option : options) {
    const std::string names = comma_separated(option.names);
    handles[option.name()] = option.value.empty()
                                 ? app.add_flag(names)
                                 : app.add_option(names)->expected(1)->multi_option_policy(
                                       CLI::MultiOptionPolicy::TakeAll);
  }
  mark(line);
  std::reverse(line.begin(), line.end());  // as CLI11 wants it
  try {
    app.parse(std::move(line));
  } catch (const CLI::ParseError& error) {
    // "--since: 1 required … missing" and its like: the option's name stands before the colon.
    const std::string text = error.what();
    return hinted(fail(Fault::invalid, "{}{} needs a value", prefix(command),
                       text.substr(0, text.find_first_of(": "))),
                  "usage: " + usage(command));
  }

  Arguments arguments;
  for (const std::string& word : app.remaining()) {
    if (word[0] == kMark) arguments.words_.push_back(unmarked(word));
    else if (word != "--") return unknown_option(command, word);
  }
  for (const Option& option : options) {
    std::vector<std::string> values;
    for (const std::string& value : handles[option.name()]->results()) {
      // CLI11 takes whatever follows.
      if (!option.value.empty() && is_option(value, options))
        return hinted(fail(Fault::invalid, "{}{} needs a value, and {} is an option",
                           prefix(command), option.name(), value),
                      fmt::format("{}={} says that it is the value", option.name(), value));
      values.push_back(unmarked(value));
    }
    if (values.empty()) continue;
    if (values.size() > 1 && !option.value.empty() && !option.repeated)
      return fail(Fault::invalid, "{}{} is given twice", prefix(command), option.name());
    TRY(check_choices(command, option, values));
    arguments.options_[option.name()] = std::move(values);
  }
  if (arguments.has("--help") || arguments.has("--version")) return arguments;
  TRY(check_count(command, arguments.words_));
  TRY(check_action(command, arguments));
  return arguments;
}

std::size_t verb_place(const std::vector<std::string>& line) {
  std::vector<Option> options = global_options();
  for (const Command& command : commands()) options = joined(std::move(options), command.options);
  for (std::size_t place = 0; place < line.size(); ++place) {
    if (!looks_like_option(line[place])) return place;
    const auto takes_value = [&](const Option& option) {
      return !option.value.empty() && is_option(line[place], {option});
    };
    if (line[place].find('=') == std::string::npos &&
        std::any_of(options.begin(), options.end(), takes_value))
      ++place;
  }
  return line.size();
}

std::string usage(const Command& command) {
  std::string out = "vestige";
  if (command.name.empty()) return out + " [--db URL] VERB …";
  out += " " + command.name;
  if (!command.options.empty()) out += " [OPTION…]";
  return command.arguments.empty() ? out : out + " " + command.arguments;
}

Result<std::int64_t> parse_number(std::string_view what, const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range && stop == end && text.front() != '-')
    return fail(Fault::invalid, "read {} '{}': too large a number", what, text);
  if (error != std::errc() || stop != end || number < 1)
    return fail(Fault::invalid, "read {} '{}': not a positive number", what, text);
  return number;
}

bool Arguments::has(std::string_view option) const { return options_.contains(option); }

std::string Arguments::written_out(const std::vector<std::string_view>& without,
                                   const Kept& kept) const {
  std::string out;
  const auto add = [&](const std::string& word) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@~%";
    if (!out.empty()) out += ' ';
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) {
      out += word;
      return;
    }
    out += '\'';
    for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    out += '\'';
  };
  for (std::size_t place = 0; place < words_.size(); ++place) add(kept("", place, words_[place]));
  for (const auto& [option, values] : options_) {
    if (std::find(without.begin(), without.end(), option) != without.end()) continue;
    for (const std::string& value : values) {
      add(option);
      if (value != "true") add(kept(option, 0, value));
    }
  }
  return out;
}

std::optional<std::string> Arguments::value(std::string_view option) const {
  const auto found = options_.find(option);
  if (found == options_.end()) return std::nullopt;
  return found->second.back();
}

std::vector<std::string> Arguments::values(std::string_view option) const {
  const auto found = options_.find(option);
  return found == options_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> Arguments::words_from(std::size_t place) const {
  if (place >= words_.size()) return {};
  return {words_.begin() + static_cast<std::ptrdiff_t>(place), words_.end()};
}

Result<std::optional<std::int64_t>> Arguments::number(std::string_view option) const {
  if (!has(option)) return std::nullopt;
  return TRY(parse_number(option, text(option)));
}

Result<std::optional<std::int64_t>> Arguments::time(std::string_view option) const {
  if (!has(option)) return std::nullopt;
  return TRY(parse_time(text(option), Now(clock_now(), Zone::local)));
}

Result<std::vector<std::string>> Arguments::list(std::string_view option) const {
  std::vector<std::string> parts;
  for (const std::string& value : values(option)) {
    std::string part;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '"' && quoted && i + 1 < value.size() && value[i + 1] == '"') {
        part += value[++i];
      } else if (value[i] == '"') {
        quoted = !quoted;
      } else if (value[i] == ',' && !quoted) {
        parts.push_back(std::exchange(part, {}));
      } else {
        part += value[i];
      }
    }
    if (quoted) return fail(Fault::invalid, "read {} '{}': a quote is not closed", option, value);
    parts.push_back(std::move(part));
  }
  std::erase(parts, "");
  return parts;
}

Result<Context> Arguments::context(std::string_view actor) const {
  Context context;
  for (const std::string_view field : kContextFields) {
    std::string option = "--" + std::string(field);
    std::replace(option.begin(), option.end(), '_', '-');
    if (const auto given = value(field == "actor" ? actor : option)) context.set(field, *given);
  }
  for (const std::string& pair : values("--context")) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos)
      return hinted(fail(Fault::invalid, "read --context '{}': no field and value", pair),
                    "write --context ticket=4711");
    const std::string field = pair.substr(0, equals);
    if (context.get(field) != nullptr)
      return fail(Fault::invalid, "read --context '{}': {} is given twice", pair, field);
    context.set(field, pair.substr(equals + 1));
  }
  return context;
}

}  // namespace vestige::cli
