// Room: how much memory answers that are under way may take together. Test: server_room_test.cc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>

#include "vestige/base/result.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace vestige::server {

class Room {
 public:
  explicit Room(std::size_t most) : most_(most) {}
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() = default;

  /// What one answer has of it, given back by its destruction. The room must outlive it.
  class Share {
   public:
    explicit Share(Room& room) : room_(room) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { room_.give_back(bytes_); }

    /// An answer that is alone gets whatever it asks for: otherwise a value could be too large to be ever seen.
    ///
    /// faults   offline: others have the rest
    Result<void> add(std::size_t bytes) {
      TRY(room_.take(bytes_, bytes));
      bytes_ += bytes;
      return {};
    }
    std::size_t bytes() const { return bytes_; }

   private:
    Room& room_;
    std::size_t bytes_ = 0;
  };

  std::size_t taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  Result<void> take(std::size_t own, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    if (taken_ != own && bytes > most_ - std::min(taken_, most_))
      return hinted(fail(Fault::offline, "the answers under way have {} MB already", most_ >> 20),
                    "ask again in a moment, or for fewer at once");
    taken_ += bytes;
    return {};
  }

  void give_back(std::size_t bytes) {
    {
      const std::lock_guard lock(mutex_);
      taken_ -= bytes;
    }
    // Threads keep what they have freed, and each would keep its largest answer.
#ifdef __GLIBC__
    if (bytes > std::size_t{1} << 20) malloc_trim(0);
#endif
  }

  std::size_t most_;
  std::mutex mutex_;
  std::size_t taken_ = 0;
};

}  // namespace vestige::server
