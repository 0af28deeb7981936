// Stop: SIGTERM and SIGINT end a verb that goes on and on between two pieces of work.
#pragma once

namespace vestige::cli {

/// From here on the two signals only set a flag.
void catch_stop_signals();

/// True once one of them came.
bool stop_requested();

/// Sleeps; a signal ends it at once.
void sleep_until_stop(double seconds);

}  // namespace vestige::cli
