// CloudEvents 1.0, structured JSON: for a bus.
#pragma once

#include "vestige/feed/event.h"

namespace vestige {

/// A CloudEvent of at most 64 KiB; what does not fit is dropped, and `dropped` in its data says what.
std::string cloudevents(const Change& change, const Origin& origin);

}  // namespace vestige
