// What the API answers, a function for each route of the table (routes.cc).
#pragma once

#include <memory>

#include "server/call.h"

namespace vestige::server {

using Asked = const std::shared_ptr<Call>&;

Result<Answer> get_openapi(Asked call);
Result<Answer> get_about(Asked call);

Result<Answer> get_changes(Asked call);
Result<Answer> get_change(Asked call);
Result<Answer> get_receipt(Asked call);
Result<Answer> get_change_check(Asked call);

Result<Answer> get_tx(Asked call);
Result<Answer> get_revert(Asked call);

Result<Answer> get_tables(Asked call);
Result<Answer> get_rows(Asked call);
Result<Answer> get_row(Asked call);
Result<Answer> get_history(Asked call);
Result<Answer> get_blame(Asked call);
Result<Answer> get_diff(Asked call);
Result<Answer> get_field(Asked call);
Result<Answer> get_field_svg(Asked call);

Result<Answer> get_events(Asked call);
Result<Answer> get_facets(Asked call);
Result<Answer> get_complete(Asked call);

Result<Answer> get_verify(Asked call);
Result<Answer> post_verify(Asked call);
Result<Answer> get_reports(Asked call);
Result<Answer> get_report(Asked call);
Result<Answer> get_report_html(Asked call);

Result<Answer> get_alerts(Asked call);
Result<Answer> get_alert(Asked call);
Result<Answer> post_alert_ack(Asked call);
Result<Answer> post_alert_close(Asked call);
Result<Answer> post_silence(Asked call);
Result<Answer> get_holds(Asked call);
Result<Answer> get_retention(Asked call);
Result<Answer> get_reviews(Asked call);
Result<Answer> get_status(Asked call);

}  // namespace vestige::server
