// Beside: a thread that looks again and again while something else goes on.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace vestige::server {

/// Runs something again and again until it goes out of scope; never again after `work` says false.
class Beside {
 public:
  Beside(std::chrono::milliseconds pause, std::function<bool()> work)
      : thread_([this, pause, work = std::move(work)] {
          std::unique_lock lock(mutex_);
          while (!over_.wait_for(lock, pause, [this] { return ended_; }) && work()) {
          }
        }) {}
  Beside(const Beside&) = delete;
  Beside& operator=(const Beside&) = delete;
  ~Beside() {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    over_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace vestige::server
