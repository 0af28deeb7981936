// Change and Context: the record (docs/design.md, "What a change looks like").
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/result.h"
#include "vestige/record/value.h"

namespace vestige {

/// expire: as erase, where the retention of a table took all of them.
enum class Op { insert, update, remove, truncate, baseline, erase, expire };

inline constexpr std::array<std::string_view, 7> kOpNames = {
    "INSERT", "UPDATE", "DELETE", "TRUNCATE", "BASELINE", "ERASE", "EXPIRE"};

std::string_view name(Op op);
/// As it is stored: I, U, D, T, B, E, X.
std::string_view letter(Op op);
/// faults   invalid
Result<Op> op_from_name(std::string_view name);
/// faults   corrupt
Result<Op> op_from_letter(std::string_view letter);

/// A change of one row, or a look at it: neither TRUNCATE nor ERASE nor EXPIRE.
bool of_a_row(Op op);
/// It took parts of other changes: ERASE, EXPIRE.
bool takes_away(Op op);

/// The context fields that have a column of their own, in the order in which they are printed.
inline constexpr std::array<std::string_view, 11> kContextFields = {
    "actor",      "on_behalf_of", "reason",      "business_process", "request_id",  "session_id",
    "ip_address", "user_agent",   "auth_method", "auth_role",        "traceparent",
};

/// It is one of them.
bool is_context_field(std::string_view name);

/// The field of a context that has its signature.
inline constexpr std::string_view kSignatureField = "signature";

/// What that is worth (vestige/privacy/signed_context.h): the first two are good ones.
inline constexpr std::array<std::string_view, 9> kSignedWords = {
    "signed",  "bound",   "unsigned", "bad",   "unknown-signer",
    "expired", "foreign", "replayed", "erased"};

/// "signed" or "bound".
bool is_well_signed(std::string_view word);

/// Who, why and from where; absent fields are absent.
class Context {
 public:
  /// Any name is allowed; the eleven of kContextFields come first when printed, the rest follow by name.
  void set(std::string_view field, std::string value);
  /// nullptr when absent
  const std::string* get(std::string_view field) const;
  bool empty() const { return fields_.empty(); }
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// {"actor":"ann","reason":"sale"}
std::string to_json(const Context& context);

/// A part of a change that was erased, and the ERASE that took it.
struct ErasedPart {
  std::string part;  // "values", "key", "context"
  std::int64_t by = 0;
  bool operator==(const ErasedPart&) const = default;
};

struct Change {
  std::int64_t id = 0;
  std::int64_t at = 0;  // microseconds since 1970-01-01 UTC
  Op op = Op::insert;
  std::int64_t tx = 0;         // id of the first change of its transaction
  std::int64_t shape = 0;      // which version of the table's columns the values belong to
  std::string table;           // the tracked table's name today
  Row key;                     // the key columns and their values; empty for a table without a key
  std::optional<Row> new_key;  // only when the key itself changed
  std::optional<Row> old_values;  // null for INSERT, BASELINE, TRUNCATE, and where it was erased
  std::optional<Row> new_values;  // null for DELETE, TRUNCATE, and where it was erased
  std::optional<std::int64_t> row_id;  // SQLite's rowid, where it is not a column
  Context context;
  std::optional<std::string> db_user;  // the database's own name for who did it; SQLite has none
  std::vector<ErasedPart> erased;      // what of it is not there any more
  std::int64_t erases = 0;             // ERASE, EXPIRE: how many changes it took parts from
  std::optional<std::uint64_t> index;  // its place in the tree, where it was read in that order
  std::string signed_word;             // one of kSignedWords, where anybody asked (SignatureJudge)
  std::string unreadable;  // what of it cannot be read, and why; then it is shown as it is stored

  /// The columns of old_values, for an UPDATE; empty otherwise.
  std::vector<std::string> changed_fields() const;

  /// Who did it: the actor, or where none was said the database's user; nullptr when neither is known. Where its context was erased, who
  /// was said is not known any more, and the database's user is nobody's name: but Selection::who, which the databases look up in SQL,
  /// finds such a change by that user still.
  const std::string* who() const;

  /// It had values, and has none any more.
  bool lost_values() const;
  /// "its values were erased by change 1300"
  std::string how_lost() const;
  /// The ERASE that took a part of it.
  std::optional<std::int64_t> erased_by(std::string_view part) const;
};

/// One object, without newline: the contract of `--format json` (docs/json.md).
std::string to_json(const Change& change);

}  // namespace vestige
