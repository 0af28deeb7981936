// A report as lines of JSON (docs/json.md): the head, and each row as it is hashed.
#include "vestige/report/html.h"

namespace vestige {

Result<void> write_json(Report& report, ReportSink& sink) {
  sink.write(embeddable(to_json(report.head)) + "\n");
  std::string line;
  for (std::size_t i = 0; i < report.sections(); ++i) {
    TRY(report.read_again(i));
    while (sink.wanted() && TRY(report.next_line(i, line)) == 'y') sink.write(line + "\n");
  }
  return {};
}

}  // namespace vestige
