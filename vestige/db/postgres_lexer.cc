#include "vestige/db/postgres_lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "vestige/base/letters.h"

namespace vestige::postgres {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_tag(char c) { return begins_word(c) || is_digit(c); }
bool is_word(char c) { return is_tag(c) || c == '$'; }

}  // namespace

Piece Lexer::next() {
  const std::size_t start = at_;
  if (at_ >= sql_.size()) return {};
  const Lexeme kind = advance();
  at_ = std::min(at_, sql_.size());
  return {kind, sql_.substr(start, at_ - start)};
}

Lexeme Lexer::advance() {
  const char c = peek();
  if (is_space(c)) {
    while (is_space(peek())) ++at_;
    return Lexeme::space;
  }
  if (c == '-' && peek(1) == '-') {
    line_comment();
    return Lexeme::space;
  }
  if (c == '/' && peek(1) == '*') {
    block_comment();
    return Lexeme::space;
  }
  if (c == '\'' || c == '"') {
    quoted(c);
    return Lexeme::quoted;
  }
  if ((c == 'e' || c == 'E') && peek(1) == '\'') {
    ++at_;
    escaped();
    return Lexeme::quoted;
  }
  if (begins_word(c)) {
    while (is_word(peek())) ++at_;
    return Lexeme::word;
  }
  if (c == '$' && dollar_quoted()) return Lexeme::quoted;
  if ((c == '?' || c == '$') && is_digit(peek(1))) {
    ++at_;
    digits();
    return Lexeme::placeholder;
  }
  if (is_digit(c)) {
    digits();
    return Lexeme::other;
  }
  ++at_;
  switch (c) {
    case '(': return Lexeme::open;
    case ')': return Lexeme::close;
    case ';': return Lexeme::semicolon;
    default: return Lexeme::other;
  }
}

void Lexer::digits() {
  while (is_digit(peek())) ++at_;
}

void Lexer::line_comment() {
  while (at_ < sql_.size() && sql_[at_] != '\n' && sql_[at_] != '\r') ++at_;
}

void Lexer::block_comment() {  // they nest
  int depth = 0;
  do {
    if (peek() == '/' && peek(1) == '*') {
      ++depth;
      at_ += 2;
    } else if (peek() == '*' && peek(1) == '/') {
      --depth;
      at_ += 2;
    } else {
      ++at_;
    }
  } while (depth > 0 && at_ < sql_.size());
}

void Lexer::quoted(
    char quote) {  // a doubled quote is two quoted pieces side by side: it is all one
  const std::size_t end = sql_.find(quote, at_ + 1);
  at_ = end == std::string_view::npos ? sql_.size() : end + 1;
}

void Lexer::escaped() {
  do {
    ++at_;
    while (at_ < sql_.size() && sql_[at_] != '\'') at_ += sql_[at_] == '\\' ? 2 : 1;
    ++at_;
  } while (at_ < sql_.size() && continued());
}

// A string goes on, by the same rules, after '' and after a line break and another quote.
bool Lexer::continued() {
  if (peek() == '\'') return true;
  const std::size_t start = at_;
  bool newline = false;
  while (true) {
    if (is_space(peek())) {
      newline = newline || peek() == '\n' || peek() == '\r';
      ++at_;
    } else if (peek() == '-' && peek(1) == '-') {
      line_comment();
    } else {
      break;
    }
  }
  if (newline && peek() == '\'') return true;
  at_ = start;
  return false;
}

bool Lexer::dollar_quoted() {
  std::size_t end = at_ + 1;
  if (end < sql_.size() && is_digit(sql_[end])) return false;
  while (end < sql_.size() && is_tag(sql_[end])) ++end;
  if (end >= sql_.size() || sql_[end] != '$') return false;
  const std::string_view tag = sql_.substr(at_, end + 1 - at_);
  const std::size_t close = sql_.find(tag, end + 1);
  at_ = close == std::string_view::npos ? sql_.size() : close + tag.size();
  return true;
}

