// What PostgreSQL refuses, in the trail's words; the contract stands in vestige/trail/denied.h.
#pragma once

#include "vestige/trail/denied.h"

namespace vestige::postgres {

Error explained(Database& db, const Error& error, const Attempted& attempted);

}  // namespace vestige::postgres
