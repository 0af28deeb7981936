// What a statement writes, from compiling it. Where it needs what only the application registers, something that cannot run takes
// its place meanwhile.
#include "vestige/db/sqlite_api.h"

#include "vestige/db/sqlite.h"
#include "vestige/db/unregistered.h"

namespace vestige {
namespace {

constexpr std::size_t kMost = 1000;  // more names than that are nobody's

int note_writes(void* tables, int action, const char* table, const char*, const char*,
                const char*) {
  if (action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE)
    static_cast<std::set<std::string>*>(tables)->insert(table);
  return SQLITE_OK;
}

int equal(void* /*unused*/, int /*unused*/, const void* /*unused*/, int /*unused*/,
          const void* /*unused*/) {
  return 0;
}

void refuse(sqlite3_context* context, int /*unused*/, sqlite3_value** /*unused*/) {
  sqlite3_result_error(context, "a function that only the application registers", -1);
}

// A collation or a function that stands in for the application's, or takes it away again. SQLite does not use an index any more of
// which it has missed the collation once, until it reads the schema anew.
int stand_in(sqlite3* handle, const Unregistered& what, bool stands) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  if (what.kind == "collation") {
    const int code = sqlite3_create_collation(handle, what.name.c_str(), SQLITE_UTF8, nullptr,
                                              stands ? equal : nullptr);
    return code == SQLITE_OK
               ? sqlite3_exec(handle, "pragma writable_schema = reset", nullptr, nullptr, nullptr)
               : code;
  }
  return sqlite3_create_function(handle, what.name.c_str(), -1, kFlags, nullptr,
                                 stands ? refuse : nullptr, nullptr, nullptr);
}

}  // namespace

Result<Writes> Sqlite::writes(const std::string& sql) {
  Writes found;
  std::vector<Unregistered> standing;
  sqlite3_set_authorizer(handle_, note_writes, &found.tables);
  Result<void> compiled = compiles(sql);
  while (!compiled.has_value() && standing.size() < kMost) {
    const auto what = unregistered(compiled.error());
    if (!what.has_value() || (what->kind != "collation" && what->kind != "function") ||
        !found.unregistered.insert(what->name).second ||
        stand_in(handle_, *what, true) != SQLITE_OK)
      break;
    standing.push_back(*what);
    compiled = compiles(sql);
  }
  fence(fenced_);
  bool gone = true;
  for (const Unregistered& what : standing)
    gone = stand_in(handle_, what, false) == SQLITE_OK && gone;
  if (!gone) return fail(Fault::internal, "compile a statement: another one is running");
  TRY(std::move(compiled));
  return found;
}

}  // namespace vestige
