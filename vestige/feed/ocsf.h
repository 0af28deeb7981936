// OCSF 1.8.0: Datastore Activity (6005), and Entity Management (3004) for who wants before and after side by side.
#pragma once

#include "vestige/feed/event.h"

namespace vestige {

/// A Datastore Activity.
std::string ocsf(const Change& change, const Origin& origin);

/// An Entity Management.
std::string ocsf_entity(const Change& change, const Origin& origin);

}  // namespace vestige
