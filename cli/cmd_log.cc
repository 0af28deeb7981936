// log and show: what happened.
#include <algorithm>

#include "cli/change_printer.h"
#include "cli/change_text.h"
#include "cli/filter.h"
#include "cli/follow.h"
#include "cli/session.h"
#include "cli/signers.h"
#include "cli/stat_text.h"
#include "vestige/audit/log.h"
#include "vestige/audit/stat.h"

namespace vestige::cli {
namespace {

// "-5" before anything else is no table: at most 5.
bool is_count(const std::string& word) {
  return word.size() > 1 && word[0] == '-' &&
         word.find_first_not_of("0123456789", 1) == std::string::npos;
}

// --since and --until: times, or moments that the trail has names for. What is after a mark is what was recorded after it.
Result<void> choose_times(Session& session, Selection& selection) {
  const Arguments& arguments = session.arguments();
  const auto named = [&](std::string_view option) -> Result<std::optional<std::int64_t>> {
    auto time = arguments.time(option);
    if (time.has_value()) return std::optional<std::int64_t>();
    const auto moment = session.moment(arguments.text(option));
    if (!moment.has_value() && moment.error().fault == Fault::invalid)
      return tl::unexpected(std::move(time).error());
    return std::optional(TRY(resolve(*TRY(session.database()), TRY(moment))));
  };
  selection.after = TRY(named("--since"));
  selection.upto = TRY(named("--until"));
  if (!selection.after.has_value()) selection.since = TRY(arguments.time("--since"));
  if (!selection.upto.has_value()) selection.until = TRY(arguments.time("--until"));
  return {};
}

Result<LogRequest> log_request(Session& session) {
  const Arguments& arguments = session.arguments();
  LogRequest request;
  request.filter = TRY(filter(arguments));
  TRY(choose_times(session, request.filter));
  request.filter.limit = TRY(arguments.number("--limit")).value_or(0);
  request.filter.oldest_first = arguments.has("--reverse");
  std::vector<std::string> words = arguments.words();
  if (!words.empty() && is_count(words.front())) {
    if (request.filter.limit != 0)
      return fail(Fault::invalid, "log: {} and --limit, which is given too", words.front());
    request.filter.limit = TRY(parse_number("the limit", words.front().substr(1)));
    words.erase(words.begin());
  }
  if (words.empty()) return request;
  if (words.front().empty()) return fail(Fault::invalid, "log: the name of the table is empty");
  request.table = words.front();
  request.key.assign(words.begin() + 1, words.end());
  return request;
}

Result<void> require_one_form(const Arguments& arguments) {
  const int forms = static_cast<int>(arguments.has("--stat")) +
                    static_cast<int>(arguments.has("--patch")) +
                    static_cast<int>(arguments.has("--oneline"));
  if (forms > 1)
    return hinted(fail(Fault::invalid, "log: --stat, -p and --oneline are three forms of it"),
                  "choose one");
  return {};
}

// "no changes", or that a second table stands where a key is meant.
Result<int> say_nothing(Session& session, Database& db, const LogRequest& asked) {
  for (const std::string& word : asked.key)
    if (const auto table = TRY(meant_table(db, word)); table.has_value())
      return hinted(
          fail(Fault::invalid, "log: {} has no row {}, which is a table", asked.table, word),
          "one table at a time");
  session.say("no changes");
  return kDone;
}

// What a long list was, in one line under it: how many, and when the first and the last were made.
class Summary {
 public:
  void add(std::int64_t from, std::int64_t upto) {
    from_ = count_ == 0 ? from : std::min(from_, from);
    upto_ = count_ == 0 ? upto : std::max(upto_, upto);
    ++count_;
  }
  std::int64_t count() const { return count_; }

  /// On a terminal, when it is longer than a person sees at once; everywhere when it was asked for; for people only.
  void say(Session& session, std::string_view noun) const {
    constexpr std::int64_t kSeen = 20;
    const bool asked = session.arguments().has("--summary");
    if (session.format() != Format::table || count_ == 0) return;
    if (!asked && (session.output().width() == 0 || count_ <= kSeen)) return;
    session.say(
        fmt::format("{}, {} to {}", counted(count_, noun), said_time(from_), said_time(upto_)));
  }

