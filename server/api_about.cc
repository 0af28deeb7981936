// What the console itself is.
#include "server/api.h"
#include "vestige/base/time.h"
#include "vestige/trail/access.h"
#include "vestige/trail/spelling.h"

namespace vestige::server {

Result<Answer> get_openapi(Asked) { return json_answer(openapi_json()); }

Result<Answer> get_about(Asked call) {
  Database& db = *TRY(call->db());
  const Settings& settings = call->settings();
  const std::string where = db.where();
  return json_answer(fmt::format(
      R"({{"database":{},"engine":"{}","version":"{}","user":{},"role":{},"time_zone":{},"writes":{},"record":{}}})",
      text_json(settings.name), where.substr(0, where.find(':')), settings.version,
      to_json(text_or_null(call->user())), to_json(text_or_null(call->role())),
      text_json(zone_name(Zone::local)), R"(["alert","silence"])", TRY(records_access(db))));
}

}  // namespace vestige::server
