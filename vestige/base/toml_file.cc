// The only file that includes toml++, header-only, so that nobody who links the library needs it.
#include "vestige/base/toml_file.h"
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <utility>

#include "vestige/base/file.h"
#include "vestige/base/nearest.h"

namespace vestige {
namespace {

class Planter {
 public:
  explicit Planter(std::string file) : file_(std::move(file)) {}

  Toml plant(const toml::node& node) const {
    Toml out;
    out.place = place(node.source());
    if (const auto* table = node.as_table()) {
      for (auto&& [key, value] : *table)
        out.members.push_back({std::string(key.str()), place(key.source()), plant(value)});
    } else if (const auto* array = node.as_array()) {
      out.kind = Toml::Kind::array;
      for (const toml::node& item : *array) out.items.push_back(plant(item));
    } else if (const auto* text = node.as_string()) {
      out.kind = Toml::Kind::text;
      out.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
      out.kind = Toml::Kind::integer;
      out.integer = integer->get();
    } else if (const auto* real = node.as_floating_point()) {
      out.kind = Toml::Kind::real;
      out.real = real->get();
    } else if (const auto* boolean = node.as_boolean()) {
      out.kind = Toml::Kind::boolean;
      out.boolean = boolean->get();
    } else {
      out.kind = Toml::Kind::time;
      std::ostringstream written;
      if (const auto* date = node.as_date()) written << *date;
      else if (const auto* time = node.as_time()) written << *time;
      else if (const auto* both = node.as_date_time()) written << *both;
      out.text = written.str();
    }
    return out;
  }

 private:
  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}:{}", file_, source.begin.line, source.begin.column);
  }

  std::string file_;
};

// toml++ reads the first name of a [header] without looking, and ends the program when there is none. Such a
// line, from 1; 0: none.
int line_without_name(std::istream& text) {
  constexpr std::string_view kSpace = " \t";
  bool quoted = false;  // within """ or '''
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    std::size_t at = line.find_first_not_of(kSpace);
    if (!quoted && at != std::string::npos && line[at] == '[') {
      at = line.find_first_not_of(kSpace, at + 1);
      if (at != std::string::npos && line[at] == '[') at = line.find_first_not_of(kSpace, at + 1);
      const char first = at == std::string::npos ? ' ' : line[at];
      const bool plain = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                         (first >= '0' && first <= '9');
      if (!plain && std::string_view("_-\"'").find(first) == std::string_view::npos) return number;
    }
    for (const std::string_view fence : {R"(""")", "'''"})
      for (at = line.find(fence); at != std::string::npos; at = line.find(fence, at + fence.size()))
        quoted = !quoted;
  }
  return 0;
}

// toml++ limits how deep values stand in each other, but not how many parts a key has: a.a.a.… ends the program. The
// line of such a key, from 1; 0: none. What is quoted, and what a comment says, does not count.
int line_with_deep_key(std::string_view text) {
  constexpr int kParts = 100;
  int line = 1;
  int dots = 0;
  std::string_view fence;  // what ends the string that we are in
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') ++line;
    if (!fence.empty()) {
      if (text[at] == '\\' && fence[0] == '"') line += text.substr(++at, 1) == "\n" ? 1 : 0;
      else if (text.substr(at, fence.size()) == fence) at += std::exchange(fence, {}).size() - 1;
      else if (text[at] == '\n' && fence.size() == 1) fence = {};
      continue;
    }
    for (const std::string_view one : {R"(""")", "'''", "\"", "'"})
      if (fence.empty() && text.substr(at, one.size()) == one) fence = one;
    if (!fence.empty()) at += fence.size() - 1;
    else if (text[at] == '#') at = std::min(text.find('\n', at), text.size()) - 1;
    else if (text[at] == '.' && ++dots >= kParts) return line;
    else if (std::string_view("=,[]{}\n").find(text[at]) != std::string_view::npos) dots = 0;
  }
  return 0;
}

