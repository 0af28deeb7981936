// How long what is asked of SQLite may take.
#include <algorithm>

#include "vestige/db/sqlite.h"
#include "vestige/db/sqlite_api.h"

namespace vestige {

Result<void> Sqlite::at_most(std::chrono::milliseconds time) {
  constexpr int kSteps = 20'000;  // of its machine, between two looks at the clock
  end_ = std::chrono::steady_clock::now() + time;
  sqlite3_progress_handler(
      handle_, kSteps,
      [](void* end) -> int {
        return std::chrono::steady_clock::now() >
               *static_cast<std::chrono::steady_clock::time_point*>(end);
      },
      &end_);
  // A lock is waited for no longer either.
  constexpr std::chrono::milliseconds kBusy(10'000);
  sqlite3_busy_timeout(handle_, static_cast<int>(std::min(time, kBusy).count()));
  return {};
}

}  // namespace vestige
