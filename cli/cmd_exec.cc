// exec: run SQL in one transaction, with a context.
#include <memory>

#include "cli/row_printer.h"
#include "cli/session.h"
#include "vestige/audit/exec.h"

namespace vestige::cli {
namespace {

class Printer final : public RowSink {
 public:
  explicit Printer(Output& output) : output_(output) {}

  void row(const Row& row) override {
    if (printer_ == nullptr || !printer_->fits(row)) {
      if (printer_ != nullptr) {
        printer_->end();
        if (output_.format() == Format::table) output_.line({});
        if (output_.format() == Format::csv) output_.csv({});
      }
      printer_ = std::make_unique<RowPrinter>(output_, column_names(row));
    }
    printer_->row(row);
  }
  Result<void> end() override {
    if (printer_ != nullptr) printer_->end();
    return output_.written();
  }

 private:
  Output& output_;
  std::unique_ptr<RowPrinter> printer_;
};

Result<int> run_exec(Session& session) {
  const std::string sql = TRY(session.sql());
  const Context context = TRY(session.arguments().context());
  Database& db = *TRY(session.database());
  Printer printer(session.output());
  const Executed done = TRY(exec(db, sql, context, &printer));
  std::string text = counted(done.rows, "row") + " changed";
  if (done.tx.has_value())
    text += fmt::format(", {} recorded as tx {}", counted(done.changes, "change"), *done.tx);
  else text += ", nothing recorded";
  session.say(text);
  return kDone;
}

}  // namespace

Command exec_command() {
  return {
      .name = "exec",
      .group = "change",
      .summary = "run SQL in one transaction, and record who did it and why",
      .arguments = "[SQL]",
      .least = 0,
      .most = 1,
      .about = {"Runs every statement in one transaction; the changes carry the context that the "
                "options give. When one statement fails, nothing happens (exit 3). The SQL is the "
                "word after the options, or a --file, or stdin. Rows that statements return are "
                "printed before the commit: if they cannot be written, nothing happens either.",
                "BEGIN, COMMIT, ROLLBACK, SAVEPOINT and ATTACH are refused: the transaction is "
                "vestige's own."},
      .options =
          joined({{.names = "-f, --file", .value = "FILE", .summary = "read the SQL from a file"}},
                 joined(context_options(), {format_option()})),
      .examples = {{"vestige exec --actor manager_john --reason 'summer sale' "
                    "'update products set price = 94900 where id = 1'",
                    "a change that says who and why"},
                   {"vestige exec --actor import -f prices.sql",
                    "a whole script, or nothing of it"}},
      .all_or_nothing = true,
      .writes = true,
      .run = run_exec};
}

}  // namespace vestige::cli
