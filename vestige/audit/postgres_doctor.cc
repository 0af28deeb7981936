#include "vestige/audit/postgres_doctor.h"

#include <algorithm>
#include <utility>

#include "vestige/trail/install.h"

namespace vestige {
namespace {

Severity severity_of(const std::string& word) {
  if (word == "note") return Severity::note;
  return word == "warning" ? Severity::warning : Severity::error;
}

Result<std::vector<Finding>> findings(Database& db) {
  std::vector<Finding> found;
  auto rows = TRY(
      db.query("select severity, code, \"table\", message, remedy, fixable from vestige.doctor()"));
  while (TRY(rows->next()) == Step::row) {
    Finding one;
    one.severity = severity_of(rows->text(0));
    one.code = rows->text(1);
    one.table = rows->text(2);
    one.message = rows->text(3);
    one.remedy = rows->text(4);
    one.fixable = rows->integer(5) != 0;
    found.push_back(std::move(one));
  }
  return found;
}

bool same(const Finding& left, const Finding& right) {
  return left.severity == right.severity && left.code == right.code && left.table == right.table &&
         left.message == right.message;
}

// Before anything is done: nobody is told to ask for a role that would not do.
Result<void> may_mend(Database& db) {
  auto rows = TRY(
      db.query("select pg_catalog.quote_ident(current_user), pg_catalog.quote_ident(o.rolname)"
               " from pg_catalog.pg_namespace n join pg_catalog.pg_roles o on o.oid = n.nspowner"
               " where n.nspname = 'vestige'"
               " and not pg_catalog.has_function_privilege('vestige.mend()', 'execute')"));
  if (TRY(rows->next()) == Step::end) return {};
  return hinted(fail(Fault::denied, "doctor --fix: {} may not", rows->text(0)),
                fmt::format("the trail's owner can: {}, and who is a member of it", rows->text(1)));
}

}  // namespace

Result<std::vector<Finding>> doctor_on_postgres(Database& db, bool fix) {
  if (!fix) return findings(db);
  TRY(may_mend(db));
  std::vector<Finding> before = TRY(findings(db));
  TRY(maintain(db));
  auto transaction = TRY(Transaction::begin(db));
  TRY(db.run("select vestige.mend()"));
  std::vector<Finding> after = TRY(findings(db));
  TRY(transaction.commit());
  for (Finding& finding : before) {
    const auto left = std::find_if(after.begin(), after.end(),
                                   [&](const Finding& one) { return same(one, finding); });
    if (left != after.end()) {
      after.erase(left);
      continue;
    }
    finding.fixed = true;
    finding.remedy = "";
  }
  before.insert(before.end(), std::make_move_iterator(after.begin()),
                std::make_move_iterator(after.end()));
  return before;
}

}  // namespace vestige