 private:
  std::int64_t count_ = 0;
  std::int64_t from_ = 0;
  std::int64_t upto_ = 0;
};

Result<int> run_stat(Session& session, Database& db, LogRequest asked) {
  const std::int64_t limit = std::exchange(asked.filter.limit, 0);
  const bool oldest_first = std::exchange(asked.filter.oldest_first, false);
  TransactionStats stats(TRY(log(db, asked)));
  StatPrinter printer(session.output());
  std::vector<TransactionStat> held;
  Summary summary;
  const auto print = [&](const TransactionStat& stat) {
    summary.add(stat.from, stat.upto);
    printer.print(stat);
  };
  while (session.output().wanted() && (oldest_first || limit == 0 || summary.count() < limit)) {
    auto stat = TRY(stats.next());
    if (!stat.has_value()) break;
    session.step();
    if (oldest_first) held.push_back(*std::move(stat));
    else print(*stat);
  }
  if (limit != 0 && held.size() > static_cast<std::size_t>(limit))
    held.erase(held.begin(), held.end() - limit);
  for (; !held.empty() && session.output().wanted(); held.pop_back()) print(held.back());
  printer.end();
  summary.say(session, "transaction");
  return summary.count() == 0 && session.output().wanted() ? say_nothing(session, db, asked)
                                                           : kDone;
}

Result<int> follow_log(Session& session, Database& db, const LogRequest& asked) {
  ChangePrinter printer(session.output(), change_form(session.arguments(), asked));
  return follow(session, db, asked,
                {.print = [&](const Change& change) { printer.print(change); },
                 .settle = [&] { printer.settle(); }});
}

Result<int> run_log(Session& session) {
  const Arguments& arguments = session.arguments();
  TRY(require_one_form(arguments));
  TRY(check_follow(arguments));
  LogRequest asked = TRY(log_request(session));
  Database& db = *TRY(session.database());
  asked.filter.judge = TRY(planned_judge(db));
  if (follows(arguments)) return follow_log(session, db, asked);
  Output& output = session.output();
  output.long_text();
  if (arguments.has("--stat")) return run_stat(session, db, asked);
  auto changes = TRY(log(db, asked));
  ChangePrinter printer(output, change_form(arguments, asked));
  Summary summary;
  while (output.wanted()) {
    const std::optional<Change> change = TRY(changes->next());
    if (!change.has_value()) break;
    session.step();
    summary.add(change->at, change->at);
    printer.print(*change);
  }
  printer.end();
  if (output.wanted()) summary.say(session, "change");
  if (output.wanted() && !asked.table.empty() && asked.filter.limit == 0)
    TRY(session.say_expired(asked.table));
  return !printer.any() && output.wanted() ? say_nothing(session, db, asked) : kDone;
}

// More changes than a person reads: what they are, first.
constexpr std::size_t kMany = 100;

Result<void> print_summary(Session& session, Database& db, const LogRequest& asked, bool all) {
  TransactionStats stats(TRY(log(db, asked)));
  const auto stat = TRY(stats.next());
  if (!stat.has_value()) return {};
  StatPrinter printer(session.output());
  printer.print(*stat);
  printer.end();
  if (all) session.output().line({});
  else
    session.say(fmt::format("{} changes: vestige show --tx {} --all prints each",
                            grouped(stat->changes), stat->tx));
  return {};
}

// The first changes of a stream, as many as are wanted.
Result<std::vector<Change>> first_of(Changes& changes, std::size_t most) {
  std::vector<Change> first;
  while (first.size() < most) {
    auto change = TRY(changes.next());
    if (!change.has_value()) break;
    first.push_back(*std::move(change));
  }
  return first;
}

Result<int> show_transaction(Session& session, std::int64_t tx) {
  LogRequest asked;
  asked.filter.tx = tx;
  Database& db = *TRY(session.database());
  asked.filter.judge = TRY(planned_judge(db));
  LogRequest in_order = asked;
  in_order.filter.oldest_first = true;
  auto changes = TRY(log(db, in_order));
  std::vector<Change> held = TRY(first_of(*changes, kMany + 1));
  if (held.empty()) return fail(Fault::missing, "show tx {}: no such transaction", tx);
  const bool many = session.format() == Format::table && held.size() > kMany;
  const bool all = !many || session.arguments().has("--all");
  if (many) {
    changes.reset();
    TRY(print_summary(session, db, asked, all));
    held.clear();
    if (all) changes = TRY(log(db, in_order));
  }
  if (all) {
    ChangePrinter printer(session.output(), {.whole = true});
    for (const Change& change : held) printer.print(change);
    while (session.output().wanted()) {
      const std::optional<Change> change = TRY(changes->next());
      if (!change.has_value()) break;
      session.step();
      printer.print(*change);
    }
  }
  TRY(session.say_neighbours(tx, "show"));
  return kDone;
}

Result<int> run_show(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("--tx") == !arguments.words().empty())
    return hinted(fail(Fault::invalid, "show: name either changes or a --tx"),
                  "usage: " + usage(session.command()));
  session.output().long_text();
  if (const auto tx = TRY(arguments.number("--tx"))) return show_transaction(session, *tx);
  std::vector<std::int64_t> ids;
  for (const std::string& word : arguments.words())
    ids.push_back(TRY(parse_number("the change", word)));
  Database& db = *TRY(session.database());
  const auto judge = TRY(planned_judge(db));
  std::vector<Change> found;
  for (const std::int64_t id : ids) found.push_back(TRY(show(db, id, judge)));
  ChangePrinter printer(session.output(), {.whole = true});
  for (const Change& change : found) printer.print(change);
  return kDone;
}

constexpr const char* kKey =
    "KEY is the row's identity: the values of the key columns in their order, or "
    "column=value for each. The history of a row follows it when its key changes, in both "
    "directions. All conditions that are given must hold; of an option that is given more "
    "than once, any of its values will do.";

constexpr const char* kNull =
    "null is NULL, 'null' the word. SQLite lets several rows have a NULL in their key: "
    "rowid=7 says which; it also names a row of a table without a key.";

constexpr const char* kFilter =
    "FILTER is made of conditions that all hold: table: key: op: column: who: db_user: "
    "since: until: tx: id: tag: class: text: value: and the fields of the context, each with "
    "a value or several, as in op:update,delete; value:TEXT is met where TEXT came or went. "
    "old.COLUMN, new.COLUMN and key.COLUMN are compared by : != < <= > >=. A word alone is a text "
    "that "
    "something recorded contains. * stands for any letters, - before a condition for not, "
    "quotes for what has spaces: -who:batch reason:\"price list\" old.price>100. "
    "docs/filter.md has it all.";

constexpr const char* kFollow =
    "--follow prints the feed: each change once, in the one order that the tree has, with "
    "its index, a moment after its commit. --after takes the last index that is known "
    "already. What is recorded gets its place by whoever seals or follows; who may not do "
    "that (PostgreSQL: a vestige_reader) sees what others do. --consumer keeps the last index "
    "in the trail under a name, and goes on behind it the next time: without --follow it "
    "prints what is new and ends. What was printed when it was killed comes again, with "
    "the same index. `vestige status` shows how far each consumer is.";

constexpr const char* kTime =
    "TIME is an RFC 3339 time (2026-01-01T12:00:00Z), a date or a month (2026-01), an age "
    "(15m, 1.5h, '2 hours ago', 7d, 1mo, 1y), today, yesterday, monday, each also with a "
    "time of day ('yesterday 09:30'), 09:30 (the last one), @1767268800 (seconds since "
    "1970), or now; without a zone it is in that of --tz or $TZ, or the system's. log also takes "
    "the other moments: a mark, tx:12, last~3 (see diff).";

}  // namespace

