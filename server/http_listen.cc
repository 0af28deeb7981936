// listen: the console's server. Each connection is read and written by a stream of our own, which knows how much may come, and
// for how long: the library has a limit for each read alone.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "server/http_server.h"
#include "server/message.h"
#include "vestige/base/letters.h"

namespace vestige::server {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLargestHead = 64 << 10;  // the first line and all headers
constexpr std::size_t kLargestPost = 256 << 10;
constexpr std::size_t kWorkers = 64;
constexpr std::size_t kWaiting = 64;                 // connections that no thread has yet
constexpr auto kToRead = std::chrono::seconds(10);   // the whole request
constexpr auto kToWrite = std::chrono::seconds(10);  // until its reader takes some more of it
constexpr auto kToWriteAll =
    std::chrono::seconds(120);  // how long its reader may keep it waiting altogether

constexpr auto kToReadWhenBusy = std::chrono::seconds(1);

std::atomic<bool> ends = false;        // the server does
std::atomic<std::size_t> waiting = 0;  // connections that no thread has yet

int left_until(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::max<long>(0, left.count()));
}

bool ready(int descriptor, short what, Clock::time_point end) {
  while (!ends) {
    pollfd one = {descriptor, what, 0};
    const int found = poll(&one, 1, std::min(left_until(end), 200));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) return false;
    if (Clock::now() >= end) return false;
  }
  return false;
}

class Connection final : public httplib::Stream {
 public:
  explicit Connection(int descriptor) : descriptor_(descriptor), begun_(Clock::now()) {}

  void head_has_ended() { most_ = kLargestHead + kLargestPost + 4096; }

  bool is_readable() const override { return filled_ > taken_; }
  // Whether anybody reads still: who closed has nothing more to say.
  bool is_writable() const override {
    char byte = 0;
    const ssize_t found = recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return !ends && (found > 0 || (found < 0 && (errno == EAGAIN || errno == EINTR)));
  }

  ssize_t read(char* to, std::size_t size) override {
    if (taken_ == filled_) {
      if (read_ >= most_ || !comes()) return -1;
      const ssize_t found = recv(descriptor_, buffer_.data(), buffer_.size(), 0);
      if (found <= 0) return found;
      read_ += static_cast<std::size_t>(found);
      taken_ = 0;
      filled_ = static_cast<std::size_t>(found);
    }
    const std::size_t some = std::min(size, filled_ - taken_);
    std::copy_n(buffer_.data() + taken_, some, to);
    taken_ += some;
    return static_cast<ssize_t>(some);
  }

  ssize_t write(const char* bytes, std::size_t size) override {
    std::size_t sent = 0;
    while (sent < size) {
      const ssize_t some =
          send(descriptor_, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (some > 0) {
        sent += static_cast<std::size_t>(some);
      } else if (errno != EAGAIN && errno != EINTR) {
        return -1;
      } else {
        const auto begun = Clock::now();
        const bool takes = waited_ < kToWriteAll && ready(descriptor_, POLLOUT, begun + kToWrite);
        waited_ += Clock::now() - begun;
        if (!takes) return -1;
      }
    }
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage peer = {};
    socklen_t size = sizeof peer;
    if (getpeername(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size) == 0)
      name(peer, size, ip, port);
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage own = {};
    socklen_t size = sizeof own;
    if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&own), &size) == 0)
      name(own, size, ip, port);
  }
  socket_t socket() const override { return descriptor_; }

 private:
  // Who is slow keeps nobody waiting who is not.
  bool comes() const {
    while (!ends) {
      const auto end = begun_ + (waiting > 0 ? kToReadWhenBusy : kToRead);
      const auto look = std::min(end, Clock::now() + std::chrono::milliseconds(100));
      if (ready(descriptor_, POLLIN, look)) return true;
      if (Clock::now() >= end) return false;
    }
    return false;
  }

  static void name(const sockaddr_storage& address, socklen_t size, std::string& ip, int& port) {
    char host[NI_MAXHOST] = "";
    char service[NI_MAXSERV] = "";
    if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host, sizeof host, service,
                    sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
      return;
    ip = host;
    port = std::atoi(service);
  }

  int descriptor_;
  Clock::time_point begun_;
  Clock::duration waited_{};  // for its reader
  std::array<char, 4096> buffer_{};
  std::size_t taken_ = 0;
  std::size_t filled_ = 0;
  std::size_t read_ = 0;
  std::size_t most_ = kLargestHead;
};

