// at: a table or a row as it was.
#include <memory>

#include "cli/filter.h"
#include "cli/row_printer.h"
#include "cli/session.h"
#include "vestige/audit/key_filter.h"
#include "vestige/trail/catalog.h"

namespace vestige::cli {
namespace {

Result<Moment> moment(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("--time") == arguments.has("--change"))
    return hinted(fail(Fault::invalid, "at: the moment is missing, or there are two"),
                  "give --time TIME or --change ID");
  if (const auto change = TRY(arguments.number("--change")))
    return Moment{Moment::Kind::change, *change};
  const std::string time = arguments.text("--time");
  if (time.find_first_not_of("0123456789") == std::string::npos) {
    const auto micros = TRY(arguments.time("--time"));
    return Moment{Moment::Kind::time, *micros};
  }
  return session.moment(time);
}

Result<int> one_row(Session& session, Database& db, const Moment& when) {
  const auto& words = session.arguments().words();
  const State state = TRY(at(db, words.front(), session.arguments().words_from(1), when));
  if (!state.has_value()) {
    session.say("the row was not there then");
    return kDone;
  }
  RowPrinter printer(session.output(), column_names(*state));
  printer.row(*state);
  return kDone;
}

Result<int> whole_table(Session& session, Database& db, const Moment& when) {
  const std::string& table = session.arguments().words().front();
  auto states = TRY(at(db, table, when, TRY(read_filters(session.arguments()))));
  std::unique_ptr<RowPrinter> printer;
  while (session.output().wanted()) {
    const State state = TRY(states->next());
    if (!state.has_value()) break;
    if (printer == nullptr)
      printer = std::make_unique<RowPrinter>(session.output(), column_names(*state));
    printer->row(*state);
    session.step();
  }
  if (printer == nullptr) {
    // An empty table has a head as well.
    std::vector<std::string> columns;
    const Tracked tracked = TRY(tracked_table(db, table));
    for (const Column& column : tracked.shape.columns) columns.push_back(column.name);
    RowPrinter(session.output(), columns).end();
    session.say(session.arguments().has("--query") ? "the table had no such rows then"
                                                   : "the table had no rows then");
  }
  return kDone;
}

Result<int> run_at(Session& session) {
  const Moment when = TRY(moment(session));
  if (session.arguments().words().size() > 1 && session.arguments().has("--query"))
    return hinted(fail(Fault::invalid, "at: there is a KEY and a --query"), "key:1,2 is a --query");
  Database& db = *TRY(session.database());
  session.output().long_text();
  const int code = TRY(session.arguments().words().size() > 1 ? one_row(session, db, when)
                                                              : whole_table(session, db, when));
  TRY(session.say_limits(session.arguments().words().front(), when));
  return code;
}

}  // namespace

Command at_command() {
  return {
      .name = "at",
      .group = "look",
      .summary = "a table or a row as it was at a time or after a change",
      .arguments = "TABLE [KEY…]",
      .least = 1,
      .most = kAny,
      .about = {"Prints the rows in key order, as they were at the moment, under today's column "
                "names. Columns that are not recorded are not shown. For a row that was not there "
                "it prints nothing, and says so.",
                kKeyFilter},
      .options = {{.names = "--time",
                   .value = "MOMENT",
                   .summary = "a time (see log), tx:12, last, ~3 (see diff)"},
                  {.names = "--change", .value = "ID", .summary = "just after a change"},
                  key_filter_option(),
                  format_option()},
      .examples = {{"vestige at products --time '2026-01-01T00:00:00Z'", "a table on New Year"},
                   {"vestige at products 1 --change 17 --format json", "one row after change 17"},
                   {"vestige at products --time 2h -q 'key:1,2,5'", "three rows, two hours ago"}},
      .run = run_at};
}

}  // namespace vestige::cli
