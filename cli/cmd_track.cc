// track: record the changes of tables, or change how they are recorded.
#include <algorithm>
#include <functional>
#include <set>

#include "cli/redacting.h"
#include "cli/session.h"
#include "cli/undone.h"
#include "vestige/base/nearest.h"
#include "vestige/record/cleared.h"
#include "vestige/trail/contexts.h"
#include "vestige/trail/install.h"
#include "vestige/trail/live_table.h"
#include "vestige/trail/retention.h"
#include "vestige/trail/spelling.h"
#include "vestige/trail/table_work.h"
#include "vestige/trail/track.h"

namespace vestige::cli {
namespace {

// ssn=phi,name=phi
Result<std::map<std::string, std::string>> encrypted(const Arguments& arguments) {
  std::map<std::string, std::string> out;
  for (const std::string& one : TRY(arguments.list("--encrypt"))) {
    const std::size_t place = one.rfind('=');
    if (place == std::string::npos)
      return hinted(fail(Fault::invalid, "track: --encrypt {} names no class of keys", one),
                    "--encrypt ssn=phi, and vestige keys generate --class phi --out phi.key");
    out[one.substr(0, place)] = one.substr(place + 1);
  }
  return out;
}

// Options that are given replace that part of the policy; the others leave it as it is.
Result<Policy> revised(Policy policy, const Arguments& arguments) {
  if (arguments.has("--include")) {
    policy.include = TRY(arguments.list("--include"));
    policy.exclude.clear();
  }
  if (arguments.has("--exclude")) {
    policy.exclude = TRY(arguments.list("--exclude"));
    policy.include.clear();
  }
  if (arguments.has("--redact")) policy.redact = TRY(arguments.list("--redact"));
  if (arguments.has("--encrypt")) policy.encrypt = TRY(encrypted(arguments));
  if (arguments.has("--subject")) policy.subject = arguments.text("--subject");
  if (arguments.has("--when")) policy.when = arguments.text("--when");
  if (arguments.has("--require")) policy.require = TRY(arguments.list("--require"));
  if (arguments.has("--key")) policy.key = TRY(arguments.list("--key"));
  if (arguments.has("--capture")) policy.full = arguments.text("--capture") == "full";
  if (arguments.has("--on-truncate")) policy.on_truncate = arguments.text("--on-truncate");
  if (arguments.has("--retention")) policy.retention = arguments.text("--retention");
  if (arguments.has("--classification")) policy.classification = arguments.text("--classification");
  if (arguments.has("--tags")) policy.tags = TRY(arguments.list("--tags"));
  return policy;
}

Result<void> check(const Arguments& arguments) {
  if (arguments.has("--include") && arguments.has("--exclude"))
    return fail(Fault::invalid, "track: --include and --exclude exclude each other");
  std::vector<std::string> to_encrypt;
  for (const auto& [column, of] : TRY(encrypted(arguments))) to_encrypt.push_back(column);
  for (const std::string& column : TRY(arguments.list("--unredact"))) {
    if (names_column(TRY(arguments.list("--redact")), column, true))
      return fail(Fault::invalid, "track: {} is named by --redact and by --unredact", column);
    if (names_column(to_encrypt, column, true))
      return fail(Fault::invalid, "track: {} is named by --encrypt and by --unredact", column);
  }
  if (arguments.has("--all") && !arguments.words().empty())
    return fail(Fault::invalid, "track: --all and tables exclude each other");
  if (!arguments.has("--all") && arguments.words().empty())
    return hinted(fail(Fault::invalid, "track: no table is named"),
                  "vestige track TABLE…, or vestige track --all");
  TRY(revised({}, arguments));
  return {};
}

// A class that has no time keeps forever: more often a slip than a wish.
Result<void> question_retention(Session& session, Database& db) {
  const std::string named = session.arguments().text("--retention");
  if (named.empty()) return {};
  std::vector<std::string> known;
  for (RetentionClass& one : TRY(retention_classes(db))) known.push_back(std::move(one.name));
  if (std::find(known.begin(), known.end(), named) != known.end()) return {};
  const std::string near = nearest(named, known);
  session.say(fmt::format("note: no class of retention is named {}: nothing expires{}", named,
                          near.empty() ? "; [retention] of vestige.toml gives it a time"
                                       : "; did you mean " + near + "?"));
  return {};
}

// A field that is required but that no option sets is more often a slip than a wish.
void question_fields(Session& session, const std::vector<std::string>& fields) {
  std::vector<std::string> known(kContextFields.begin(), kContextFields.end());
  known.emplace_back(kSignatureField);
  for (const std::string& field : fields) {
    if (std::find(known.begin(), known.end(), field) != known.end()) continue;
    const std::string near = nearest(field, known);
    session.say(fmt::format("note: {} is not one of the usual fields of the context{}", field,
                            near.empty() ? "" : "; did you mean " + near + "?"));
  }
}

std::string described(const Tracked& table) {
  std::string key;
  for (const Column& column : table.shape.key()) key += (key.empty() ? "" : ", ") + column.name;
  return fmt::format(
      "tracking {}: {}, {}", table.name,
      counted(static_cast<std::int64_t>(table.shape.columns.size()), "column"),
      key.empty() ? "no key (log, show and revert work, by whole rows)" : "key " + key);
}

// With --all, the columns that are named are those of any table: each takes the ones it has.
class Spread {
 public:
  explicit Spread(const Arguments& arguments) : all_(arguments.has("--all")) {}

