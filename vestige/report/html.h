// A report as one HTML file that needs no script, no style sheet and no network: it is read, printed, and checked by
// `vestige check` (report/note.h). The rows stand in it twice: as tables, and as the lines that are hashed.
#pragma once

#include <string>
#include <string_view>

#include "vestige/report/report.h"

namespace vestige {

/// Writes all of it but its end, which says what the bytes are (note.h).
///
/// faults   offline (what was kept aside cannot be read)
Result<void> write_html(Report& report, ReportSink& sink);

/// A text for HTML: escaped, and with control characters, changes of writing direction and bytes that are no UTF-8 shown
/// as \x0a and \u202e.
std::string html_text(std::string_view text);

/// One JSON object a line: the head, each row, with what would end a <script> escaped.
Result<void> write_json(Report& report, ReportSink& sink);

}  // namespace vestige
