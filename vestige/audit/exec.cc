#include "vestige/audit/exec.h"

#include "vestige/trail/context.h"

namespace vestige {

Result<Executed> exec(Database& db, std::string_view sql, const Context& context, RowSink* sink) {
  auto scope = TRY(ContextScope::begin(db, context));
  std::int64_t statements = 0;
  Executed done;
  {
    const Fence fence(db);
    while (true) {
      std::string_view rest;
      const std::string_view statement = TRY(db.first_statement(sql, rest));
      if (statement.empty()) break;
      auto rows = TRY(db.query(statement));
      while (TRY(rows->next()) == Step::row) {
        if (sink == nullptr) continue;
        Row row;
        for (int i = 0; i < rows->columns(); ++i) row.push_back({rows->name(i), rows->value(i)});
        sink->row(row);
      }
      done.rows += rows->changed();
      ++statements;
      sql = rest;
    }
  }
  if (statements == 0)
    return hinted(fail(Fault::invalid, "run sql: nothing to run"),
                  "give SQL, -f FILE, or SQL on standard input");
  const auto written = TRY(scope.written());
  done.changes = written.changes;
  done.tx = written.tx;
  if (sink != nullptr) TRY(sink->end());
  TRY(scope.commit());
  return done;
}

}  // namespace vestige
