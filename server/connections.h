// Connections: a small pool of them, for people who ask over HTTP.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "vestige/db/lent.h"

namespace vestige::server {

/// Who has one has it alone, and gives it back by its destruction. The pool must outlive it.
class Connections {
 public:
  /// most         at once
  /// reads_only   see lend_database
  Connections(std::string url, std::size_t most, bool reads_only)
      : url_(std::move(url)), most_(most), reads_only_(reads_only) {}
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;
  ~Connections() = default;

  class Lease {
   public:
    Lease(Connections& from, std::string role, Lent lent)
        : from_(from), role_(std::move(role)), lent_(std::move(lent)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() { from_.give_back(role_, std::move(lent_)); }
    Database& db() { return *lent_.db; }
    Result<void> give_time(std::chrono::milliseconds time) { return lent_.at_most(time); }

   private:
    Connections& from_;
    std::string role_;
    Lent lent_;
  };

  /// time     for what is asked by it (see Lent)
  /// faults   offline: there are too many at once; as lend_database
  Result<std::unique_ptr<Lease>> take(const std::string& role, std::chrono::milliseconds time);

 private:
  using Clock = std::chrono::steady_clock;
  struct Idle {
    std::string role;
    Clock::time_point since;
    Lent lent;
  };

  void give_back(const std::string& role, Lent lent);
  Result<Lent> idle_or_new(const std::string& role, std::chrono::milliseconds time);
  std::optional<Lent> idle(const std::string& role);

  std::string url_;
  std::size_t most_;
  bool reads_only_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::size_t out_ = 0;
  std::deque<Idle> idle_;
};

}  // namespace vestige::server
