#include "vestige/audit/ddl.h"

#include <algorithm>
#include <cctype>

#include "vestige/base/letters.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/tracking.h"

namespace vestige {
namespace {

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

// The word that a statement begins with, behind spaces and comments; a sign, where it begins with none.
std::string first_word(std::string_view sql) {
  const auto skip_to = [&sql](std::string_view end) {
    const std::size_t found = sql.find(end);
    sql.remove_prefix(found == std::string_view::npos ? sql.size() : found + end.size());
  };
  while (!sql.empty()) {
    if (is_space(sql.front())) sql.remove_prefix(1);
    else if (sql.starts_with("--")) skip_to("\n");
    else if (sql.starts_with("/*")) skip_to("*/");
    else break;
  }
  const auto end = std::find_if_not(sql.begin(), sql.end(), is_letter);
  const auto length = static_cast<std::size_t>(end - sql.begin());
  return lower(sql.substr(0, std::max<std::size_t>(length, 1)));
}

// A script's own BEGIN and COMMIT around all that it changes: taken for the transaction that a migration
// is anyway. Only PRAGMAs may stand outside of them.
class Bracket {
 public:
  // True for the BEGIN and the COMMIT, which are not to be run.
  // Refused: a statement after the COMMIT
  Result<bool> takes(std::string_view statement);
  // Refused: a BEGIN without its COMMIT
  Result<void> closed() const;

 private:
  enum class Place { before, without, inside, behind };
  Place place_ = Place::before;
};

Result<bool> Bracket::takes(std::string_view statement) {
  const std::string verb = first_word(statement);
  if (verb == "pragma") return false;
  switch (place_) {
    case Place::before:
      place_ = verb == "begin" ? Place::inside : Place::without;
      return place_ == Place::inside;
    case Place::inside:
      if (verb == "commit" || verb == "end") place_ = Place::behind;
      return place_ == Place::behind;
    case Place::behind:
      return hinted(fail(Fault::invalid, "run ddl: {} stands after the commit", verb),
                    "a migration is one transaction: run the rest by another vestige ddl");
    case Place::without: break;
  }
  return false;
}

Result<void> Bracket::closed() const {
  if (place_ != Place::inside) return {};
  return hinted(fail(Fault::invalid, "run ddl: the begin has no commit"),
                "end the script with commit, or leave both out");
}

Result<void> run_statements(Database& db, std::string_view sql, Migration& migration) {
  Bracket bracket;
  bool ran = false;
  while (true) {
    std::string_view rest;
    const std::string_view statement = TRY(db.first_statement(sql, rest));
    if (statement.empty()) break;
    if (!TRY(bracket.takes(statement))) TRY(migration.run(statement));
    ran = true;
    sql = rest;
  }
  TRY(bracket.closed());
  if (ran) return {};
  return hinted(fail(Fault::invalid, "run ddl: nothing to run"),
                "give SQL, -f FILE, or SQL on standard input");
}

}  // namespace

Result<std::vector<std::string>> ddl(Database& db, std::string_view sql, const Context& context) {
  TRY(require_trail(db));
  const auto migration = TRY(tracking_of(db)->migration(sql));
  auto scope = TRY(ContextScope::begin(db, context));
  TRY(migration->begin());
  TRY(run_statements(db, sql, *migration));
  auto done = TRY(migration->finish());
  TRY(scope.commit());
  return done;
}

}  // namespace vestige
