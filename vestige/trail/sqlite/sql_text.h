// Reading SQL text as far as capture needs it: tokens, the terms of an index, NEW and OLD in a
// condition. No parser: what SQLite accepted once is cut at the right places, never understood.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vestige {

/// One token of SQL; comments and space are dropped.
struct SqlToken {
  enum class Kind { word, quoted, text, number, sign };
  Kind kind = Kind::sign;
  std::string_view text = {};
  std::size_t at = 0;  // where it starts in the SQL
};

std::vector<SqlToken> sql_tokens(std::string_view sql);

/// The terms and the condition of a CREATE INDEX statement, as written, without COLLATE, ASC and DESC
/// at the end of a term.
struct IndexText {
  std::vector<std::string> terms;
  std::string where;  // empty: not partial
};
IndexText index_text(std::string_view create_index);

/// The condition with each NEW.x and OLD.x turned into `new_side`.x and `old_side`.x.
std::string with_sides(std::string_view condition, std::string_view old_side,
                       std::string_view new_side);

/// The bytes of an identifier as it stands in SQL: word, "word", `word` or [word].
std::string bare_name(std::string_view token);

/// A table's name without its quotes, and without `main` before it; as it is where it is nothing of the kind.
std::string unquoted_table(const std::string& typed);

/// The condition after columns were renamed: NEW.from becomes NEW.to, and so for OLD.
///
/// renamed   pairs of a column's name and its new one, quoted
std::string with_columns(std::string_view condition,
                         const std::vector<std::pair<std::string, std::string>>& renamed);

/// True when the condition has NEW.x or OLD.x at all.
bool has_sides(std::string_view condition);

}  // namespace vestige
