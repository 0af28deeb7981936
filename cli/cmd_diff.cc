// diff: what differs between two moments, in a row, a table, or all of them.
#include "cli/change_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/diff.h"
#include "vestige/base/json.h"
#include "vestige/trail/changes.h"

namespace vestige::cli {
namespace {

// Of a whole table each line says which row it is of.
void print_csv(Output& output, const Diff& diff, bool keyed) {
  const auto side = [](const std::optional<Value>& value) {
    return value.has_value() ? csv_field(*value) : "";
  };
  for (const Difference& one : diff.differences) {
    std::vector<std::string> fields = {csv_text(one.column), side(one.from), side(one.to)};
    if (keyed) fields.insert(fields.begin(), csv_text(to_json(diff.key)));
    output.csv(fields);
  }
}

void print_text(Output& output, const Diff& diff) {
  output.line({{Label::name, diff.table + " " + key_text(diff.key)}});
  if (!diff.from.has_value()) output.line({{Label::faint, "  the row was not there before"}});
  if (!diff.to.has_value()) output.line({{Label::faint, "  the row was not there afterwards"}});
  for (const Difference& one : diff.differences) {
    Pair pair = {one.from.has_value() ? value_text(*one.from) : "",
                 one.to.has_value() ? value_text(*one.to) : ""};
    if (one.from.has_value() && one.to.has_value()) pair = pair_text(*one.from, *one.to);
    if (one.from.has_value())
      output.line({{Label::before, "  - " + one.column + ": " + pair.before}});
    if (one.to.has_value()) output.line({{Label::after, "  + " + one.column + ": " + pair.after}});
  }
}

Result<int> one_row(Session& session, Database& db, const Moment& from, const Moment& to) {
  const Arguments& arguments = session.arguments();
  const Diff found = TRY(diff(db, arguments.words().front(), arguments.words_from(1), from, to));
  if (session.format() == Format::json) {
    session.output().json(to_json(found));
  } else if (session.format() == Format::csv) {
    session.output().csv({"column", "from", "to"});
    print_csv(session.output(), found, false);
  } else if (!found.differences.empty()) {
    print_text(session.output(), found);
  }
  if (!found.from.has_value() && !found.to.has_value())
    session.say("the row was not there at either moment");
  else if (found.differences.empty()) session.say("no difference");
  TRY(session.say_limits(found.table, from));
  return kDone;
}

Result<int> whole_table(Session& session, Database& db, const Moment& from, const Moment& to) {
  Diffs diffs = TRY(Diffs::read(db, session.arguments().words().front(), from, to));
  Output& output = session.output();
  if (session.format() == Format::csv) output.csv({"key", "column", "from", "to"});
  bool any = false;
  while (output.wanted()) {
    const auto found = TRY(diffs.next());
    if (!found.has_value()) break;
    any = true;
    session.step();
    if (session.format() == Format::json) output.json(to_json(*found));
    else if (session.format() == Format::csv) print_csv(output, *found, true);
    else print_text(output, *found);
  }
  if (!any && output.wanted()) session.say("no difference");
  TRY(session.say_limits(diffs.table().name, from));
  return kDone;
}

class DiffStatPrinter {
 public:
  explicit DiffStatPrinter(Output& output)
      : output_(output),
        table_(output, {{.name = "table"},
                        {.name = "added", .right = true},
                        {.name = "changed", .right = true},
                        {.name = "removed", .right = true},
                        {.name = "columns", .elastic = true}}) {
    if (output_.format() == Format::csv)
      output_.csv({"table", "added", "changed", "removed", "columns"});
  }

  void print(const DiffStat& stat) {
    if (output_.format() == Format::json)
      return output_.json(fmt::format(
          R"({{"table":{},"added":{},"changed":{},"removed":{},"columns":{}}})",
          text_json(stat.table), stat.added, stat.changed, stat.removed, list_json(stat.columns)));
    if (output_.format() == Format::csv)
      return output_.csv({csv_text(stat.table), std::to_string(stat.added),
                          std::to_string(stat.changed), std::to_string(stat.removed),
                          csv_text(list_json(stat.columns))});
    table_.row({{Label::name, stat.table},
                {Label::insert, grouped(stat.added)},
                {Label::update, grouped(stat.changed)},
                {Label::remove, grouped(stat.removed)},
                {Label::name, fmt::format("{}", fmt::join(stat.columns, ", "))}});
  }
  void end() { table_.end(); }

