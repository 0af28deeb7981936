// The trail on PostgreSQL, which sql/postgres/install.sql makes: its nouns, one file for each. Only vestige/trail/open.cc
// includes this from outside of the wing.
#pragma once

#include <memory>

#include "vestige/trail/contexts.h"
#include "vestige/trail/eraser.h"
#include "vestige/trail/expirer.h"
#include "vestige/trail/installation.h"
#include "vestige/trail/past.h"
#include "vestige/trail/sealing.h"
#include "vestige/trail/source.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/table_rows.h"
#include "vestige/trail/tracking.h"
#include "vestige/trail/undoing.h"
#include "vestige/trail/upkeep.h"

namespace vestige::postgres {

std::unique_ptr<Installation> installation(Database& db);
std::unique_ptr<Source> source(Database& db);
std::unique_ptr<Tracking> tracking(Database& db);
std::unique_ptr<TableRows> table_rows(Database& db);
std::unique_ptr<Past> past(Database& db);
std::unique_ptr<Contexts> contexts(Database& db);
std::unique_ptr<Sealing> sealing(Database& db);
std::unique_ptr<Eraser> eraser(Database& db);
std::unique_ptr<Expirer> expirer(Database& db);
std::unique_ptr<Undoing> undoing(Database& db);
std::unique_ptr<Upkeep> upkeep(Database& db);
Result<std::unique_ptr<Migration>> migration(Database& db);

inline constexpr Spelling kSpelling = {
    .prefix = "vestige.",
    .of_table = "tracked",
    .micros = "(extract(epoch from at) * 1000000)::int8",
    .from_micros = "timestamptz 'epoch' + ?2::int8 * interval '1 microsecond'",
    .record_read = "select vestige.record_read(?1::text, ?2::text, ?3::text, ?4::text)",
    .place_hold =
        "select vestige.place_hold(?1::text, ?2::text, ?3::text::jsonb, ?4::int::boolean)",
    .release_hold = "select vestige.release_hold(?1::bigint)",
    .refused_hold = "select vestige.refused_hold(?1::bigint, ?2::text)",
    .begin_reading = "begin isolation level repeatable read read only",
    .any_case = false,
    .has_users = true,
};

}  // namespace vestige::postgres
