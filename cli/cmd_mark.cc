// mark: names for places in the trail.
#include "cli/change_text.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/mark.h"
#include "vestige/base/time.h"

namespace vestige::cli {
namespace {

const std::string* who(const Mark& one) {
  return one.written.has_value() ? one.written->who() : nullptr;
}

const std::string* reason(const Mark& one) {
  return one.written.has_value() ? one.written->context.get("reason") : nullptr;
}

Result<int> list_marks(Session& session, Database& db) {
  const auto all = TRY(marks(db));
  Output& output = session.output();
  if (output.format() == Format::json) {
    for (const Mark& one : all) output.json(to_json(one));
    return kDone;
  }
  const auto text = [](const std::string* word) { return word == nullptr ? "" : *word; };
  const auto when = [](const Mark& one) { return one.written.has_value() ? one.written->at : 0; };
  if (output.format() == Format::csv) {
    output.csv({"mark", "change", "marked_at", "who", "reason"});
    for (const Mark& one : all)
      output.csv({csv_text(one.name), std::to_string(one.change),
                  one.written.has_value() ? format_time(when(one)) : "", csv_text(text(who(one))),
                  csv_text(text(reason(one)))});
    return kDone;
  }
  Table table(output, {{.name = "mark", .elastic = true, .dear = true},
                       {.name = "after change", .right = true},
                       {.name = time_heading("made")},
                       {.name = "who", .elastic = true},
                       {.name = "reason", .elastic = true}});
  for (const Mark& one : all)
    table.row({{Label::name, one.name},
               {Label::plain, std::to_string(one.change)},
               {Label::plain, one.written.has_value() ? short_time(when(one)) : ""},
               {Label::plain, text(who(one))},
               {Label::plain, text(reason(one))}});
  table.end();
  if (all.empty()) session.say("there are no marks; next: vestige mark NAME");
  return kDone;
}

Result<int> run_mark(Session& session) {
  const Arguments& arguments = session.arguments();
  const auto& words = arguments.words();
  const bool deletes = arguments.has("--delete");
  if (words.empty() && !deletes && !arguments.has("--force"))
    return list_marks(session, *TRY(session.database()));
  if (words.empty() || (deletes && words.size() > 1) || (deletes && arguments.has("--force")))
    return hinted(
        fail(Fault::invalid, "mark: {}",
             words.empty() ? "the name is missing" : "what is taken away is named, and no more"),
        "vestige mark NAME [MOMENT], vestige mark --delete NAME");
  const Context context = TRY(arguments.context());
  Database& db = *TRY(session.database());
  if (deletes) {
    TRY(unmark(db, words.front(), context));
    session.say(fmt::format("mark '{}' is gone; what it was stays in the trail", words.front()));
    return kDone;
  }
  const Moment moment = words.size() > 1 ? TRY(session.moment(words[1])) : Moment{};
  const Mark made = TRY(mark(db, words.front(), moment, arguments.has("--force"), context));
  if (session.format() == Format::json) session.output().json(to_json(made));
  session.say(made.change == 0
                  ? fmt::format("marked '{}': before the first change", made.name)
                  : fmt::format("marked '{}': just after change {}", made.name, made.change));
  return kDone;
}

}  // namespace

Command mark_command() {
  return {
      .name = "mark",
      .group = "change",
      .summary = "give a place in the trail a name, or list the names",
      .arguments = "[NAME [MOMENT]]",
      .least = 0,
      .most = 2,
      .about =
          {"A mark is a moment with a name: wherever a moment is asked for (at, diff, restore), "
           "the name means just after the last change that there was when the mark was made, or "
           "just after the MOMENT that was given: a change, a time, tx:12, last, ~3. mark:NAME "
           "is the same where the name could mean something else.",
           "Marks stand in a table of the trail's own, which is recorded and sealed as others "
           "are: log shows who made, moved or took away which mark, and when.",
           "On PostgreSQL marks are made by members of vestige_admin and vestige_auditor."},
      .options = joined({{.names = "--force", .value = "", .summary = "move the mark of that name"},
                         {.names = "--delete", .value = "", .summary = "take the mark away"},
                         format_option()},
                        context_options()),
      .examples = {{"vestige mark \"before import\" --actor ann", "name what is so now"},
                   {"vestige diff products --from \"before import\"", "what the import did"},
                   {"vestige restore products --to \"before import\" --dry-run",
                    "how all of it would be undone"},
                   {"vestige mark \"the crash\" tx:812~", "just before transaction 812"}},
      .all_or_nothing = true,
      .run = run_mark,
  };
}

}  // namespace vestige::cli
