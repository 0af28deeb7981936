// The live tail: changes as server-sent events, in the order of the feed, from the database itself.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace vestige::server {

/// Gives what is committed its place in the feed while somebody follows it here: one for all tails, with the rights of the login.
/// Where those do not suffice, tails show what others put in order.
class Sequencing {
 public:
  explicit Sequencing(std::string url) : url_(std::move(url)) {}
  Sequencing(const Sequencing&) = delete;
  Sequencing& operator=(const Sequencing&) = delete;
  ~Sequencing();

  /// Who follows; nullptr: there are as many as may be, of all together or of this user.
  ///
  /// user   "" where nobody says who asks
  std::shared_ptr<void> follow(const std::string& user);

 private:
  void work();

  std::string url_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int tails_ = 0;
  std::map<std::string, int> of_user_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace vestige::server