  Result<Policy> policy(Database& db, const std::string& name, const Policy& before,
                        const Arguments& arguments) {
    Policy policy = TRY(revised(before, arguments));
    if (!all_ || !names_columns(arguments)) return policy;
    const LiveTable live = TRY(live_table(db, name));
    if (arguments.has("--include")) policy.include = here(live, policy.include);
    if (arguments.has("--exclude")) policy.exclude = here(live, policy.exclude);
    if (arguments.has("--redact")) policy.redact = here(live, policy.redact);
    if (arguments.has("--encrypt"))
      std::erase_if(policy.encrypt,
                    [&](const auto& one) { return here(live, {one.first}).empty(); });
    if (arguments.has("--key")) {
      const auto key = here(live, policy.key);
      policy.key = key.size() == policy.key.size() ? key : before.key;
    }
    return policy;
  }

  /// faults   missing: a column that no table has
  Result<void> check(const Arguments& arguments) const {
    if (!all_) return {};
    for (const char* option : {"--include", "--exclude", "--redact", "--key"})
      for (const std::string& column : TRY(arguments.list(option)))
        if (!found_.contains(column))
          return fail(Fault::missing, "track --all: no table has a column {}", column);
    return {};
  }

 private:
  static bool names_columns(const Arguments& arguments) {
    return arguments.has("--include") || arguments.has("--exclude") || arguments.has("--redact") ||
           arguments.has("--encrypt") || arguments.has("--key");
  }
  std::vector<std::string> here(const LiveTable& live, const std::vector<std::string>& columns) {
    std::vector<std::string> out;
    for (const std::string& column : columns)
      if (live.find(column) != nullptr) {
        out.push_back(column);
        found_.insert(column);
      }
    return out;
  }

