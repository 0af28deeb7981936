#include "vestige/trail/sqlite/sql_text.h"

#include <algorithm>
#include <cctype>

namespace vestige {
namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool same_word(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) ==
           std::tolower(static_cast<unsigned char>(b));
  });
}

// The end of a quoted run that starts at `at`; doubled quotes stay inside.
std::size_t quoted_end(std::string_view sql, std::size_t at, char close) {
  for (std::size_t i = at + 1; i < sql.size(); ++i) {
    if (sql[i] != close) continue;
    if (close != ']' && i + 1 < sql.size() && sql[i + 1] == close) {
      ++i;
      continue;
    }
    return i + 1;
  }
  return sql.size();
}

bool is_side(const SqlToken& token, std::string_view side) {
  return (token.kind == SqlToken::Kind::word && same_word(token.text, side)) ||
         (token.kind == SqlToken::Kind::quoted && token.text.size() == side.size() + 2 &&
          same_word(token.text.substr(1, side.size()), side));
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
    text.remove_suffix(1);
  return std::string(text);
}

// One index term without its COLLATE name, ASC and DESC.
std::string bare_term(std::string_view sql, const std::vector<SqlToken>& tokens, std::size_t first,
                      std::size_t last) {
  while (last > first + 1 &&
         (same_word(tokens[last - 1].text, "asc") || same_word(tokens[last - 1].text, "desc")))
    --last;
  if (last > first + 2 && same_word(tokens[last - 2].text, "collate")) last -= 2;
  const std::size_t end = tokens[last - 1].at + tokens[last - 1].text.size();
  return trimmed(sql.substr(tokens[first].at, end - tokens[first].at));
}

}  // namespace

std::vector<SqlToken> sql_tokens(std::string_view sql) {
  using Kind = SqlToken::Kind;
  std::vector<SqlToken> tokens;
  std::size_t i = 0;
  const auto push = [&](Kind kind, std::size_t end) {
    tokens.push_back({kind, sql.substr(i, end - i), i});
    i = end;
  };
  while (i < sql.size()) {
    const char c = sql[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (sql.substr(i, 2) == "--") {
      i = std::min(sql.find('\n', i), sql.size());
    } else if (sql.substr(i, 2) == "/*") {
      const std::size_t end = sql.find("*/", i + 2);
      i = end == std::string_view::npos ? sql.size() : end + 2;
    } else if (c == '\'') {
      push(Kind::text, quoted_end(sql, i, '\''));
    } else if (c == '"' || c == '`' || c == '[') {
      push(Kind::quoted, quoted_end(sql, i, c == '[' ? ']' : c));
    } else if (is_word(c)) {
      std::size_t end = i;
      while (end < sql.size() && is_word(sql[end])) ++end;
      push(std::isdigit(static_cast<unsigned char>(c)) != 0 ? Kind::number : Kind::word, end);
    } else {
      push(Kind::sign, i + 1);
    }
  }
  return tokens;
}

IndexText index_text(std::string_view create_index) {
  const auto tokens = sql_tokens(create_index);
  IndexText out;
  std::size_t i = 0;
  while (i < tokens.size() && tokens[i].text != "(") ++i;
  int depth = 0;
  std::size_t first = i + 1;
  for (; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")") --depth;
    const bool ended = depth == 0;
    if ((depth == 1 && tokens[i].text == ",") || ended) {
      if (i > first) out.terms.push_back(bare_term(create_index, tokens, first, i));
      first = i + 1;
    }
    if (ended) break;
  }
  if (i + 2 < tokens.size() && same_word(tokens[i + 1].text, "where"))
    out.where = trimmed(create_index.substr(tokens[i + 2].at));
  return out;
}

std::string with_sides(std::string_view condition, std::string_view old_side,
                       std::string_view new_side) {
  const auto tokens = sql_tokens(condition);
  std::string out;
  std::size_t copied = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const bool is_new = is_side(tokens[i], "new");
    if ((!is_new && !is_side(tokens[i], "old")) || tokens[i + 1].text != ".") continue;
    if (i > 0 && tokens[i - 1].text == ".") continue;
    out += condition.substr(copied, tokens[i].at - copied);
    out += is_new ? new_side : old_side;
    copied = tokens[i].at + tokens[i].text.size();
  }
  return out += condition.substr(copied);
}

std::string bare_name(std::string_view token) {
  if (token.size() < 2) return std::string(token);
  const char open = token.front();
  if (open == '[') return std::string(token.substr(1, token.size() - 2));
  if (open != '"' && open != '`' && open != '\'') return std::string(token);
  std::string out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    out += token[i];
    if (token[i] == open) ++i;
  }
  return out;
}

std::string with_columns(std::string_view condition,
                         const std::vector<std::pair<std::string, std::string>>& renamed) {
  const auto tokens = sql_tokens(condition);
  std::string out;
  std::size_t copied = 0;
  for (std::size_t i = 0; i + 2 < tokens.size(); ++i) {
    const std::string side = bare_name(tokens[i].text);
    if ((!same_word(side, "new") && !same_word(side, "old")) || tokens[i + 1].text != ".") continue;
    const SqlToken& column = tokens[i + 2];
    for (const auto& [from, to] : renamed) {
      if (!same_word(bare_name(column.text), from)) continue;
      out += condition.substr(copied, column.at - copied);
      out += to;
      copied = column.at + column.text.size();
      break;
    }
  }
  out += condition.substr(copied);
  return out;
}

std::string unquoted_table(const std::string& typed) {
  const auto tokens = sql_tokens(typed);
  const bool whole =
      !tokens.empty() && tokens.back().at + tokens.back().text.size() == typed.size();
  if (!whole || (tokens.size() != 1 && tokens.size() != 3)) return typed;
  if (tokens.size() == 3 &&
      (!same_word(bare_name(tokens[0].text), "main") || tokens[1].text != "."))
    return typed;
  return bare_name(tokens.back().text);
}

bool has_sides(std::string_view condition) {
  return with_sides(condition, "\x01", "\x01").find('\x01') != std::string::npos;
}

}  // namespace vestige
