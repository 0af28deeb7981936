// The trail on SQLite: its nouns, one file for each. Only vestige/trail/open.cc includes this.
#pragma once

#include <memory>

#include "vestige/trail/contexts.h"
#include "vestige/trail/installation.h"

namespace vestige::sqlite {

std::unique_ptr<Installation> installation(Database& db);
std::unique_ptr<Contexts> contexts(Database& db);

}  // namespace vestige::sqlite
