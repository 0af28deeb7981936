// Stop: SIGTERM and SIGINT end a verb that goes on and on between two pieces of work.
#pragma once

namespace vestige::cli {

/// From here on the two signals only set a flag.
void catch_stop_signals();

/// True once one of them came.
bool stop_requested();

/// Sleeps; a signal ends it at once.
void sleep_until_stop(double seconds);

/// The same; the last reader of stdout ends it, too, when it goes away.
void sleep_while_read(double seconds);

/// True when nobody reads stdout any more: a pipe without a reader, a terminal that is gone.
bool nobody_reads();

}  // namespace vestige::cli
