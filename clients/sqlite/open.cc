// The nouns of a trail in the extension: there is SQLite, and nothing else (trail/open.cc has both).
#include "vestige/trail/sqlite/trail.h"

namespace vestige {

std::unique_ptr<Installation> installation_of(Database& db) { return sqlite::installation(db); }
std::unique_ptr<Source> source_of(Database& db) { return sqlite::source(db); }
std::unique_ptr<Tracking> tracking_of(Database& db) { return sqlite::tracking(db); }
std::unique_ptr<TableRows> table_rows_of(Database& db) { return sqlite::table_rows(db); }
std::unique_ptr<Past> past_of(Database& db) { return sqlite::past(db); }
std::unique_ptr<Contexts> contexts_of(Database& db) { return sqlite::contexts(db); }
std::unique_ptr<Sealing> sealing_of(Database& db) { return sqlite::sealing(db); }
std::unique_ptr<Eraser> eraser_of(Database& db) { return sqlite::eraser(db); }
std::unique_ptr<Expirer> expirer_of(Database& db) { return sqlite::expirer(db); }
std::unique_ptr<Undoing> undoing_of(Database& db) { return sqlite::undoing(db); }
std::unique_ptr<Upkeep> upkeep_of(Database& db) { return sqlite::upkeep(db); }
Spelling spelling_of(Database&) { return sqlite::kSpelling; }

}  // namespace vestige
