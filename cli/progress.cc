#include "cli/progress.h"

#include <unistd.h>

#include <chrono>

#include "cli/counts.h"
#include "cli/output.h"

namespace vestige::cli {

void Progress::start() {
  if (thread_.joinable() || isatty(STDERR_FILENO) == 0) return;
  thread_ = std::thread([this] { run(); });
}

void Progress::run() {
  std::unique_lock lock(mutex_);
  bool shown = false;
  for (int seconds = 1;; ++seconds) {
    if (wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; })) break;
    const std::int64_t steps = steps_.load(std::memory_order_relaxed);
    const std::int64_t of = of_.load(std::memory_order_relaxed);
    talk("\r\x1b[K" + progress_text(what_, seconds, steps, of));
    shown = true;
  }
  if (shown) talk("\r\x1b[K");
}

void Progress::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  stopping_ = false;
}

}  // namespace vestige::cli