 private:
  Output& output_;
  Table table_;
};

Result<DiffStat> stat(Session& session, Database& db, const std::string& table, const Moment& from,
                      const Moment& to) {
  Diffs diffs = TRY(Diffs::read(db, table, from, to));
  DiffStat stat{.table = diffs.table().name};
  while (const auto found = TRY(diffs.next())) {
    stat.add(*found);
    session.step();
  }
  return stat;
}

// Of one table, or of each that is or was tracked and has rows that differ.
Result<int> run_stat(Session& session, Database& db, const Moment& from, const Moment& to) {
  const auto& words = session.arguments().words();
  DiffStatPrinter printer(session.output());
  if (!words.empty()) {
    printer.print(TRY(stat(session, db, words.front(), from, to)));
    printer.end();
    TRY(session.say_limits(words.front(), from));
    return kDone;
  }
  bool any = false;
  std::vector<std::string> keyless;
  for (const Tracked& table : TRY(tracked_tables(db))) {
    if (table.shape.key().empty()) {
      keyless.push_back(table.name);
      continue;
    }
    const DiffStat found = TRY(stat(session, db, table.name, from, to));
    if (!found.empty()) printer.print(found);
    any = any || !found.empty();
  }
  printer.end();
  if (!any) session.say("no difference");
  if (!keyless.empty())
    session.say(
        fmt::format("note: tracked without a key, and left out: {}", fmt::join(keyless, ", ")));
  return kDone;
}

Result<int> run_diff(Session& session) {
  const Arguments& arguments = session.arguments();
  const std::size_t words = arguments.words().size();
  if (words == 0 && !arguments.has("--stat"))
    return hinted(fail(Fault::invalid, "diff: TABLE is missing"),
                  "usage: " + usage(session.command()) + "; --stat alone is of every table");
  if (words > 1 && arguments.has("--stat"))
    return fail(Fault::invalid, "diff: --stat is of tables, and there is a KEY");
  if (!arguments.has("--from"))
    return hinted(fail(Fault::invalid, "diff: --from is missing"),
                  "give a moment: --from 3, --from 2026-01-01, --from 7d, --from last~3");
  const Moment from = TRY(session.moment(arguments.text("--from")));
  const Moment to = TRY(session.moment(arguments.value("--to").value_or("now")));
  Database& db = *TRY(session.database());
  session.output().long_text();
  if (arguments.has("--stat")) return run_stat(session, db, from, to);
  return words == 1 ? whole_table(session, db, from, to) : one_row(session, db, from, to);
}

}  // namespace

Command diff_command() {
  return {
      .name = "diff",
      .group = "look",
      .summary = "what differs between two moments, in a row, a table, or all of them",
      .arguments = "TABLE [KEY…] | --stat [TABLE]",
      .least = 0,
      .most = kAny,
      .about =
          {"A moment is a change id (the row just after that change), a time (see log), now, "
           "last (just after the last change), or tx:12 (just after that transaction). ~ goes "
           "back: 17~ is just before change 17, tx:12~ just before the transaction, last~3, or "
           "~3 alone, three changes before the last. What is none of these is a mark (see mark).",
           "Of a table without a KEY it shows each row that came, went, or is not what it was, "
           "in key order; one whose key changed as one that went and one that came. --stat "
           "counts them, of one table or of all."},
      .options = {{.names = "--from", .value = "MOMENT", .summary = "the earlier moment"},
                  {.names = "--to",
                   .value = "MOMENT",
                   .summary = "the later moment; now, unless it is given"},
                  {.names = "--stat",
                   .value = "",
                   .summary = "how many rows of which table were added, changed, removed"},
                  format_option()},
      .examples = {{"vestige diff products 1 --from 3 --to 17", "between two changes"},
                   {"vestige diff products 1 --from 7d", "since a week ago"},
                   {"vestige diff products --from tx:12~ --to tx:12",
                    "what a transaction did to a table"},
                   {"vestige diff --stat --from yesterday", "what became of everything"}},
      .run = run_diff};
}

}  // namespace vestige::cli
