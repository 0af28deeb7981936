#include "vestige/trail/access.h"

#include <algorithm>

#include "vestige/base/json.h"
#include "vestige/base/nearest.h"
#include "vestige/base/number.h"
#include "vestige/base/time.h"
#include "vestige/trail/context.h"
#include "vestige/trail/install.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/tracking.h"

namespace vestige {
namespace {

constexpr std::string_view kAccess = "access";
constexpr std::int64_t kNever = 253'402'300'799'999'999;  // the last microsecond of the year 9999

// Until when it is not told: a time that cannot be read, such as infinity, never comes.
std::optional<std::int64_t> until(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto time = parse_time(text, Now(0));
  return time.has_value() ? std::min(*time, kNever) : kNever;
}

bool asked_for(const AccessRequest& request, const Access& one) {
  const auto& kinds = request.kinds;
  if (!kinds.empty() && std::find(kinds.begin(), kinds.end(), one.kind) == kinds.end())
    return false;
  return is_of(one, request.table, request.key);
}

// The table of the request is named as the reads name it.
Result<AccessLog> read_log(Database& db, AccessRequest asked) {
  const auto table = TRY(known_own_table(db, kAccess));
  if (!table.has_value()) return AccessLog(nullptr, std::move(asked), {});
  Suspended suspended = TRY(suspensions(db));
  Selection selection;
  selection.table = table->id;
  selection.forgiving = true;
  selection.ops = {Op::insert};
  selection.oldest_first = asked.oldest_first;
  selection.since = asked.since;
  selection.until = asked.until;
  selection.who = asked.who;
  return AccessLog(TRY(read_changes(db, selection)), std::move(asked), std::move(suspended));
}

}  // namespace

Access access_of(const Change& change) {
  const auto& row = change.new_values;
  Access out{.change = change.id, .at = change.at, .context = change.context};
  if (const std::string* who = change.who(); who != nullptr) out.who = *who;
  out.kind = text_in(row, "kind");
  out.table = text_in(row, "subject_table");
  out.key = text_in(row, "subject_key");
  out.purpose = text_in(row, "purpose");
  out.verb = text_in(row, "verb");
  out.filter = text_in(row, "filter");
  out.entries = whole_number<std::int64_t>(text_in(row, "entries"));
  out.recipient = text_in(row, "recipient");
  out.recipient_address = text_in(row, "recipient_address");
  out.description = text_in(row, "description");
  out.request_ref = text_in(row, "request_ref");
  out.suspended_until = until(text_in(row, "suspended_until"));
  out.erased = change.erased;
  return out;
}

std::vector<std::string> reported_key(const std::string& key) {
  std::vector<std::string> out;
  json::Reader reader(key);
  if (key.empty() || !reader.open('[').has_value()) return {key};
  while (true) {
    const auto more = reader.more(']');
    if (!more.has_value()) return {key};
    if (*more == 'n') return out;
    const auto value = reader.value();
    if (!value.has_value()) return {key};
    const auto text = json::unquote(value->text);
    out.push_back(text.has_value() ? *text : std::string(value->text));
  }
}

// Only where there is no trail it is certain that no read of it is recorded: a database that is busy says nothing of that.
Result<bool> records_access(Database& db) {
  const auto trail = require_trail(db);
  if (!trail.has_value() && trail.error().fault == Fault::missing) return false;
  TRY(trail);
  return TRY(scalar_integer(db, fmt::format("select count(*) from {} where name = 'record_access'",
                                            spelling_of(db).table("meta")))) != 0;
}

Result<bool> record_access(Database& db, bool on, const Context& context) {
  TRY(require_trail(db));
  auto scope = TRY(ContextScope::begin(db, context));
  const bool was = TRY(tracking_of(db)->record_access(on));
  TRY(scope.commit());
  return was;
}

Result<void> record_read(Database& db, const TrailRead& read, const Context& context) {
  Context by = context;
  if (!spelling_of(db).has_users && !read.user.empty() && by.get("actor") == nullptr)
    by.set("actor", read.user);
  auto scope = TRY(ContextScope::begin(db, by));
  TRY(own_table(db, kAccess));
  TRY(db.run(spelling_of(db).record_read, {Text{read.kind}, Text{read.verb},
                                           text_or_null(read.filter), text_or_null(read.purpose)}));
  return scope.commit();
}

Result<void> prepare_access(Database& db) {
  TRY(require_trail(db));
  auto transaction = TRY(Transaction::begin(db));
  TRY(own_table(db, kAccess));
  return transaction.commit();
}

Result<std::optional<Access>> AccessLog::next() {
  while (changes_ != nullptr) {
    const auto change = TRY(changes_->next());
    if (!change.has_value()) break;
    Access one = access_of(*change);
    apply(suspended_, *change, one);
    if (asked_for(request_, one)) return std::optional(std::move(one));
  }
  return std::optional<Access>();
}

bool is_of(const Access& access, const std::string& table, const std::vector<std::string>& key) {
  if (!table.empty() && table != access.table) return false;
  return key.empty() || key == reported_key(access.key);
}

void apply(const Suspended& suspended, const Change& change, Access& access) {
  const auto id = own_row_id(change);
  if (!id.has_value()) return;
  if (const auto later = suspended.find(*id); later != suspended.end())
    access.suspended_until = later->second;
}

Result<Suspended> suspensions(Database& db) {
  Suspended out;
  const auto table = TRY(known_own_table(db, kAccess));
  if (!table.has_value()) return out;
  Selection selection;
  selection.table = table->id;
  selection.forgiving = true;
  selection.ops = {Op::update};
  selection.oldest_first = true;
  auto updates = TRY(read_changes(db, selection));
  while (const auto change = TRY(updates->next()))
    if (const auto id = own_row_id(*change);
        id.has_value() && change->new_values.has_value() &&
        find(*change->new_values, "suspended_until") != nullptr)
      out[*id] = until(text_in(change->new_values, "suspended_until"));
  return out;
}

Result<std::string> reported_table(Database& db, const std::string& typed) {
  if (auto meant = TRY(meant_table(db, typed)); meant.has_value()) return *std::move(meant);
  AccessLog reads = TRY(read_log(db, {.table = typed}));
  if (TRY(reads.next()).has_value()) return typed;
  std::vector<std::string> names;
  for (const Tracked& table : TRY(tracked_tables(db))) names.push_back(table.name);
  const std::string near = nearest(typed, names);
  return hinted(fail(Fault::missing,
                     "find table {}: none has that name, and no read of one was reported", typed),
                near.empty() ? "" : "did you mean " + near + "?");
}

Result<AccessLog> access_log(Database& db, const AccessRequest& request) {
  TRY(require_trail(db));
  AccessRequest asked = request;
  if (!asked.table.empty()) asked.table = TRY(reported_table(db, asked.table));
  return read_log(db, std::move(asked));
}

std::string to_json(const Access& access) {
  const auto optional = [](const std::string& text) { return to_json(text_or_null(text)); };
  return fmt::format(
      R"({{"change":{},"at":"{}","who":{},"kind":{},"table":{},"key":{},"purpose":{},"verb":{},)"
      R"("filter":{},"entries":{},"recipient":{},"recipient_address":{},"description":{},)"
      R"("request_ref":{},"suspended_until":{},"context":{}}})",
      access.change, format_time(access.at),
      access.who.has_value() ? text_json(*access.who) : "null", optional(access.kind),
      optional(access.table), access.key.empty() ? "null" : list_json(reported_key(access.key)),
      optional(access.purpose), optional(access.verb), optional(access.filter),
      access.entries.has_value() ? std::to_string(*access.entries) : "null",
      optional(access.recipient), optional(access.recipient_address), optional(access.description),
      optional(access.request_ref),
      access.suspended_until.has_value() ? text_json(format_time(*access.suspended_until)) : "null",
      to_json(access.context));
}

}  // namespace vestige
