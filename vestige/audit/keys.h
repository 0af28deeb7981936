// keys: whose private keys open what is encrypted, for whom it is wrapped anew, and its end (docs/privacy.md, "Months, and the end of
// a key"). Test: test/cli/keys.txt, test/cli/postgres/keys.txt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/record/change.h"
#include "vestige/trail/recipient.h"

namespace vestige {

/// A recipient, and what its private key opens.
struct RecipientUse {
  Recipient recipient;
  std::int64_t data_keys = 0;
  std::optional<std::int64_t> first;  // the changes from which the first and the last of these
  std::optional<std::int64_t> last;   // data keys are in use
};

/// By class and id, with those of whom no data key is left.
Result<std::vector<RecipientUse>> recipients_in_use(Database& db, std::string_view of = {});

struct Rewrapped {
  std::int64_t data_keys = 0;  // that were wrapped for somebody more
  std::int64_t wraps = 0;
  std::int64_t closed = 0;  // that the identity does not open
};

/// Wraps the data keys of a class for those recipients that it has now, too, as far as the identity opens them. Tokens, and so every
/// proof, stay as they are.
///
/// db       read with an identity (with_identity)
/// faults   invalid (it is not), missing (the class has no recipient), denied
Result<Rewrapped> rewrap(Database& db, const std::string& of, const std::function<void()>& step);

struct DestroyRequest {
  std::string of;
  std::int64_t upto = 0;  // data keys that are in use from this change on, or an earlier one
  bool dry_run = false;
};

/// A person: everything that was encrypted until now of rows that say of themselves that they are this one's.
struct DestroySubjectRequest {
  std::vector<std::string> tables;  // in which it is this one whom the value names
  std::string subject;              // the value's text
  bool dry_run = false;
};

struct Destroyed {
  std::int64_t data_keys = 0;
  std::vector<RecipientUse> ended;   // whose private keys open nothing else, of backups, too
  std::vector<RecipientUse> going;   // whose private keys open what is later, too
  std::vector<std::string> left;     // what has the wraps still, and what to do about it
  std::vector<std::string> of = {};  // of a person: the classes
};

/// Takes away every wrap of these data keys: then nobody reads in this database what was encrypted under them, whoever has a private
/// key. It is recorded, in a table of the trail's own. Backups have the wraps as long as they have them: whose private keys to destroy
/// for those, the answer says.
///
/// context  who and why: both are needed
/// faults   invalid (nobody says who, or why), missing (there are none), conflict (values wait for being encrypted), denied (a hold
///          keeps what they open; only who owns the trail may)
Result<Destroyed> destroy_keys(Database& db, const DestroyRequest& request, const Context& context);

/// The same of one person, in all classes. What is recorded of a subject from now on is encrypted anew, and can be read.
///
/// faults   as above; missing, too: a table that is not tracked, nothing is encrypted for that subject
Result<Destroyed> destroy_keys(Database& db, const DestroySubjectRequest& request,
                               const Context& context);

}  // namespace vestige