  bool all_;
  std::set<std::string> found_;
};

// What is done to each of the tables, and what there is to say of it.
struct Wish {
  std::string name;
  Policy policy;
  bool known = false;                      // it is tracked already
  std::vector<std::string> redacted = {};  // columns that were not so far
  std::string report = {};
};

Result<std::vector<Wish>> wishes(Database& db, const Arguments& arguments) {
  const std::vector<Tracked> before = TRY(tracked_tables(db));
  std::vector<std::string> names;
  if (arguments.has("--all")) names = TRY(trackable_tables(db));
  for (const std::string& word : arguments.words())
    names.push_back(TRY(meant_table(db, word)).value_or(word));
  std::vector<Wish> wishes;
  Spread spread(arguments);
  for (const std::string& name : names) {
    // Those still tracked stand before those that are not.
    const auto last = std::find_if(before.begin(), before.end(),
                                   [&](const Tracked& one) { return one.name == name; });
    const bool tracked = last != before.end() && !last->untracked_at.has_value();
    Policy policy = TRY(spread.policy(db, name, tracked ? last->policy : Policy(), arguments));
    Wish& wish = wishes.emplace_back(Wish{name, std::move(policy), tracked});
    if (last == before.end()) continue;
    TRY(leave_redacted(db, name, last->policy, arguments, wish.policy));
    wish.redacted = cleared(wish.policy, last->policy, spelling_of(db).any_case);
  }
  if (!names.empty()) TRY(spread.check(arguments));
  return wishes;
}

Result<void> fulfil(Database& db, Wish& wish, bool with_baseline) {
  auto done = track(db, wish.name, wish.policy);
  if (!done.has_value() && done.error().fault == Fault::missing && wish.known &&
      !live_table(db, wish.name).has_value())
    return hinted(tl::unexpected<Error>(std::move(done).error()),
                  fmt::format("vestige untrack {} keeps its history", wish.name));
  const Tracked table = TRY(std::move(done));
  wish.report = described(table);
  if (with_baseline)
    wish.report += ", " + counted(TRY(baseline(db, table)), "row") + " in the baseline";
  return {};
}

// What is done to a table, under the context that was given: where changes of policies are recorded it says who and why.
Result<void> under(Database& db, const Context& context,
                   const std::function<Result<void>()>& work) {
  if (context.empty()) return work();
  const auto contexts = contexts_of(db);
  TRY(contexts->begin(context));
  TRY(work());
  return contexts->clear();
}

Result<int> run_track(Session& session) {
  const Arguments& arguments = session.arguments();
  TRY(check(arguments));
  const std::string patience = TRY(lock_timeout(arguments));
  const Context context = TRY(arguments.context());
  Database& db = *TRY(session.database());
  TRY(require_trail(db));
  std::vector<Wish> wanted;
  TableWork work;
  work.begin = [&]() -> Result<std::vector<std::string>> {
    wanted = TRY(wishes(db, arguments));
    std::vector<std::string> names;
    for (const Wish& wish : wanted) names.push_back(wish.name);
    return names;
  };
  work.table = [&](std::size_t place) {
    return under(db, context,
                 [&] { return fulfil(db, wanted[place], arguments.has("--baseline")); });
  };
  work.tell = [&](std::size_t done, std::size_t of) { session.step(done, of); };
  const auto undone = TRY(table_by_table(db, work, patience));
  TRY(maintain(db));
  for (const Undone& one : undone) wanted[one.place].report.clear();
  for (const Wish& wish : wanted)
    if (!wish.report.empty()) {
      session.say(wish.report);
      TRY(tell_of_clear(session, db, wish.name, wish.redacted));
    }
  question_fields(session, TRY(arguments.list("--require")));
  TRY(question_retention(session, db));
  if (wanted.empty()) session.say("there is no table to track in " + db.where());
  TRY(left_undone(session, "track", undone, wanted.size()));
  return kDone;
}

Result<int> run_untrack(Session& session) {
  const auto& words = session.arguments().words();
  const std::string patience = TRY(lock_timeout(session.arguments()));
  const Context context = TRY(session.arguments().context());
  Database& db = *TRY(session.database());
  TRY(require_trail(db));
  TableWork work;
  work.begin = [&]() -> Result<std::vector<std::string>> {
    std::vector<std::string> names;
    for (const std::string& word : words) names.push_back(TRY(tracked_table(db, word)).name);
    return names;
  };
  std::vector<bool> done(words.size(), true);
  work.table = [&](std::size_t place) {
    return under(db, context, [&] { return untrack(db, words[place]); });
  };
  const auto undone = TRY(table_by_table(db, work, patience));
  for (const Undone& one : undone) done[one.place] = false;
  for (std::size_t place = 0; place < words.size(); ++place)
    if (done[place])
      session.say(fmt::format("no longer tracking {}; its history stays", words[place]));
  TRY(left_undone(session, "untrack", undone, words.size()));
  return kDone;
}

}  // namespace

Command track_command() {
  return {
      .name = "track",
      .group = "set up",
      .summary = "record every change of tables, whoever makes it",
      .arguments = "TABLE… | --all",
      .least = 0,
      .most = kAny,
      .about =
          {"From now on every INSERT, UPDATE and DELETE of the tables is recorded in the same "
           "transaction as the change itself, whichever program makes it. Several tables are "
           "tracked in one transaction on SQLite: all of them or none. On PostgreSQL each is "
           "tracked in its own, so that writers of the others do not wait; a table that "
           "somebody holds is tried again, and said to be left when that goes on. What is done "
           "stays done: run it again for the rest (exit 3).",
           "Running it again changes the policy and keeps the history: options that are given "
           "replace that part of the policy, the others leave it as it is, and an empty value "
           "clears it (--exclude ''). A column that is redacted or encrypted stays so: a list "
           "of --redact or --encrypt without it is refused, and --unredact names it. Lists are "
           "separated by commas; a name that contains a comma stands in double quotes. With "
           "--all, each table takes the columns that it has; a column that no table has is an "
           "error."},
      .options = joined(
          {{.names = "--all", .value = "", .summary = "every table that can be tracked"},
           {.names = "--include",
            .value = "COLUMNS",
            .summary = "record only these, and the key",
            .repeated = true},
           {.names = "--exclude",
            .value = "COLUMNS",
            .summary = "record all but these",
            .repeated = true},
           {.names = "--redact",
            .value = "COLUMNS",
            .summary = "of these record that they changed, and never a value",
            .repeated = true},
           {.names = "--unredact",
            .value = "COLUMNS",
            .summary = "of redacted or encrypted ones, record these in clear from now on",
            .repeated = true},
           {.names = "--encrypt",
            .value = "COLUMN=CLASS",
            .summary = "of these record values that only the private key of the class opens",
            .repeated = true},
           {.names = "--subject",
            .value = "COLUMN",
            .summary = "with --encrypt: it says whose a row is, so that keys destroy reaches one "
                       "person"},
           {.names = "--when",
            .value = "SQL",
            .summary = "record a change only if this holds, e.g. 'NEW.price > 100'"},
           {.names = "--require",
            .value = "FIELDS",
            .summary = "refuse changes without these fields of the context, e.g. actor,reason",
            .repeated = true},
           {.names = "--key",
            .value = "COLUMNS",
            .summary = "what identifies a row; otherwise the primary key",
            .repeated = true},
           {.names = "--capture",
            .value = "WHAT",
            .summary = "of an UPDATE, record its changes (the default) or the full new row",
            .choices = {"changes", "full"}},
           {.names = "--on-truncate",
            .value = "WHAT",
            .summary = "of a TRUNCATE (PostgreSQL), record every row, mark it only, or deny it",
            .choices = {"rows", "mark", "deny"}},
           {.names = "--baseline",
            .value = "",
            .summary = "record the rows that are there now, too"},
           {.names = "--retention",
            .value = "NAME",
            .summary = "the class of retention: how long its history is kept"},
           {.names = "--classification",
            .value = "NAME",
            .summary = "how confidential its values are, e.g. PHI"},
           {.names = "--tags",
            .value = "TAGS",
            .summary = "words for reports, e.g. SOX,GDPR",
            .repeated = true},
           lock_timeout_option()},
          context_options()),
      .examples = {{"vestige track products --tags SOX --exclude updated_at",
                    "track a table, all but a noisy column"},
                   {"vestige track accounts --require actor,reason",
                    "refuse changes of accounts that do not say who and why"},
                   {"vestige track --all --baseline",
                    "track everything, and record what is there now"}},
      .run = run_track};
}

Command untrack_command() {
  return {.name = "untrack",
          .group = "set up",
          .summary = "stop recording tables; their history stays",
          .arguments = "TABLE…",
          .least = 1,
          .most = kAny,
          .about = {"Drops the triggers of the tables. What was recorded stays and can be read. "
                    "`vestige track` takes up the history again. On PostgreSQL each table has a "
                    "transaction of its own, as with track."},
          .options = joined({lock_timeout_option()}, context_options()),
          .examples = {{"vestige untrack products", "stop recording products"}},
          .run = run_untrack};
}

}  // namespace vestige::cli
