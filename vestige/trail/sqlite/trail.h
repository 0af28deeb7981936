// The trail on SQLite: its nouns, one file for each. Only vestige/trail/open.cc includes this from outside of the wing.
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

namespace vestige::sqlite {

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
Result<std::unique_ptr<Migration>> migration(Database& db, std::string_view script);

inline constexpr Spelling kSpelling = {
    .prefix = "vestige_",
    .of_table = "tbl",
    .micros = "at * 1000",
    .from_micros = "?2 / 1000",
    .record_read =
        "insert into vestige_access (kind, verb, filter, purpose) values (?1, ?2, ?3, ?4)",
    .place_hold =
        "insert into vestige_hold (matter, filter, conditions, two_persons, placed_by)"
        " select ?1, ?2, ?3, ?4, c.actor from vestige_current as u join vestige_context as c"
        " on c.id = u.context",
    .release_hold =
        "update vestige_hold set released_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), released_by ="
        " (select c.actor from vestige_current as u join vestige_context as c on c.id = u.context)"
        " where id = ?1",
    .refused_hold = "update vestige_hold set refused = refused + 1, attempt = ?2 where id = ?1",
    .begin_reading = "begin deferred",
    .any_case = true,
    .has_users = false,
};

}  // namespace vestige::sqlite