std::string with_dollars(std::string_view sql, std::size_t& values,
                         const std::vector<std::string>& by) {
  std::string out;
  values = 0;
  out.reserve(sql.size());
  Lexer lexer(sql);
  for (Piece piece = lexer.next(); piece.kind != Lexeme::end; piece = lexer.next()) {
    const std::size_t start = out.size();
    out += piece.text;
    if (piece.kind != Lexeme::placeholder) continue;
    out[start] = '$';
    std::size_t number = 0;
    std::from_chars(out.data() + start + 1, out.data() + out.size(), number);
    values = std::max(values, number);
    if (number > 0 && number <= by.size() && !by[number - 1].empty())
      out = out.substr(0, start) + by[number - 1] + "(" + out.substr(start) + ")";
  }
  return out;
}

namespace {

// Follows the words of a statement to tell a semicolon inside a function's body from its end, in the
// way of psql.
class Depth {
 public:
  void word(std::string_view text) {
    if (words_.size() < 4) words_.push_back(lower(text));
    if (parentheses_ > 0 || !defines_routine()) return;
    const std::string word = lower(text);
    if (word == "begin") ++begins_;
    else if (word == "case" && begins_ > 0) ++begins_;
    else if (word == "end" && begins_ > 0) --begins_;
  }
  void open() { ++parentheses_; }
  void close() { parentheses_ = std::max(0, parentheses_ - 1); }
  bool ends_here() const { return parentheses_ == 0 && begins_ == 0; }

 private:
  bool defines_routine() const {
    if (words_.size() < 2 || words_[0] != "create") return false;
    const bool replace = words_.size() > 3 && words_[1] == "or" && words_[2] == "replace";
    const std::string& what = words_[replace ? 3 : 1];
    return what == "function" || what == "procedure";
  }

  std::vector<std::string> words_;
  int parentheses_ = 0;
  int begins_ = 0;
};

}  // namespace

std::string_view split(std::string_view sql, std::string_view& rest) {
  const std::string_view whole = sql;
  Lexer lexer(whole);
  Depth depth;
  std::size_t start = 0;
  bool any = false;
  for (Piece piece = lexer.next(); piece.kind != Lexeme::end; piece = lexer.next()) {
    if (piece.kind == Lexeme::space) continue;
    if (piece.kind != Lexeme::semicolon) any = true;
    if (piece.kind == Lexeme::word) depth.word(piece.text);
    else if (piece.kind == Lexeme::open) depth.open();
    else if (piece.kind == Lexeme::close) depth.close();
    else if (piece.kind == Lexeme::semicolon && depth.ends_here()) {
      if (any) {
        rest = whole.substr(lexer.position());
        return whole.substr(start, lexer.position() - start);
      }
      start = lexer.position();
    }
  }
  rest = whole.substr(whole.size());
  return any ? whole.substr(start) : std::string_view();
}

std::string first_word(std::string_view statement) {
  Lexer lexer(statement);
  Piece piece = lexer.next();
  while (piece.kind == Lexeme::space || piece.kind == Lexeme::semicolon ||
         piece.kind == Lexeme::open)
    piece = lexer.next();
  return piece.kind == Lexeme::word ? lower(piece.text) : std::string();
}

bool crosses_fence(std::string_view statement) {
  constexpr std::array<std::string_view, 8> kFenced = {"begin", "start",    "commit",    "end",
                                                       "abort", "rollback", "savepoint", "release"};
  const std::string first = first_word(statement);
  if (std::find(kFenced.begin(), kFenced.end(), first) != kFenced.end()) return true;
  if (first != "copy" && first != "prepare") return false;
  Lexer lexer(statement);
  std::string before;
  for (Piece piece = lexer.next(); piece.kind != Lexeme::end; piece = lexer.next()) {
    if (piece.kind == Lexeme::space) continue;
    const std::string word = piece.kind == Lexeme::word ? lower(piece.text) : std::string();
    if (before == "from" && word == "stdin") return true;
    if (before == "prepare" && word == "transaction") {
      piece = lexer.next();
      while (piece.kind == Lexeme::space) piece = lexer.next();
      return piece.kind == Lexeme::quoted ||
             (piece.kind == Lexeme::word && lower(piece.text) != "as");
    }
    before = word;
  }
  return false;
}

}  // namespace vestige::postgres
