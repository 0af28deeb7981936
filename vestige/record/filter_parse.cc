// The grammar of filters: text to conditions and back.
#include <algorithm>
#include <charconv>

#include "vestige/base/letters.h"
#include "vestige/base/time.h"
#include "vestige/record/filter.h"

namespace vestige {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool names_a_field(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_operator(char c) { return c == ':' || c == '=' || c == '<' || c == '>' || c == '!'; }

// FIELD.NAME: of a key any column, or that one.
bool may_have_name(std::string_view field) {
  return field == "old" || field == "new" || field == "context" || field == "key";
}

bool compares(const Condition& condition) {
  return condition.field == "old" || condition.field == "new" ||
         (condition.field == "key" && !condition.name.empty());
}

bool is_number(std::string_view field) { return field == "id" || field == "tx"; }
bool is_time(std::string_view field) { return field == "since" || field == "until"; }

bool known(std::string_view field) {
  const auto& all = filter_fields();
  return std::find(all.begin(), all.end(), field) != all.end();
}

std::string_view symbol(Comparison comparison) {
  switch (comparison) {
    case Comparison::equal: return "=";
    case Comparison::unequal: return "!=";
    case Comparison::less: return "<";
    case Comparison::at_most: return "<=";
    case Comparison::more: return ">";
    case Comparison::at_least: return ">=";
  }
  return "";
}

Condition text_condition() {
  Condition condition;
  condition.field = "text";
  return condition;
}

class Parser {
 public:
  Parser(std::string_view text, const Now& now) : text_(text), now_(now) {}

  Result<Filter> parse() {
    Filter filter;
    while (skip_spaces()) filter.conditions.push_back(TRY(condition()));
    return filter;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char here() const { return text_[at_]; }

  bool skip_spaces() {
    while (!at_end() && is_space(here())) ++at_;
    return !at_end();
  }

  bool take(char c) {
    if (at_end() || here() != c) return false;
    ++at_;
    return true;
  }

  // The word that begins here, for messages.
  std::string_view word_at(std::size_t start) const {
    std::size_t end = start;
    while (end < text_.size() && !is_space(text_[end])) ++end;
    return text_.substr(start, end - start);
  }

  // "…", in which "" is a quote.
  Result<std::string> quoted() {
    const std::size_t start = at_++;
    std::string out;
    while (!at_end()) {
      if (!take('"')) out += text_[at_++];
      else if (take('"')) out += '"';
      else return out;
    }
    return hinted(
        fail(Fault::invalid, "read the filter: a quote is not closed: {}", text_.substr(start)),
        "a quote within quotes is written twice: \"\"");
  }

  Result<FilterWord> word(std::string_view field) {
    if (!at_end() && here() == '"') {
      FilterWord word{TRY(quoted()), true};
      if (!at_end() && here() != ',' && !is_space(here()))
        return hinted(
            fail(Fault::invalid, "read the filter: {} follows a closing quote", word_at(at_)),
            "put a space or a comma between");
      return word;
    }
    const std::size_t start = at_;
    while (!at_end() && !is_space(here()) && here() != ',' && here() != '"') ++at_;
    if (!at_end() && here() == '"')
      return hinted(fail(Fault::invalid, "read the filter: a quote within {}", word_at(start)),
                    "put the whole value in quotes");
    if (at_ == start)
      return hinted(fail(Fault::invalid, "read the filter: {}: a value is missing", field),
                    field == "text" ? "\"\" is the empty text"
                                    : fmt::format("{0}:* is any value, -{0}:* none", field));
    return FilterWord{std::string(text_.substr(start, at_ - start)), false};
  }

  Result<void> words(Condition& condition) {
    const std::string field =
        condition.name.empty() ? condition.field : condition.field + "." + condition.name;
    do condition.words.push_back(TRY(word(field)));
    while (take(','));
    return {};
  }

  std::optional<Comparison> comparison() {
    if (take(':') || take('=')) return Comparison::equal;
    if (take('<')) return take('=') ? Comparison::at_most : Comparison::less;
    if (take('>')) return take('=') ? Comparison::at_least : Comparison::more;
    if (at_ + 1 < text_.size() && here() == '!' && text_[at_ + 1] == '=') {
      at_ += 2;
      return Comparison::unequal;
    }
    return std::nullopt;
  }

  // FIELD or FIELD.NAME before an operator; nothing, and nothing is read, where the word is none.
  Result<std::optional<Condition>> field() {
    const std::size_t start = at_;
    while (!at_end() && names_a_field(here())) ++at_;
    Condition condition;
    condition.field = lower(text_.substr(start, at_ - start));
    bool named = !condition.field.empty();
    if (named && may_have_name(condition.field) && take('.')) {
      if (!at_end() && here() == '"') {
        condition.name = TRY(quoted());
      } else {
        const std::size_t name = at_;
        while (!at_end() && !is_space(here()) && !is_operator(here()) && here() != '"') ++at_;
        condition.name = text_.substr(name, at_ - name);
      }
    }
    const std::size_t sign = at_;
    const auto compared = named && !at_end() ? comparison() : std::nullopt;
    if (!compared.has_value()) {
      at_ = start;
      return std::optional<Condition>();
    }
    condition.comparison = *compared;
    TRY(check(condition, text_[sign] == ':', word_at(start)));
    return std::optional<Condition>(std::move(condition));
  }

  static Result<void> check(const Condition& condition, bool colon, std::string_view typed) {
    if (!known(condition.field))
      return hinted(
          fail(Fault::invalid, "read the filter: {}: there is no field {}", typed, condition.field),
          colon ? fmt::format("the fields are {}; what is only a text stands in quotes",
                              fmt::join(filter_fields(), ", "))
                : fmt::format("compare old.{0} or new.{0}; what is only a text stands in quotes",
                              condition.field));
    const bool dotted = typed.substr(condition.field.size()).starts_with('.');
    if (condition.name.empty() && may_have_name(condition.field) &&
        (dotted || condition.field != "key"))
      return hinted(fail(Fault::invalid, "read the filter: {}: a name is missing", typed),
                    fmt::format("write {0}.NAME:VALUE; a name with odd letters in quotes: "
                                "{0}.\"unit price\":5",
                                condition.field));
    if (!colon && !compares(condition))
      return hinted(
          fail(Fault::invalid, "read the filter: {}: only key., old. and new. are compared", typed),
          fmt::format("write {}:VALUE", condition.field));
    return {};
  }

  static Result<void> check_signed(const std::string& word) {
    if (word == "yes" || word == "no" || word == "*" ||
        std::find(kSignedWords.begin(), kSignedWords.end(), word) != kSignedWords.end())
      return {};
    return hinted(fail(Fault::invalid, "read the filter: signed: '{}' is no such word", word),
                  fmt::format("yes, no, {}", fmt::join(kSignedWords, ", ")));
  }

  Result<void> understand(Condition& condition) const {
    for (const FilterWord& word : condition.words) {
      if (is_time(condition.field)) {
        condition.numbers.push_back(TRY(parse_time(word.text, now_)));
      } else if (condition.field == "op" && word.text != "*") {
        static_cast<void>(TRY(op_from_name(word.text)));
      } else if (condition.field == "signed") {
        TRY(check_signed(word.text));
      } else if (is_number(condition.field)) {
        std::int64_t number = 0;
        const char* last = word.text.data() + word.text.size();
        const auto [end, error] = std::from_chars(word.text.data(), last, number);
        if (error != std::errc() || end != last)
          return fail(Fault::invalid, "read the filter: {}: '{}' is not a number", condition.field,
                      word.text);
        condition.numbers.push_back(number);
      }
    }
    return {};
  }

  Result<Condition> condition() {
    const bool negated = take('-');
    auto read = TRY(field());
    Condition condition = read.has_value() ? *std::move(read) : text_condition();
    condition.negated = negated;
    TRY(words(condition));
    TRY(understand(condition));
    return condition;
  }

  std::string_view text_;
  Now now_;
  std::size_t at_ = 0;
};

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

bool needs_quotes(std::string_view text) {
  return text.empty() || std::any_of(text.begin(), text.end(),
                                     [](char c) { return is_space(c) || c == ',' || c == '"'; });
}

std::string to_text(const Condition& condition) {
  std::string out = condition.negated ? "-" : "";
  out += condition.field;
  if (!condition.name.empty()) out += "." + in_quotes(condition.name);
  out += condition.comparison == Comparison::equal ? ":" : symbol(condition.comparison);
  for (std::size_t i = 0; i < condition.words.size(); ++i) {
    const FilterWord& word = condition.words[i];
    const std::string text =
        is_time(condition.field) ? format_time(condition.numbers[i]) : word.text;
    out += i == 0 ? "" : ",";
    out += word.quoted || needs_quotes(text) ? in_quotes(text) : text;
  }
  return out;
}

}  // namespace

const std::vector<std::string_view>& filter_fields() {
  static const std::vector<std::string_view> all = [] {
    std::vector<std::string_view> names = {"table", "key",   "op",   "column", "who",   "db_user",
                                           "since", "until", "tx",   "id",     "tag",   "class",
                                           "old",   "new",   "text", "value",  "signed"};
    names.insert(names.end(), kContextFields.begin(), kContextFields.end());
    names.emplace_back("context");
    return names;
  }();
  return all;
}

Result<Filter> parse_filter(std::string_view text, const Now& now) {
  return Parser(text, now).parse();
}

std::string to_text(const Filter& filter) {
  std::string out;
  for (const Condition& condition : filter.conditions)
    out += (out.empty() ? "" : " ") + to_text(condition);
  return out;
}

}  // namespace vestige
