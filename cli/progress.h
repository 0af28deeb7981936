// Progress: a line on stderr for verbs that take longer than a second, while a person watches.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace vestige::cli {

class Progress {
 public:
  explicit Progress(std::string what) : what_(std::move(what)) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { stop(); }

  /// Starts to watch the clock; does nothing when stderr is not a terminal.
  void start();
  void step() { steps_.fetch_add(1, std::memory_order_relaxed); }
  /// So many are done, of so many.
  void step(std::size_t done, std::size_t of) {
    steps_.store(static_cast<std::int64_t>(done), std::memory_order_relaxed);
    of_.store(static_cast<std::int64_t>(of), std::memory_order_relaxed);
  }
  /// Wipes the line away. Called before anything else is written to the terminal.
  void stop();

 private:
  void run();

  std::string what_;
  std::atomic<std::int64_t> steps_ = 0;
  std::atomic<std::int64_t> of_ = 0;  // 0: nobody knows
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vestige::cli
