// The little of PostgreSQL's lexical rules that is needed to find placeholders and the ends of
// statements: what is quoted, what is a comment, what is a word. (standard_conforming_strings is on.)
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vestige::postgres {

enum class Lexeme { space, word, quoted, placeholder, open, close, semicolon, other, end };

/// One piece of the text; all pieces together are the text. Comments are space. What is not closed
/// reaches to the end of the text.
struct Piece {
  Lexeme kind = Lexeme::end;
  std::string_view text = {};
};

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  Piece next();
  /// Where the next piece begins.
  std::size_t position() const { return at_; }

 private:
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  Lexeme advance();
  void line_comment();
  void block_comment();
  void quoted(char quote);
  void escaped();
  bool continued();
  bool dollar_quoted();
  void digits();

  std::string_view sql_;
  std::size_t at_ = 0;
};

/// ?1 becomes $1, outside quotes and comments; $1 stays.
///
/// values   how many values the statement takes: the highest number
/// by       for each value the function that it goes through; "", or none at all: as it is
std::string with_dollars(std::string_view sql, std::size_t& values,
                         const std::vector<std::string>& by = {});

/// The first statement with its semicolon and the space before it, and in `rest` what follows it;
/// empty when there is none. The body of a function (BEGIN ATOMIC … END) is not cut.
std::string_view split(std::string_view sql, std::string_view& rest);

/// The first word of a statement, in lower case.
std::string first_word(std::string_view statement);

/// Whether a statement begins, ends or divides a transaction, or takes rows from standard input.
bool crosses_fence(std::string_view statement);

}  // namespace vestige::postgres
