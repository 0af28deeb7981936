#include <algorithm>
#include <charconv>

#include "vestige/base/letters.h"
#include "vestige/db/sqlite_api.h"
#include "vestige/db/sqlite_expressions.h"

namespace vestige {
namespace {

enum class Kind { word, quoted, string, number, mark, reference };

struct Piece {
  Kind kind = Kind::mark;
  std::string_view text;  // as it is written
  std::string name;       // of a word or quoted name
  std::size_t place = 0;  // of a reference
};

bool begins_word(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool in_word(char c) { return begins_word(c) || is_digit(c) || c == '$'; }

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  Result<std::vector<Piece>> read() {
    std::vector<Piece> all;
    for (;;) {
      TRY(space());
      if (at_ == text_.size()) return all;
      all.push_back(TRY(next()));
    }
  }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Result<void> space() {
    for (;;) {
      const std::size_t before = at_;
      while (at_ < text_.size() && std::string_view(" \t\n\r\f").find(peek()) != text_.npos) ++at_;
      if (peek() == '-' && peek(1) == '-') at_ = std::min(text_.find('\n', at_), text_.size());
      if (peek() == '/' && peek(1) == '*') {
        const std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fail(Fault::invalid, "a comment does not end");
        at_ = end + 2;
      }
      if (at_ == before) return {};
    }
  }

  // In quotes, a quote within them written twice.
  Result<Piece> quoted(char end, Kind kind) {
    const std::size_t from = at_++;
    std::string name;
    for (;; ++at_) {
      if (at_ == text_.size())
        return fail(Fault::invalid, "a {} does not end",
                    kind == Kind::string ? "string" : "name in quotes");
      if (peek() == end) {
        if (end == ']' || peek(1) != end) break;
        ++at_;
      }
      name += peek();
    }
    ++at_;
    return Piece{kind, text_.substr(from, at_ - from), std::move(name), 0};
  }

  Piece number() {
    const std::size_t from = at_;
    while (in_word(peek()) || peek() == '.' ||
           ((peek() == '+' || peek() == '-') && lower(text_[at_ - 1]) == 'e' &&
            lower(text_.substr(from, 2)) != "0x"))
      ++at_;
    return Piece{Kind::number, text_.substr(from, at_ - from), {}, 0};
  }

  Result<Piece> next() {
    const char c = peek();
    const std::size_t from = at_;
    if (lower(c) == 'x' && peek(1) == '\'') {
      ++at_;
      Piece blob = TRY(quoted('\'', Kind::string));
      blob.text = text_.substr(from, at_ - from);
      return blob;
    }
    if (c == '\'') return quoted('\'', Kind::string);
    if (c == '"' || c == '`') return quoted(c, Kind::quoted);
    if (c == '[') return quoted(']', Kind::quoted);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (begins_word(c)) {
      while (in_word(peek())) ++at_;
      const std::string_view word = text_.substr(from, at_ - from);
      return Piece{Kind::word, word, std::string(word), 0};
    }
    for (const std::string_view mark :
         {"->>", "->", "||", "<=", "<>", "<<", ">=", ">>", "==", "!="})
      if (text_.substr(at_).starts_with(mark)) {
        at_ += mark.size();
        return Piece{Kind::mark, mark, {}, 0};
      }
    if (std::string_view("()+-*/%=<>,.&|~").find(c) == std::string_view::npos)
      return fail(Fault::invalid, "'{}' means nothing in an expression",
                  c > ' ' && c <= '~' ? std::string(1, c) : "a control character");
    ++at_;
    return Piece{Kind::mark, text_.substr(from, 1), {}, 0};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is(const Piece& token, std::string_view word) {
  return token.kind == Kind::word ? lower(token.text) == word
                                  : token.kind == Kind::mark && token.text == word;
}

bool is_name(const Piece& token) { return token.kind == Kind::word || token.kind == Kind::quoted; }

bool is_one_of(const Piece& token, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(), [&](auto word) { return is(token, word); });
}

class Rewriter {
 public:
  Rewriter(std::vector<Piece> tokens, const std::vector<std::string>& fields)
      : tokens_(std::move(tokens)), fields_(fields) {}

  Result<RewrittenExpression> rewrite() {
    if (tokens_.empty()) return fail(Fault::invalid, "there is nothing");
    TRY(check_parentheses());
    TRY(find_references());
    write();
    return std::move(out_);
  }

 private:
  // What closes more than it opened would be more than one expression.
  Result<void> check_parentheses() {
    int depth = 0;
    for (const Piece& token : tokens_) {
      if (is(token, "(")) ++depth;
      if (is(token, ")") && --depth < 0) break;
    }
    if (depth != 0) return fail(Fault::invalid, "the parentheses do not match");
    return {};
  }

  const Piece& ahead(std::size_t place) const {
    static const Piece none;
    return place < tokens_.size() ? tokens_[place] : none;
  }

  void refer(std::vector<Piece>& read, Reference::Of of, const std::string& name) {
    Reference reference{of, name};
    const auto found = std::find(out_.references.begin(), out_.references.end(), reference);
    const auto place = static_cast<std::size_t>(found - out_.references.begin());
    if (found == out_.references.end()) out_.references.push_back(std::move(reference));
    read.push_back({Kind::reference, "", "", place});
  }

  Result<void> find_references() {
    std::vector<Piece> read;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const Piece& token = tokens_[i];
      const std::string word = lower(token.name);
      if (is_name(token) && is(ahead(i + 1), ".")) {
        if (!is_name(ahead(i + 2)) || (word != "old" && word != "new" && word != "context"))
          return fail(Fault::invalid, "'{}.' names nothing: old.COLUMN, new.COLUMN, context.FIELD",
                      token.name);
        refer(read,
              word == "old"   ? Reference::Of::before
              : word == "new" ? Reference::Of::after
                              : Reference::Of::context,
              ahead(i + 2).name);
        i += 2;
      } else if (is(token, "changed") && is(ahead(i + 1), "(")) {
        const Piece& column = ahead(i + 2);
        if ((!is_name(column) && column.kind != Kind::string) || !is(ahead(i + 3), ")"))
          return fail(Fault::invalid, "changed() takes the name of a column");
        refer(read, Reference::Of::changed, column.name);
        i += 3;
      } else if (is_name(token) && !is(ahead(i + 1), "(")) {
        TRY(find_field(token, read));
      } else {
        read.push_back(token);
      }
    }
    tokens_ = std::move(read);
    return {};
  }

  Result<void> find_field(const Piece& token, std::vector<Piece>& read) {
    const std::string name = lower(token.name);
    if (std::find(fields_.begin(), fields_.end(), name) != fields_.end()) {
      refer(read, Reference::Of::change, name);
      return {};
    }
    if (token.kind == Kind::quoted ||
        (sqlite3_keyword_check(token.text.data(), static_cast<int>(token.text.size())) == 0 &&
         name != "true" && name != "false"))
      return hinted(fail(Fault::invalid, "'{}' names nothing", token.name),
                    fmt::format("known are old.COLUMN, new.COLUMN, context.FIELD, {}",
                                fmt::join(fields_, ", ")));
    read.push_back(token);
    return {};
  }

  // Two operands that nothing else lays hold of, at least one of them a reference.
  bool is_plain_comparison(std::size_t i) const {
    if (i == 0 || i >= tokens_.size() ||
        !is_one_of(tokens_[i], {"=", "==", "<>", "!=", "<", "<=", ">", ">="}))
      return false;
    const Piece& left = tokens_[i - 1];
    const Piece& right = ahead(i + 1);
    if (left.kind != Kind::reference && right.kind != Kind::reference) return false;
    const auto is_operand = [](const Piece& token) {
      return token.kind == Kind::reference ||
             (token.kind == Kind::number &&
              token.text.find_first_not_of("0123456789.eE+-") == std::string_view::npos);
    };
    if (!is_operand(left) || !is_operand(right)) return false;
    const bool between = std::any_of(tokens_.begin(), tokens_.end(),
                                     [](const Piece& token) { return is(token, "between"); });
    const bool begins =
        i == 1 ||
        is_one_of(tokens_[i - 2], {"(", ",", "or", "not", "when", "then", "else", "case"}) ||
        (is(tokens_[i - 2], "and") && !between);
    const bool ends =
        i + 2 == tokens_.size() ||
        is_one_of(tokens_[i + 2], {")", ",", "and", "or", "then", "when", "else", "end"});
    return begins && ends;
  }

  // The place of an operand: references from 0 on, numerals below.
  std::string operand(const Piece& token) {
    if (token.kind == Kind::reference) return std::to_string(token.place);
    std::int64_t integer = 0;
    const char* end = token.text.data() + token.text.size();
    const auto read = std::from_chars(token.text.data(), end, integer);
    out_.numerals.push_back(read.ec == std::errc() && read.ptr == end
                                ? Value(integer)
                                : Value(Token{std::string(token.text)}));
    return std::to_string(-static_cast<int>(out_.numerals.size()));
  }

  std::string written(const Piece& token) const {
    return token.kind == Kind::reference ? fmt::format("?{}", token.place + 1)
                                         : std::string(token.text);
  }

  void write() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (is_plain_comparison(i + 1)) {
        const std::string left = operand(tokens_[i]);
        out_.sql += fmt::format(" (vestige_compare({}, {}) {} 0)", left, operand(tokens_[i + 2]),
                                tokens_[i + 1].text);
        i += 2;
      } else {
        out_.sql += " " + written(tokens_[i]);
      }
    }
  }

  std::vector<Piece> tokens_;
  const std::vector<std::string>& fields_;
  RewrittenExpression out_;
};

}  // namespace

Result<RewrittenExpression> rewrite_expression(std::string_view text,
                                               const std::vector<std::string>& fields) {
  return Rewriter(TRY(Tokens(text).read()), fields).rewrite();
}

}  // namespace vestige
