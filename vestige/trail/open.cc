// The one place that asks which database it is: each noun of a trail, as that database keeps it.
#include "vestige/trail/over_source.h"
#include "vestige/trail/postgres/trail.h"
#include "vestige/trail/sqlite/trail.h"

namespace vestige {
namespace {

bool is_postgres(const Database& db) { return db.engine() == Engine::postgres; }

template <class Noun>
using Open = std::unique_ptr<Noun>(Database&);

template <class Noun>
std::unique_ptr<Noun> either(Database& db, Open<Noun>& on_sqlite, Open<Noun>& on_postgres) {
  return is_postgres(db) ? on_postgres(db) : on_sqlite(db);
}

}  // namespace

std::unique_ptr<Installation> installation_of(Database& db) {
  return either(db, sqlite::installation, postgres::installation);
}

std::unique_ptr<Source> source_of(Database& db) {
  if (auto* over = dynamic_cast<OverSource*>(&db); over != nullptr)
    return over->over(source_of(over->inner()));
  return either(db, sqlite::source, postgres::source);
}

std::unique_ptr<Tracking> tracking_of(Database& db) {
  return either(db, sqlite::tracking, postgres::tracking);
}

std::unique_ptr<TableRows> table_rows_of(Database& db) {
  if (auto* over = dynamic_cast<OverSource*>(&db); over != nullptr)
    return over->rows_over(table_rows_of(over->inner()));
  return either(db, sqlite::table_rows, postgres::table_rows);
}

std::unique_ptr<Past> past_of(Database& db) {
  if (auto* over = dynamic_cast<OverSource*>(&db); over != nullptr)
    return over->past_over(past_of(over->inner()));
  return either(db, sqlite::past, postgres::past);
}

std::unique_ptr<Contexts> contexts_of(Database& db) {
  return either(db, sqlite::contexts, postgres::contexts);
}

std::unique_ptr<Sealing> sealing_of(Database& db) {
  return either(db, sqlite::sealing, postgres::sealing);
}

std::unique_ptr<Eraser> eraser_of(Database& db) {
  return either(db, sqlite::eraser, postgres::eraser);
}

std::unique_ptr<Expirer> expirer_of(Database& db) {
  return either(db, sqlite::expirer, postgres::expirer);
}

std::unique_ptr<Undoing> undoing_of(Database& db) {
  return either(db, sqlite::undoing, postgres::undoing);
}

std::unique_ptr<Upkeep> upkeep_of(Database& db) {
  return either(db, sqlite::upkeep, postgres::upkeep);
}

Spelling spelling_of(Database& db) {
  return is_postgres(db) ? postgres::kSpelling : sqlite::kSpelling;
}

}  // namespace vestige