tl::unexpected<Error> other_kind(const TomlMember& member, const Toml& node,
                                 std::string_view wanted) {
  return misread(node.place, fmt::format("'{}' must be {}", member.name, wanted));
}

}  // namespace

tl::unexpected<Error> misread(const std::string& place, std::string_view why) {
  return fail(Fault::invalid, "read {}: {}", place, why);
}

tl::unexpected<Error> suggested(tl::unexpected<Error> error, const std::string& typed,
                                const std::vector<std::string>& known) {
  const std::string near = nearest(typed, known);
  return near.empty()
             ? hinted(std::move(error), fmt::format("known are {}", fmt::join(known, ", ")))
             : hinted(std::move(error), "did you mean " + near + "?");
}

const TomlMember* Toml::find(std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const TomlMember& one) { return one.name == name; });
  return found == members.end() ? nullptr : &*found;
}

Result<void> Toml::check_names(const std::vector<std::string>& known) const {
  for (const TomlMember& member : members)
    if (std::find(known.begin(), known.end(), member.name) == known.end())
      return suggested(misread(member.place, fmt::format("unknown key '{}'", member.name)),
                       member.name, known);
  return {};
}

Result<std::string> TomlMember::as_text() const {
  if (value.kind == Toml::Kind::text) return value.text;
  return other_kind(*this, value, "a string");
}

Result<std::vector<std::string>> TomlMember::as_texts() const {
  if (value.kind != Toml::Kind::array) return other_kind(*this, value, "an array of strings");
  std::vector<std::string> out;
  for (const Toml& item : value.items) {
    if (item.kind != Toml::Kind::text) return other_kind(*this, item, "a string");
    out.push_back(item.text);
  }
  return out;
}

Result<std::int64_t> TomlMember::as_integer() const {
  if (value.kind == Toml::Kind::integer) return value.integer;
  return other_kind(*this, value, "a number");
}

Result<double> TomlMember::as_number() const {
  if (value.kind == Toml::Kind::real) return value.real;
  return static_cast<double>(TRY(as_integer()));
}

Result<bool> TomlMember::as_boolean() const {
  if (value.kind == Toml::Kind::boolean) return value.boolean;
  return other_kind(*this, value, "true or false");
}

Result<const Toml*> TomlMember::as_table() const {
  if (value.kind == Toml::Kind::table) return &value;
  return other_kind(*this, value, "a table");
}

Result<std::vector<const Toml*>> TomlMember::as_tables() const {
  const auto refused = [&] {
    return hinted(other_kind(*this, value, "a list of tables"),
                  fmt::format("write [[{}]] above each", name));
  };
  if (value.kind != Toml::Kind::array) return refused();
  std::vector<const Toml*> out;
  for (const Toml& item : value.items) {
    if (item.kind != Toml::Kind::table) return refused();
    out.push_back(&item);
  }
  return out;
}

Result<Toml> read_toml(const std::string& path) {
  const std::filesystem::path file(path);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return hinted(fail(Fault::missing, "read {}: no such file", path),
                  "write a vestige.toml, or give another with --file");
  if (!std::filesystem::is_regular_file(file, ignored))
    return fail(Fault::invalid, "read {}: not a file", path);
  const std::string name = file.filename().string();
  const std::string content = TRY(file_bytes(path));
  std::istringstream text(content);
  if (const int line = line_with_deep_key(content); line != 0)
    return hinted(fail(Fault::invalid, "read {}:{}: a key of more than 100 parts", name, line),
                  "what stands between dots is a table in a table: quote a name that has dots");
  if (const int line = line_without_name(text); line != 0)
    return hinted(fail(Fault::invalid, "read {}:{}: a [header] without a name", name, line),
                  "write [tables.NAME]; a name that is not of letters, digits, _ and - is quoted");
  const toml::parse_result parsed = toml::parse(content);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return fail(Fault::invalid, "read {}:{}:{}: {}", name, error.source().begin.line,
                error.source().begin.column, error.description());
  }
  return Planter(name).plant(parsed.table());
}

}  // namespace vestige
