#include "vestige/trail/sqlite/ddl_statement.h"

#include <algorithm>
#include <array>
#include <vector>

#include "vestige/base/letters.h"
#include "vestige/trail/sqlite/sql_text.h"

namespace vestige::sqlite {
namespace {

// Statements that would end the one transaction that a migration is.
constexpr std::array<std::string_view, 9> kRefused = {
    "begin", "commit", "end", "rollback", "savepoint", "release", "attach", "detach", "vacuum"};

}  // namespace

Result<DdlStatement> ddl_statement(std::string_view sql) {
  const std::vector<SqlToken> tokens = sql_tokens(sql);
  const auto word = [&tokens](std::size_t i) {
    return i < tokens.size() && tokens[i].kind == SqlToken::Kind::word ? lower(tokens[i].text)
                                                                       : std::string();
  };
  const std::string verb = word(0);
  if (std::find(kRefused.begin(), kRefused.end(), verb) != kRefused.end())
    return hinted(
        fail(Fault::invalid, "run ddl: {} is refused, a migration is one transaction", verb),
        "leave it out: vestige ddl begins and commits by itself");
  DdlStatement statement;
  const std::string object = word(1);
  if (verb == "alter" && object == "table") statement.kind = DdlStatement::Kind::alter_table;
  else if (verb == "drop")
    statement.kind =
        object == "table" ? DdlStatement::Kind::drop_table : DdlStatement::Kind::drop_object;
  else return statement;
  std::size_t at = 2;
  if (word(at) == "if" && word(at + 1) == "exists") at += 2;
  if (at < tokens.size()) statement.name = bare_name(tokens[at].text);
  if (at + 2 < tokens.size() && tokens[at + 1].text == ".") {
    statement.schema = lower(statement.name);
    statement.name = bare_name(tokens[at + 2].text);
  }
  return statement;
}

bool drops_tables(std::string_view script) {
  const std::vector<SqlToken> tokens = sql_tokens(script);
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i)
    if (lower(tokens[i].text) == "drop" && lower(tokens[i + 1].text) == "table") return true;
  return false;
}

}  // namespace vestige::sqlite
