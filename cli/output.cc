#include "cli/output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/printable.h"

namespace vestige::cli {
namespace {

constexpr std::size_t kBuffer = 1 << 16;

std::string_view colour(Label label) {
  switch (label) {
    case Label::plain: return "";
    case Label::head: return "1";
    case Label::id: return "33";
    case Label::time: return "2";
    case Label::name: return "1";
    case Label::insert: return "32";
    case Label::update: return "34";
    case Label::remove: return "31";
    case Label::before: return "31";
    case Label::after: return "32";
    case Label::person: return "36";
    case Label::reason: return "";
    case Label::faint: return "2";
    case Label::good: return "32";
    case Label::warning: return "33";
    case Label::bad: return "1;31";
  }
  return "";
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

int terminal_width() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

void talk(std::string_view bytes) {
  static_cast<void>(std::fwrite(bytes.data(), 1, bytes.size(), stderr));
  static_cast<void>(std::fflush(stderr));
}

Output::Output(const Choice& choice) : choice_(choice), terminal_(isatty(STDOUT_FILENO) != 0) {
  const bool wished = environment("NO_COLOR").empty() && environment("TERM") != "dumb";
  colours_ = choice_.colour == "always" || (choice_.colour == "auto" && terminal_ && wished);
  if (terminal_) width_ = terminal_width();
}

void Output::into(int descriptor) {
  flush();
  descriptor_ = descriptor;
  terminal_ = false;
  colours_ = choice_.colour == "always";
  width_ = 0;
}

Output::~Output() { static_cast<void>(finish()); }

void Output::append(std::string& out, const Piece& piece) const {
  const std::string_view code = colours_ ? colour(piece.label) : "";
  const std::string safe = printable(piece.text);
  if (code.empty() || safe.empty()) out += safe;
  else out.append("\x1b[").append(code).append("m").append(safe).append("\x1b[0m");
}

void Output::line(std::initializer_list<Piece> pieces) { line(std::vector<Piece>(pieces)); }

void Output::line(const std::vector<Piece>& pieces) {
  std::string out;
  for (const Piece& piece : pieces) append(out, piece);
  write(out + "\n");
}

void Output::text(std::string_view text) { write(text); }

void Output::json(std::string_view object) {
  write(terminal_ ? printable_json(object) : std::string(object));
  write("\n");
}

void Output::csv(const std::vector<std::string>& fields) {
  std::string record = server::csv_record(fields, choice_.raw);
  if (terminal_) record = printable(record.substr(0, record.size() - 2), true) + "\r\n";
  write(record);
}

void Output::statement(std::string_view sql) {
  write((terminal_ ? printable(sql, true) : std::string(sql)) + "\n");
}

void Output::write(std::string_view bytes) {
  if (!wanted()) return;
  if (terminal_ && before_terminal_) std::exchange(before_terminal_, nullptr)();
  if (pager_ == 0 && long_text_ && terminal_ && choice_.pager) start_pager();
  buffer_ += bytes;
  if (buffer_.size() >= kBuffer || (terminal_ && pager_ == 0)) flush();
}

// With a pager on the terminal, a line beside it would stand anywhere, or be painted over.
void Output::say(std::string_view line) {
  const std::string text = printable(line) + "\n";
  if (pager_ != 0 && isatty(STDERR_FILENO) != 0) return write(text);
  flush();
  talk(text);
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty() && wanted()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written >= 0) rest.remove_prefix(static_cast<std::size_t>(written));
    else if (errno == EPIPE) closed_ = true;
    else if (errno != EINTR) error_ = errno;
  }
  buffer_.clear();
}

// `sh -c $PAGER` with its stdin on a pipe. When it cannot be started, output goes to the terminal.
void Output::start_pager() {
  choice_.pager = false;  // tried once
  const char* chosen = std::getenv("PAGER");
  const std::string command = chosen == nullptr ? "less" : chosen;
  std::array<int, 2> ends{};
  if (command.empty() || command == "cat" || pipe2(ends.data(), O_CLOEXEC) != 0) return;

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
  std::string shell = "sh";
  std::string flag = "-c";
  std::string line = command;
  std::array<char*, 4> words = {shell.data(), flag.data(), line.data(), nullptr};
  setenv("LESS", "FRX", 0);
  const int failed = posix_spawnp(&pager_, shell.c_str(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[0]);
  if (failed != 0) {
    close(ends[1]);
    pager_ = 0;
    return;
  }
  descriptor_ = ends[1];
}

Result<void> Output::written() {
  flush();
  if (error_ != 0)
    return fail(Fault::denied, "write to stdout: {}", std::strerror(std::exchange(error_, 0)));
  return {};
}

Result<void> Output::finish() {
  flush();
  if (pager_ != 0) {
    close(descriptor_);
    descriptor_ = STDOUT_FILENO;
    while (waitpid(pager_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pager_ = 0;
  }
  return written();
}

}  // namespace vestige::cli
