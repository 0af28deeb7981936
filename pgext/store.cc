#include "pgext/store.h"

#include "pgext/ids.h"
#include "pgext/partition.h"
#include "pgext/waiting.h"

namespace vestige::native {
namespace {

constexpr Field kContext[] = {
    {"id", INT8OID},        {"tx", INT8OID},      {"xid", XID8OID},
    {"at", TIMESTAMPTZOID}, {"pid", INT4OID},     {"client_addr", INETOID},
    {"db_user", TEXTOID},   {"db_role", TEXTOID}, {"application_name", TEXTOID},
    {"fields", TEXTOID}};
constexpr int kContextFields = sizeof(kContext) / sizeof(kContext[0]);

// The settings behind a transaction's context. The server takes care of them: they end with the transaction, and go
// back with a subtransaction. The portable engine reads and sets the same.
char* given = nullptr;
char* state = nullptr;
char* number = nullptr;
// What they were found to say, until one of them is set or taken back.
bool settled = false;
uint64 settled_for = 0;  // the transaction
int64 settled_context = 0;

void on_setting(const char*, void*) { settled = false; }

void on_transaction(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    end_ids();
}

// "<transaction> <what was given>": what the last context was written for.
bool stands(const char* xid) {
  if (state == nullptr || number == nullptr || *number == '\0') return false;
  const size_t length = std::strlen(xid);
  return std::strncmp(state, xid, length) == 0 && state[length] == ' ' &&
         std::strcmp(state + length + 1, given_context()) == 0;
}

bool of_this_transaction(const char* xid) {
  const size_t length = std::strlen(xid);
  return state != nullptr && std::strncmp(state, xid, length) == 0 && state[length] == ' ';
}

void print_transaction(char* out, size_t size) {
  snprintf(out, size, UINT64_FORMAT, U64FromFullTransactionId(GetTopFullTransactionId()));
}

Datum text_or_null(const char* value, bool* null) {
  *null = value == nullptr || *value == '\0';
  return *null ? Datum{0} : CStringGetTextDatum(value);
}

void begin_context(int64 id, const char* xid) {
  Datum values[kContextFields];
  bool nulls[kContextFields] = {};
  values[0] = values[1] = Int64GetDatum(id);
  values[2] = FullTransactionIdGetDatum(GetTopFullTransactionId());
  values[3] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
  values[4] = Int32GetDatum(MyProcPid);
  LOCAL_FCINFO(call, 0);
  InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
  values[5] = inet_client_addr(call);
  nulls[5] = call->isnull;
  values[6] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
  const char* role = GetConfigOption("role", false, false);
  values[7] =
      text_or_null(role != nullptr && std::strcmp(role, "none") == 0 ? nullptr : role, &nulls[7]);
  values[8] = text_or_null(application_name, &nulls[8]);
  values[9] = text_or_null(given_context(), &nulls[9]);
  HeapTuple row = row_for(*context_table(), values, nulls);
  put(context_table(), &row, 1, GetCurrentCommandId(true));
  pfree(row);
  char* stood = psprintf("%s %s", xid, given_context());
  char* numbered = psprintf(INT64_FORMAT, id);
  (void)set_config_option("vestige.number", numbered, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                          true, 0, false);
  (void)set_config_option("vestige.state", stood, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
                          true, 0, false);
}

void define(const char* name, const char* what, char** value) {
  DefineCustomStringVariable(name, what, nullptr, value, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
                             nullptr, on_setting, nullptr);
}

uint64 this_transaction() { return U64FromFullTransactionId(GetTopFullTransactionId()); }

}  // namespace

void watch_store() {
  define("vestige.context", "Who changes rows, why and from where, as a JSON object.", &given);
  define("vestige.state", "What the transaction's last context was written for.", &state);
  define("vestige.number", "The id of the transaction's last context.", &number);
  RegisterXactCallback(on_transaction, nullptr);
}

bool draw(TimestampTz* at, int64* id) {
  constexpr int kMostAttempts = 20;
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    *at = GetCurrentTimestamp();
    if (at_hand(*at)) {
      *id = next_id(change_sequence(), *at);
      if (!drawn_late(*at)) return true;
    } else if (!choose(*at)) {
      return false;
    }
  }
  return false;
}

void write_change(int64 id, const Change& change) {
  const bool keyed = change.key != nullptr;
  const Datum hash =
      keyed ? DirectFunctionCall2Coll(hashtextextended, DEFAULT_COLLATION_OID,
                                      PointerGetDatum(change.key), Int64GetDatum(change.tracked))
            : Datum{0};
  const Datum values[kChangeFields] = {Int64GetDatum(id),
                                       TimestampTzGetDatum(change.at),
                                       FullTransactionIdGetDatum(GetTopFullTransactionId()),
                                       Int64GetDatum(change.context),
                                       hash,
                                       Int32GetDatum(change.tracked),
                                       Int32GetDatum(change.shape),
                                       CharGetDatum(change.op),
                                       PointerGetDatum(change.key),
                                       Datum{0},
                                       PointerGetDatum(change.old_row),
                                       PointerGetDatum(change.new_row),
                                       Datum{0}};
  const bool nulls[kChangeFields] = {false,
                                     false,
                                     false,
                                     false,
                                     !keyed,
                                     false,
                                     false,
                                     false,
                                     !keyed,
                                     true,
                                     change.old_row == nullptr,
                                     change.new_row == nullptr,
                                     true};
  wait(change.at, values, nulls);
}

const char* given_context() { return given == nullptr ? "" : given; }

bool context_ready() {
  if (settled && settled_for == this_transaction()) return true;
  char xid[32];
  print_transaction(xid, sizeof(xid));
  if (stands(xid)) {
    settled_for = this_transaction();
    settled_context = std::strtoll(number, nullptr, 10);
    settled = true;
    return true;
  }
  // The comment of a statement may say who it is: SQL reads it.
  if (*given_context() == '\0') {
    const char* commented = GetConfigOption("vestige.sqlcommenter", true, false);
    if (commented != nullptr && std::strcmp(commented, "on") == 0) return false;
  }
  // A second context of a transaction carries the first one's number: rare, and left to SQL.
  Table* context = context_table();
  return !of_this_transaction(xid) && context->oid != InvalidOid &&
         ready(context, kContext, kContextFields) && context->known;
}

int64 context_of(int64 change) {
  if (settled && settled_for == this_transaction()) return settled_context;
  char xid[32];
  print_transaction(xid, sizeof(xid));
  if (!stands(xid)) {
    begin_context(change, xid);
    return change;
  }
  return std::strtoll(number, nullptr, 10);
}

}  // namespace vestige::native
