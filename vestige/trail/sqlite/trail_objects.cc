#include "vestige/trail/sqlite/trail_objects.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vestige/db/sqlite.h"
#include "vestige/trail/sqlite/installation.h"

namespace vestige::sqlite {

Result<std::vector<TrailObject>> altered_trail_objects(Database& db) {
  // The script itself says what it makes.
  const auto fresh = TRY(Sqlite::open(":memory:", Sqlite::Mode::create));
  TRY(fresh->script(install_script()));
  std::vector<TrailObject> altered;
  auto rows = TRY(fresh->query("select type, name, sql from sqlite_schema where sql is not null"));
  while (TRY(rows->next()) == Step::row) {
    TrailObject object{rows->text(0), rows->text(1), rows->text(2)};
    const Value stands =
        TRY(scalar(db, "select sql from sqlite_schema where type = ?1 and name = ?2",
                   {Text{object.type}, Text{object.name}}));
    const auto* text = std::get_if<Text>(&stands);
    object.missing = text == nullptr;
    const bool same = text != nullptr && (object.type == "table" || text->bytes == object.sql);
    if (!same) altered.push_back(std::move(object));
  }
  return altered;
}

Result<void> restore_trail_objects(Database& db) {
  // Views before triggers: a view that is dropped takes its triggers with it.
  constexpr std::array<const char*, 3> kOrder = {"view", "index", "trigger"};
  for (const std::string type : kOrder) {
    for (const TrailObject& object : TRY(altered_trail_objects(db))) {
      if (object.type != type) continue;
      TRY(db.script(fmt::format("drop {} if exists main.{}", type, db.quote_name(object.name))));
      TRY(db.script(object.sql));
    }
  }
  return {};
}

}  // namespace vestige::sqlite