thread_local std::string accepted;  // how what is answered may be compressed
thread_local bool refused = false;  // there are too many connections: this one is told so

// As many threads as there are, and no more waiting than can soon be served.
class Workers final : public httplib::TaskQueue {
 public:
  Workers() {
    for (std::size_t i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { work(); });
  }

  void enqueue(std::function<void()> job) override {
    {
      const std::lock_guard lock(mutex_);
      if (jobs_.size() < kWaiting) {
        jobs_.push_back(std::move(job));
        waiting = jobs_.size();
        some_.notify_one();
        return;
      }
    }
    refused = true;
    job();
    refused = false;
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    some_.notify_all();
    for (std::thread& one : threads_) one.join();
  }

 private:
  void work() {
    while (true) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex_);
        some_.wait(lock, [this] { return over_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        job = std::move(jobs_.front());
        jobs_.pop_front();
        waiting = jobs_.size();
      }
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<std::function<void()>> jobs_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

class Server final : public httplib::Server {
 private:
  bool process_and_close_socket(socket_t descriptor) override {
    if (refused) {
      constexpr std::string_view kFull =
          "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: "
          "close\r\n\r\n";
      (void)send(descriptor, kFull.data(), kFull.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      close(descriptor);
      return false;
    }
    Connection connection(descriptor);
    bool closed = false;
    const bool done = process_request(connection, true, closed, [&](httplib::Request& request) {
      connection.head_has_ended();
      // Neither a piece of an answer nor a compressed one: the library would make both of anything.
      request.ranges.clear();
      accepted = request.get_header_value("Accept-Encoding");
      request.headers.erase("Accept-Encoding");
    });
    // What was sent but not read here would have the answer thrown away on its way.
    ::shutdown(descriptor, SHUT_WR);
    std::array<char, 4096> rest{};
    const auto end = Clock::now() + std::chrono::milliseconds(200);
    for (int i = 0; i < 64 && ready(descriptor, POLLIN, end); ++i)
      if (recv(descriptor, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) break;
    close(descriptor);
    return done;
  }
};

class StreamWriter final : public Writer {
 public:
  explicit StreamWriter(httplib::DataSink& sink) : sink_(sink) {}
  bool write(std::string_view bytes) override {
    if (!good_) return false;
    // In pieces: who reads slowly has as long for each.
    for (std::size_t at = 0; good_ && at < bytes.size(); at += kPiece) {
      const std::string_view piece = bytes.substr(at, kPiece);
      good_ = sink_.write(piece.data(), piece.size());
    }
    return good_;
  }
  bool wanted() override { return good_ && sink_.is_writable(); }
  bool good() const { return good_; }

 private:
  static constexpr std::size_t kPiece = 64 << 10;
  httplib::DataSink& sink_;
  bool good_ = true;
};

Request read(const httplib::Request& from, std::string body) {
  Request request;
  request.method = from.method == "HEAD" ? "GET" : from.method;
  request.body = std::move(body);
  request.peer = from.remote_addr;
  request.headers.emplace_back("accept-encoding", accepted);
  for (const auto& [name, value] : from.headers) request.headers.emplace_back(lower(name), value);
  return request;
}

void say(const Answer& answer, const httplib::Request& request, httplib::Response& response) {
  response.status = answer.status;
  for (const auto& [name, value] : answer.headers) {
    response.headers.erase(name);
    response.set_header(name, value);
  }
  if (answer.stream == nullptr) {
    response.set_content(answer.body, answer.type);
    return;
  }
  if (request.method == "HEAD") {
    response.set_header("Content-Type", answer.type);
    return;
  }
  const auto provider = [stream = answer.stream](std::size_t, httplib::DataSink& sink) {
    // Nobody above catches anything here.
    try {
      StreamWriter writer(sink);
      const auto made = stream(writer);
      if (!made.has_value() || !writer.good()) return false;
      sink.done();
      return true;
    } catch (...) {
      return false;
    }
  };
  // Proxies ask by HTTP/1.0, which has no chunks: there the end of the connection is the end.
  if (request.version == "HTTP/1.0") response.set_content_provider(answer.type, provider);
  else response.set_chunked_content_provider(answer.type, provider);
}

void handle(const Handler& handler, const httplib::Request& from, std::string body,
            httplib::Response& response) {
  Request request = read(from, std::move(body));
  if (auto taken = read_target(from.target, request); !taken.has_value())
    return say(problem(taken.error()), from, response);
  say(handler(request), from, response);
}

// What is not said in one way alone is another length to somebody else on its way; and the library reads forms of several parts in
// a way of its own.
bool is_ambiguous(const httplib::Request& request) {
  const std::size_t lengths = request.get_header_value_count("Content-Length");
  return lengths + request.get_header_value_count("Transfer-Encoding") > 1 ||
         request.is_multipart_form_data();
}

}  // namespace

Result<void> listen(const std::string& address, const Handler& handler,
                    const std::vector<std::pair<std::string, std::string>>& always,
                    const std::function<void(int port)>& listening) {
  Server server;
  server.set_payload_max_length(kLargestPost);
  server.new_task_queue = [] { return new Workers(); };
  // Nobody else may listen at the same address, not even another of the same user's.
  server.set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  httplib::Headers headers;
  for (const auto& [name, value] : always) headers.emplace(name, value);
  server.set_default_headers(std::move(headers));
  server.set_pre_routing_handler([&](const httplib::Request& request, httplib::Response& response) {
    if (is_ambiguous(request)) {
      say(problem(400, "invalid", "its body is not said to be of one length and one part"), request,
          response);
      return httplib::Server::HandlerResponse::Handled;
    }
    if (request.method == "POST") return httplib::Server::HandlerResponse::Unhandled;
    if (request.method == "GET" || request.method == "HEAD") {
      // What comes behind it would be for somebody else, as a proxy may see it.
      const std::string size = request.get_header_value("Content-Length");
      if ((size.empty() || size == "0") && !request.has_header("Transfer-Encoding"))
        handle(handler, request, "", response);
      else say(problem(400, "invalid", "a question has no body"), request, response);
    } else {
      Answer refusal = problem(405, "", "only GET and POST");
      refusal.headers.emplace_back("Allow", "GET, HEAD, POST");
      say(refusal, request, response);
    }
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Post("[\\s\\S]*", [&](const httplib::Request& request, httplib::Response& response,
                               const httplib::ContentReader& reader) {
    // Who says no length sends none: nobody waits for it.
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding"))
      return handle(handler, request, "", response);
    std::string body;
    bool large = false;
    const bool whole = reader([&](const char* bytes, std::size_t size) {
      large = body.size() + size > kLargestPost;
      if (large) return false;
      body.append(bytes, size);
      return true;
    });
    if (whole) return handle(handler, request, std::move(body), response);
    say(large ? problem(413, "", fmt::format("more than {} bytes were sent", kLargestPost))
              : problem(400, "invalid", "what was sent did not come whole"),
        request, response);
  });
  server.set_exception_handler(
      [](const httplib::Request& request, httplib::Response& response, const std::exception_ptr&) {
        say(problem(500, "internal", "the server could not answer"), request, response);
      });
  server.set_error_handler([](const httplib::Request& request, httplib::Response& response) {
    if (response.body.empty() && response.content_provider_ == nullptr)
      say(problem(response.status, "", "the request cannot be read"), request, response);
  });
  ends = false;
  return run_until_signalled(server, address, listening, [] { ends = true; });
}

}  // namespace vestige::server
