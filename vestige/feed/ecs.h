// ECS 9, the Elastic Common Schema: one document a change.
#pragma once

#include "vestige/feed/event.h"

namespace vestige {

std::string ecs(const Change& change, const Origin& origin);

}  // namespace vestige
