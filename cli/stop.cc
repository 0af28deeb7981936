#include "cli/stop.h"

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

void sleep_until_stop(double seconds) {
  // Blocked while the flag is looked at, so that a signal in between is not slept through.
  sigset_t both;
  sigset_t before;
  sigemptyset(&both);
  for (const int signal : {SIGTERM, SIGINT}) sigaddset(&both, signal);
  pthread_sigmask(SIG_BLOCK, &both, &before);
  const auto whole = static_cast<time_t>(seconds);
  const timespec time = {whole, static_cast<long>((seconds - static_cast<double>(whole)) * 1e9)};
  if (requested == 0 && sigtimedwait(&both, nullptr, &time) > 0) requested = 1;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace vestige::cli
