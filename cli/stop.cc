#include "cli/stop.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <initializer_list>

namespace vestige::cli {
namespace {

volatile std::sig_atomic_t requested = 0;

void request(int /*signal*/) { requested = 1; }

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = request;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGINT}) sigaction(signal, &action, nullptr);
}

bool stop_requested() { return requested != 0; }

namespace {

// With `out`, the last reader of stdout ends it, too, when it goes away.
void sleep_until(double seconds, bool out) {
  // Blocked while the flag is looked at, so that a signal in between is not slept through.
  sigset_t both;
  sigset_t before;
  sigemptyset(&both);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&both, signal);
  pthread_sigmask(SIG_BLOCK, &both, &before);
  const auto whole = static_cast<time_t>(seconds);
  const timespec time = {whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  pollfd stdout_end = {STDOUT_FILENO, 0, 0};  // unasked it tells that the other end is closed
  if (requested == 0) ppoll(&stdout_end, out ? 1 : 0, &time, &before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

void sleep_until_stop(double seconds) { sleep_until(seconds, false); }

void sleep_while_read(double seconds) { sleep_until(seconds, true); }

bool nobody_reads() {
  pollfd stdout_end = {STDOUT_FILENO, 0, 0};
  return poll(&stdout_end, 1, 0) > 0 && (stdout_end.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace vestige::cli
