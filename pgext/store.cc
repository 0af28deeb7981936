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

// What the session says of itself, and what the portable engine left as a hint of what it wrote down. A session can set both as
// it likes: that they were set is news here, and what they say of the trail is not believed (docs/decisions/0012).
char* given = nullptr;
char* state = nullptr;

// The context that stands, as long as nothing is heard that may have changed it.
struct Standing {
  bool known;
  uint64 transaction;
  Oid user;
  Oid role;
  int64 id;
};
Standing standing = {};
// The last transaction in which the trail may have contexts already: there the first one is not ours to write.
uint64 begun_in = 0;
bool hinting = false;

uint64 transaction_so_far() { return U64FromFullTransactionId(GetTopFullTransactionIdIfAny()); }

void on_given(const char*, void*) { standing.known = false; }

void on_state(const char*, void*) {
  if (hinting) return;
  standing.known = false;
  if (const uint64 now = transaction_so_far(); now != 0) begun_in = now;
}

void on_transaction(XactEvent event, void*) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
    end_ids();
}

void on_subtransaction(SubXactEvent event, SubTransactionId, SubTransactionId, void*) {
  if (event == SUBXACT_EVENT_ABORT_SUB) standing.known = false;
}

void settle(int64 id) {
  standing = {true, this_transaction(), GetSessionUserId(), GetCurrentRoleId(), id};
  begun_in = standing.transaction;
}

bool stands() {
  return standing.known && standing.transaction == this_transaction() &&
         standing.user == GetSessionUserId() && standing.role == GetCurrentRoleId();
}

// The trail knows: of contexts that the portable engine wrote, of further ones, and of comments that say who it is.
int64 ask_trail(int64 change) {
  Oid types[] = {INT8OID};
  List* name = list_make2(makeString(pstrdup("vestige")), makeString(pstrdup("native_context")));
  const Oid function = LookupFuncName(name, 1, types, false);
  return DatumGetInt64(OidFunctionCall1(function, Int64GetDatum(change)));
}

Datum text_or_null(const char* value, bool* null) {
  *null = value == nullptr || *value == '\0';
  return *null ? Datum{0} : CStringGetTextDatum(value);
}

void hint(const char* name, const char* value) {
  hinting = true;
  PG_TRY();
  {
    (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                            false);
  }
  PG_FINALLY();
  { hinting = false; }
  PG_END_TRY();
}

void begin_context(int64 id) {
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
  // The hints of vestige.begin_context, for triggers of the portable engine.
  hint("vestige.place", psprintf("(%u,%u)", ItemPointerGetBlockNumber(&row->t_self),
                                 ItemPointerGetOffsetNumber(&row->t_self)));
  hint("vestige.state", psprintf(UINT64_FORMAT " %s %s", this_transaction(),
                                 role == nullptr ? "none" : role, given_context()));
  pfree(row);
}

void define(const char* name, const char* what, char** value, GucStringAssignHook hook) {
  DefineCustomStringVariable(name, what, nullptr, value, "", PGC_USERSET, GUC_NOT_IN_SAMPLE,
                             nullptr, hook, nullptr);
}

// Whether SQL is to read the comment of a statement.
bool commented() {
  if (*given_context() != '\0') return false;
  const char* asked = GetConfigOption("vestige.sqlcommenter", true, false);
  return asked != nullptr && std::strcmp(asked, "on") == 0;
}

}  // namespace

void watch_store() {
  define("vestige.context", "Who changes rows, why and from where, as a JSON object.", &given,
         on_given);
  define("vestige.state", "A hint of what the transaction's last context was written for.", &state,
         on_state);
  begun_in = transaction_so_far();
  RegisterSubXactCallback(on_subtransaction, nullptr);
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
  if (stands()) return true;
  // Where the trail is asked, too, it must not be waited for later: the change has its time then.
  Table* context = context_table();
  const bool fits =
      context->oid != InvalidOid && ready(context, kContext, kContextFields) && context->known;
  return fits || begun_in == this_transaction() || commented();
}

int64 context_of(int64 change) {
  if (stands()) return standing.id;
  int64 id = change;
  if (begun_in == this_transaction() || commented()) {
    id = ask_trail(change);
  } else {
    begin_context(change);
  }
  settle(id);
  return id;
}

uint64 this_transaction() { return U64FromFullTransactionId(GetTopFullTransactionId()); }

void record_elsewhere() {
  standing.known = false;
  begun_in = this_transaction();
}

}  // namespace vestige::native
