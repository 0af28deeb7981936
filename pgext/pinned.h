// The settings that the text of a value depends on, pinned while values are printed.
//
// The boundary of this module: it is compiled without exceptions, and the server leaves a function by longjmp. So
// nothing here owns anything by a destructor: memory is the server's (palloc, contexts), and what must be put back
// after an error is put back in the one PG_TRY of with_pinned. `test/native.sh boundary` checks that the module needs
// nothing of the C++ runtime.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// The bits of a plan's settings, as vestige.native_facts counts them.
enum Setting : int {
  kTimeZone = 1,
  kDateStyle = 2,
  kIntervalStyle = 4,
  kFloatDigits = 8,
  kBytea = 16,
  kMonetary = 32,
  kEverything = 64,  // quotes, and a pinned search path
};

/// Calls `work(argument)` under the settings that the trail's values are printed with; afterwards, and after an error,
/// the session's own stand again.
void with_pinned(int settings, void (*work)(void*), void* argument);

}  // namespace vestige::native
