#include "test/postgres_server.h"

#include <fcntl.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace vestige {
namespace {

namespace fs = std::filesystem;

const char* variable(const char* name) {
  const char* value = getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

std::string output_of(const std::string& command) {
  std::string out;
  std::FILE* pipe = popen(command.c_str(), "re");
  if (pipe == nullptr) return out;
  std::array<char, 256> buffer;
  while (fgets(buffer.data(), buffer.size(), pipe) != nullptr) out += buffer.data();
  pclose(pipe);
  while (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

// The folder with initdb and postgres.
std::string binaries() {
  std::vector<std::string> places;
  if (const char* given = variable("PGBIN"); given != nullptr) {
    places = {given};
  } else {
    places = {output_of("pg_config --bindir 2>/dev/null")};
    std::error_code ignored;
    std::vector<std::string> versions;
    for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored))
      versions.push_back(entry.path() / "bin");
    std::sort(versions.rbegin(), versions.rend());
    places.insert(places.end(), versions.begin(), versions.end());
  }
  for (const std::string& place : places)
    if (access((place + "/postgres").c_str(), X_OK) == 0 &&
        access((place + "/initdb").c_str(), X_OK) == 0)
      return place;
  throw std::runtime_error("no PostgreSQL server: install postgresql, or name its bin in $PGBIN");
}

// ---- The supervisor: a process of its own that starts the server, waits for the other end of the
// ---- lifeline to close, stops the server and removes the folder.

void become_server_user(const passwd* user) {
  if (user == nullptr) return;
  if (initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
      setuid(user->pw_uid) != 0)
    _exit(97);
}

void send_output_to(const std::string& file) {
  const int null = open("/dev/null", O_RDONLY);
  const int log = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(null, 0);
  dup2(log, 1);
  dup2(log, 2);
}

pid_t launch(const std::vector<std::string>& command, const passwd* user, const std::string& log) {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  become_server_user(user);
  prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after setuid, which clears it: an immediate shutdown
  if (getppid() != parent) _exit(98);
  send_output_to(log);
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(99);
}

bool succeeds(const std::vector<std::string>& command, const passwd* user, const std::string& log) {
  int status = 0;
  const pid_t child = launch(command, user, log);
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

// A data directory that initdb made before, kept in the build tree: copying it takes a tenth of the
// time. Not there, not writable: initdb works as well.
bool make_data(const std::string& bin, const std::string& folder, const passwd* user) {
  const std::string data = folder + "/data";
  const std::string log = folder + "/log";
  std::string kept;
#ifdef VESTIGE_POSTGRES_TEMPLATES
  std::string version = output_of("'" + bin + "/postgres' --version 2>/dev/null");
  std::replace_if(
      version.begin(), version.end(), [](char c) { return !isalnum(c) && c != '.'; }, '_');
  kept = std::string(VESTIGE_POSTGRES_TEMPLATES) + "/" + version + "-" + std::to_string(geteuid());
  if (access((kept + "/PG_VERSION").c_str(), R_OK) == 0 &&
      succeeds({"/bin/cp", "-a", "--reflink=auto", kept, data}, nullptr, log))
    return true;
#endif
  if (!succeeds({bin + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8",
                 "-E", "UTF8", "--no-sync"},
                user, log))
    return false;
  if (!kept.empty()) {  // several may do so at once: the first to rename is the one kept
    const std::string own = kept + "." + std::to_string(getpid());
    std::error_code ignored;
    fs::create_directories(fs::path(kept).parent_path(), ignored);
    if (succeeds({"/bin/cp", "-a", "--reflink=auto", data, own}, nullptr, log))
      fs::rename(own, kept, ignored);
    fs::remove_all(own, ignored);
  }
  return true;
}

// Where the cluster's folder is made; the path is short, as a socket's has 107 bytes.
std::string place() {
  const char* given = variable("VESTIGE_POSTGRES_PLACE");
  std::error_code failed;
  constexpr std::uintmax_t needed = 2'147'483'648;
  if (given == nullptr || fs::space(given, failed).available < needed || failed) return "/tmp";
  return given;
}

bool answers(const std::string& folder) {
  const std::string place = "host='" + folder + "' user=postgres dbname=postgres";
  return PQping(place.c_str()) == PQPING_OK;
}

void tell(int descriptor, const std::string& text) {
  (void)!write(descriptor, text.data(), text.size());
  close(descriptor);
}

[[noreturn]] void supervise(const std::string& bin, const std::vector<std::string>& settings,
                            int report, int lifeline) {
  setsid();  // what ends the tests' group does not end this
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  for (int descriptor = 0; descriptor < 1024;
       ++descriptor)  // the tests' output must not hang on us
    if (descriptor != report && descriptor != lifeline) close(descriptor);
  for (const char* name : {"PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGOPTIONS",
                           "PGSERVICE", "PGPASSWORD", "PGSSLMODE"})
    unsetenv(name);
  umask(077);
  if (chdir("/") != 0) _exit(1);

  const passwd* user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  if (geteuid() == 0 && user == nullptr) {
    tell(report, "!there is no user postgres to run the server");
    _exit(1);
  }
  std::string folder = place() + "/vestige-pg-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr ||
      (user != nullptr && chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0)) {
    tell(report, "!no temporary folder");
    _exit(1);
  }
  const std::string log = folder + "/log";
  close(open(log.c_str(), O_CREAT | O_WRONLY, 0600));
  if (user != nullptr && chown(log.c_str(), user->pw_uid, user->pw_gid) != 0) _exit(1);

  pid_t server = -1;
  if (make_data(bin, folder, user)) {
    std::vector<std::string> command = {bin + "/postgres", "-D", folder + "/data"};
    for (const std::string setting :
         {"listen_addresses=", "port=5432", "fsync=off", "full_page_writes=off",
          "shared_buffers=16MB", "dynamic_shared_memory_type=mmap", "max_prepared_transactions=20",
          "timezone=UTC", "log_timezone=UTC", "logging_collector=off"})
      command.insert(command.end(), {"-c", setting});
    command.insert(command.end(), {"-c", "unix_socket_directories=" + folder});
    for (const std::string& setting : settings) command.insert(command.end(), {"-c", setting});
    server = launch(command, user, log);
  }
  bool up = false;
  for (int i = 0; server > 0 && !up && i < 100'000; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (waitpid(server, nullptr, WNOHANG) == server) server = -1;
    else up = answers(folder);
  }
  if (up) {
    tell(report, folder);
    char byte = 0;
    while (read(lifeline, &byte, 1) < 0 && errno == EINTR) {
    }
  } else {
    std::ifstream in(log);
    tell(report, "!" + std::string(std::istreambuf_iterator<char>(in), {}));
  }
  if (server > 0) {
    kill(server, SIGQUIT);
    for (int i = 0; i < 1'000 && waitpid(server, nullptr, WNOHANG) == 0; ++i) {
      if (i == 900) kill(server, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  _exit(0);
}

std::string encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    std::array<char, 4> code;
    snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned char>(c));
    const bool plain = isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
    out += plain ? std::string(1, c) : code.data();
  }
  return out;
}

}  // namespace

PostgresServer::PostgresServer(const std::vector<std::string>& settings) {
  const std::string bin = binaries();
  std::array<int, 2> report;
  std::array<int, 2> life;
  if (pipe2(report.data(), O_CLOEXEC) != 0 || pipe2(life.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  fflush(nullptr);
  supervisor_ = fork();
  if (supervisor_ < 0) throw std::runtime_error("no process");
  if (supervisor_ == 0) {
    close(report[0]);
    close(life[1]);
    supervise(bin, settings, report[1], life[0]);
  }
  close(report[1]);
  close(life[0]);
  lifeline_ = life[1];
  std::array<char, 4096> buffer;
  for (ssize_t got = 0; (got = read(report[0], buffer.data(), buffer.size())) > 0;)
    host_.append(buffer.data(), static_cast<std::size_t>(got));
  close(report[0]);
  if (!host_.starts_with('/')) {
    close(lifeline_);
    waitpid(supervisor_, nullptr, 0);
    throw std::runtime_error("no PostgreSQL server: " + host_);
  }
}

PostgresServer::PostgresServer(std::string url) : own_url_(std::move(url)) {}

PostgresServer::~PostgresServer() {
  if (supervisor_ == 0) return;
  close(lifeline_);
  waitpid(supervisor_, nullptr, 0);
}

PostgresServer& PostgresServer::shared() {
  static const char* given = variable("VESTIGE_TEST_POSTGRES");
  if (given != nullptr) {
    static PostgresServer theirs{std::string(given)};
    return theirs;
  }
  static PostgresServer ours;
  return ours;
}

std::string PostgresServer::url(std::string_view database, std::string_view user) const {
  if (own_url_.empty())
    return "postgresql://" + encoded(user) + "@" + encoded(host_) + "/" + encoded(database);
  const std::size_t at = own_url_.rfind('@');
  return "postgresql://" + encoded(user) + own_url_.substr(at, own_url_.rfind('/') - at) + "/" +
         encoded(database);
}

void PostgresServer::execute(const std::string& sql) const {
  PGconn* connection = PQconnectdb(url().c_str());
  PGresult* result = PQexec(connection, sql.c_str());
  const bool done =
      PQresultStatus(result) == PGRES_COMMAND_OK || PQresultStatus(result) == PGRES_TUPLES_OK;
  const std::string problem = PQerrorMessage(connection);
  PQclear(result);
  PQfinish(connection);
  if (!done) throw std::runtime_error(sql + ": " + problem);
}

ScratchDatabase::ScratchDatabase(std::string_view copy_of) {
  static int count = 0;
  name_ = "test_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  PostgresServer::shared().execute("create database " + name_ + " template " +
                                   std::string(copy_of));
}

ScratchDatabase::~ScratchDatabase() {
  try {
    PostgresServer::shared().execute("drop database " + name_ + " with (force)");
  } catch (const std::runtime_error& error) {
    fprintf(stderr, "%s\n", error.what());
  }
}

}  // namespace vestige
