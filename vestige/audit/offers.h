// Offers: words that a shell offers while somebody types, from what the trail has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "vestige/db/database.h"

namespace vestige {

/// What can be offered.
inline constexpr std::string_view kOffers[] = {"tables",       "columns",   "actors",
                                               "transactions", "consumers", "marks"};

/// The names of all tables, of all columns that are or were recorded, of who made the last changes, the last transactions, the newest
/// first, the consumers of the feed, or the marks. Each once.
///
/// what    one of kOffers
/// faults  missing: no trail
Result<std::vector<std::string>> offers(Database& db, std::string_view what);

}  // namespace vestige