Command log_command() {
  return {
      .name = "log",
      .group = "look",
      .summary = "what happened: to everything, a table, or a row; newest first",
      .arguments = "[TABLE [KEY…]]",
      .least = 0,
      .most = kAny,
      .about = {kKey, kNull, kFilter, kFollow, kTime},
      .options =
          joined(filter_options(),
                 {{.names = "--tx", .value = "N", .summary = "changes of a transaction"},
                  {.names = "-n, --limit",
                   .value = "N",
                   .summary = "at most N changes, or with --stat transactions; also -N, "
                              "before the table"},
                  {.names = "--stat",
                   .value = "",
                   .summary = "transactions: what each did to which table, one a line"},
                  {.names = "-p, --patch",
                   .value = "",
                   .summary = "every value; of long texts the words, and of JSON the places, "
                              "that differ"},
                  {.names = "--oneline",
                   .value = "",
                   .summary = "one line a change, as short as it can be"},
                  {.names = "--reverse", .value = "", .summary = "oldest first"},
                  {.names = "--summary",
                   .value = "",
                   .summary = "how many they were, and from when to when, also where they do not "
                              "go to a terminal"},
                  {.names = "-f, --follow",
                   .value = "",
                   .summary = "print what is committed from now on, as it comes, until it is "
                              "stopped"},
                  {.names = "--after",
                   .value = "INDEX",
                   .summary = "with --follow: everything behind that place of the feed; -1: "
                              "from its beginning"},
                  {.names = "--consumer",
                   .value = "NAME",
                   .summary = "what this consumer had not yet; its place is kept in the trail"},
                  format_option()}),
      .examples = {{"vestige log products 1", "the history of one row"},
                   {"vestige log --actor manager_john --since 7d", "what somebody did this week"},
                   {"vestige log --stat -5",
                    "the last five transactions: who did what to which "
                    "tables"},
                   {"vestige log -S 'refund' --since 30d",
                    "where a text was put into the data, or taken out of it"},
                   {"vestige log -q 'table:products -who:import new.price<1000'",
                    "prices under 10.00 that somebody else than the import set"},
                   {"vestige log --consumer nightly --format json",
                    "what is new since this was asked last"},
                   {"vestige log --follow --format json --after 1206",
                    "the feed, for a program that has seen index 1206"},
                   {"vestige log order_items order_id=7 line=2 --column quantity --format json",
                    "one column of a row with a key of two columns, for a machine"}},
      .run = run_log};
}

Command show_command() {
  return {
      .name = "show",
      .group = "look",
      .summary = "changes in full, or everything that a transaction did",
      .arguments = "ID… | --tx N",
      .least = 0,
      .most = kAny,
      .about = {"Prints changes with every recorded value and the whole context; a transaction's "
                "changes in the order in which they were made. Of a transaction with more than 100 "
                "changes it says, to people, what they did to which table."},
      .options = {{.names = "--tx", .value = "N", .summary = "the changes of a transaction"},
                  {.names = "--all", .value = "", .summary = "each of them, also of more than 100"},
                  format_option()},
      .examples = {{"vestige show 17", "one change"},
                   {"vestige show --tx 12 --format json", "a transaction, for a machine"}},
      .run = run_show};
}

}  // namespace vestige::cli
