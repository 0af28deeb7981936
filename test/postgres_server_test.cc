// The tests' own servers: reached by their socket only, and gone with who started them, however that
// ended. And what stands in for servers that nobody has: too old, or silent.
#include "test/postgres_server.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "test/temporary_directory.h"
#include "vestige/db/postgres.h"

namespace vestige {
namespace {

bool soon(const std::function<bool()>& holds) {
  for (int i = 0; i < 100'000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

bool answers(const std::string& host) {
  return PQping(("host='" + host + "' user=postgres").c_str()) == PQPING_OK;
}

// The first line of what a command prints, and its exit code.
std::pair<std::string, int> outcome(const std::string& command) {
  std::FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> line = {};
  if (fgets(line.data(), line.size(), pipe) == nullptr) line[0] = '\0';
  const int status = pclose(pipe);
  return {line.data(), WEXITSTATUS(status)};
}

TEST(PostgresServerTest, StopsAndLeavesNothingBehind) {
  std::string host;
  {
    const PostgresServer server(std::vector<std::string>{"work_mem=7MB"});
    host = server.host();
    EXPECT_TRUE(answers(host));
    const auto db = Postgres::open(server.url());
    ASSERT_TRUE(db.has_value());
    EXPECT_EQ(std::get<Text>(*scalar(**db, "show work_mem")).bytes, "7MB");
    EXPECT_EQ(std::get<Text>(*scalar(**db, "show listen_addresses")).bytes, "");
    const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
    EXPECT_EQ(std::filesystem::status(host).permissions() & others, std::filesystem::perms::none);
  }
  EXPECT_FALSE(answers(host));
  EXPECT_FALSE(std::filesystem::exists(host));
}

TEST(PostgresServerTest, IsGoneWhenItsOwnerIsKilled) {
  std::array<int, 2> told;
  ASSERT_EQ(pipe(told.data()), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    const PostgresServer server;
    (void)!write(told[1], server.host().data(), server.host().size());
    while (true) pause();
  }
  std::array<char, 256> buffer = {};
  ASSERT_GT(read(told[0], buffer.data(), buffer.size() - 1), 0);
  const std::string host = buffer.data();
  EXPECT_TRUE(answers(host));
  kill(owner, SIGKILL);
  waitpid(owner, nullptr, 0);
  EXPECT_TRUE(soon([&] { return !std::filesystem::exists(host); }));
  EXPECT_FALSE(answers(host));
}

TEST(PostgresServerTest, StopsWhenItsSupervisorIsKilled) {
  std::string host;
  {
    const PostgresServer server;
    host = server.host();
    kill(server.supervisor(), SIGKILL);
    EXPECT_TRUE(soon([&] { return !answers(host); }));
    EXPECT_TRUE(soon([&] { return !std::filesystem::exists(host + "/data/postmaster.pid"); }));
  }
  std::filesystem::remove_all(host);
}

TEST(PostgresServerTest, RunsACommandBesideAServer) {
  const std::string program = POSTGRES_SERVER;
  const auto [place, code] =
      outcome("VESTIGE_POSTGRES_PLACE= " + program + " -d shop -- sh -c 'echo $PGHOST; exit 7'");
  EXPECT_EQ(code, 7);
  EXPECT_TRUE(place.starts_with("/tmp/vestige-pg-")) << place;
  EXPECT_FALSE(std::filesystem::exists(place.substr(0, place.find('\n'))));
  EXPECT_EQ(outcome(program + " -d shop -- sh -c 'echo $PGUSER $PGDATABASE'").first,
            "postgres shop\n");
  const auto host_in = [&](const std::string& folder) {
    return outcome("VESTIGE_POSTGRES_PLACE=" + folder + " " + program + " -- sh -c 'echo $PGHOST'")
        .first;
  };
  EXPECT_TRUE(host_in("/var/tmp").starts_with("/var/tmp/vestige-pg-"));
  EXPECT_TRUE(host_in("/nowhere").starts_with("/tmp/vestige-pg-"));
  EXPECT_TRUE(host_in("/proc").starts_with("/tmp/vestige-pg-")) << "there is no room";
  EXPECT_EQ(outcome(program + " 2>&1").second, 2);
  EXPECT_EQ(
      outcome("PGBIN=/nowhere " + program + " -- true 2>&1").first,
      "postgres_server: no PostgreSQL server: install postgresql, or name its bin in $PGBIN\n");
  EXPECT_EQ(outcome(program + " -c no=setting -- true 2>&1").second, 1);
}

// A socket where one connection is taken and `greeting` is said.
class FakeServer {
 public:
  explicit FakeServer(std::string greeting) : greeting_(std::move(greeting)) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    directory_.file(".s.PGSQL.5432").copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_, 1) != 0)
      throw std::runtime_error("no socket");
    thread_ = std::thread([this] {
      const int connection = accept(listener_, nullptr, nullptr);
      std::array<char, 1024> startup;
      (void)!read(connection, startup.data(), startup.size());
      (void)!write(connection, greeting_.data(), greeting_.size());
      (void)!read(connection, startup.data(), startup.size());  // until it is closed
      close(connection);
    });
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;
  ~FakeServer() {
    thread_.join();
    close(listener_);
  }
  std::string url() const {
    return "postgresql:///shop?user=ann&port=5432&host=" + directory_.path().string();
  }

 private:
  TemporaryDirectory directory_;
  std::string greeting_;
  int listener_ = -1;
  std::thread thread_;
};

TEST(PostgresServerTest, RefusesAServerThatIsTooOld) {
  using namespace std::string_literals;
  const FakeServer server("R\0\0\0\x08\0\0\0\0"s +
                          "S\0\0\0\x18server_version\0"
                          "12.9\0"s +
                          "Z\0\0\0\x05I"s);
  const auto db = Postgres::open(server.url());
  ASSERT_FALSE(db.has_value());
  EXPECT_EQ(db.error().fault, Fault::invalid);
  EXPECT_TRUE(
      db.error().message.ends_with("/shop: PostgreSQL 12 is too old, 13 or newer is needed"))
      << db.error().message;
}

TEST(PostgresServerTest, WaitsNoLongerThanItIsTold) {
  const FakeServer server("");
  const auto db = Postgres::open(server.url() + "&connect_timeout=1");
  ASSERT_FALSE(db.has_value());
  EXPECT_EQ(db.error().fault, Fault::offline);
  EXPECT_TRUE(db.error().message.ends_with(": no answer within 1 s (connect_timeout)"))
      << db.error().message;
}

}  // namespace
}  // namespace vestige
