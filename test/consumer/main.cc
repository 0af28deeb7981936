// A program that uses the installed library and nothing else: opens a database, reads one value.
#include <cstdio>

#include "vestige/db/sqlite.h"

int main(int, char** argv) {
  const auto db = vestige::Sqlite::open(argv[1], vestige::Sqlite::Mode::create);
  if (!db.has_value()) return 1;
  const auto answer = vestige::scalar_integer(**db, "select 6 * 7");
  if (!answer.has_value()) return 1;
  std::printf("%s says %lld\n", (*db)->where().c_str(), static_cast<long long>(*answer));
  return 0;
}
