// Programs that are told: without a shell, and not for long.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "cli/tell.h"

namespace vestige::cli {
namespace {

constexpr auto kDeadline = std::chrono::seconds(10);
constexpr auto kPollPause = std::chrono::milliseconds(10);
constexpr int kNotFound = 127;

// What it reads, in memory: so nobody waits for who does not read.
int input_of(const std::string& text) {
  const int file = memfd_create("notice", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(file, 0, SEEK_SET) != 0) {
    close(file);
    return -1;
  }
  return file;
}

std::vector<std::string> environment() {
  std::vector<std::string> all;
  for (const char* name : {"PATH", "HOME", "LANG"})
    if (const char* value = std::getenv(name); value != nullptr)
      all.push_back(std::string(name) + "=" + value);
  return all;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// Between fork and exec: nothing that allocates.
[[noreturn]] void become(int input, char* const* words, char* const* variables) {
  setpgid(0, 0);
  std::signal(SIGPIPE, SIG_DFL);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  dup2(input, STDIN_FILENO);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  execve(words[0], words, variables);
  _exit(kNotFound);
}

Attempt ended(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {.delivered = true};
  if (WIFEXITED(status) && WEXITSTATUS(status) == kNotFound)
    return {.error = "the program cannot be started"};
  if (WIFEXITED(status)) return {.error = fmt::format("it ends with {}", WEXITSTATUS(status))};
  return {.error = fmt::format("it ends by signal {}", WTERMSIG(status))};
}

}  // namespace

Attempt run_program(const std::vector<std::string>& words, const std::string& input) {
  const int file = input_of(input);
  if (file < 0) return {.error = "there is no memory for what it is told"};
  const auto variables = environment();
  const auto given = pointers(words);
  const auto set = pointers(variables);
  const pid_t child = fork();
  if (child == 0) become(file, given.data(), set.data());
  close(file);
  if (child < 0) return {.error = "no process can be started"};
  const auto begun = std::chrono::steady_clock::now();
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() - begun > kDeadline) {
      kill(-child, SIGKILL);
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return {.error = fmt::format("it is not done after {} s", kDeadline.count())};
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return ended(status);
}

}  // namespace vestige::cli
