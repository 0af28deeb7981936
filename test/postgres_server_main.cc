// Runs a command beside a PostgreSQL server of its own:
//
//   postgres_server [-c NAME=VALUE]... [-d DATABASE] -- COMMAND...
//
// The command finds it through PGHOST, PGPORT, PGUSER, PGDATABASE and VESTIGE_TEST_POSTGRES (a URL).
// Ends with the command's exit code; the server is gone by then, also when this is killed.
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>

#include "test/postgres_server.h"

namespace {

int usage() {
  fputs("usage: postgres_server [-c NAME=VALUE]... [-d DATABASE] -- COMMAND...\n", stderr);
  return 2;
}

int run(char** command) {
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    execvp(command[0], command);
    fprintf(stderr, "postgres_server: %s: %s\n", command[0], strerror(errno));
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::string> settings;
  std::string database = "postgres";
  int option = 0;
  while ((option = getopt(count, arguments, "+c:d:")) != -1) {
    if (option == 'c') settings.emplace_back(optarg);
    else if (option == 'd') database = optarg;
    else return usage();
  }
  if (optind >= count) return usage();
  try {
    const vestige::PostgresServer server(settings);
    if (database != "postgres") server.execute("create database \"" + database + "\"");
    setenv("PGHOST", server.host().c_str(), 1);
    setenv("PGPORT", "5432", 1);
    setenv("PGUSER", "postgres", 1);
    setenv("PGDATABASE", database.c_str(), 1);
    setenv("VESTIGE_TEST_POSTGRES", server.url(database).c_str(), 1);
    return run(arguments + optind);
  } catch (const std::runtime_error& error) {
    fprintf(stderr, "postgres_server: %s\n", error.what());
    return 1;
  }
}
