#include "cli/outcome.h"

#include <cerrno>
#include <cstring>

#include "vestige/trail/changes.h"

namespace vestige::cli {

Result<void> PatchPrinter::statement(const std::string& sql) {
  session_.step();
  if (!session_.arguments().has("--dry-run")) return {};
  if (spool_ == nullptr) spool_.reset(std::tmpfile());
  const std::size_t size = sql.size();
  if (spool_ == nullptr || std::fwrite(&size, sizeof size, 1, spool_.get()) != 1 ||
      std::fwrite(sql.data(), 1, size, spool_.get()) != size)
    return fail(Fault::denied, "keep the patch in a temporary file: {}", std::strerror(errno));
  ++statements_;
  return {};
}

Result<void> PatchPrinter::print_patch(const Outcome& outcome) {
  if (spool_ == nullptr) return {};
  Output& output = session_.output();
  const bool json = session_.format() == Format::json;
  // On a terminal, of a long patch what a person wants to see first.
  constexpr std::int64_t kShort = 20;
  constexpr std::int64_t kShown = 10;
  const bool all =
      output.width() == 0 || json || statements_ <= kShort || session_.arguments().has("--patch");
  if (!all)
    session_.say(
        fmt::format("{} of {}, the first {}; --patch prints all", counted(statements_, "row"),
                    counted(static_cast<std::int64_t>(outcome.tables.size()), "table"), kShown));
  if (!json && all) output.statement("begin;");
  std::rewind(spool_.get());
  std::size_t size = 0;
  for (std::int64_t i = 0; output.wanted() && (all || i < kShown) &&
                           std::fread(&size, sizeof size, 1, spool_.get()) == 1;
       ++i) {
    std::string sql(size, '\0');
    if (std::fread(sql.data(), 1, size, spool_.get()) != size) break;
    if (json) output.json("{\"sql\":" + text_json(sql) + "}");
    else output.statement(sql);
  }
  if (std::ferror(spool_.get()) != 0)
    return fail(Fault::denied, "keep the patch in a temporary file: {}", std::strerror(errno));
  if (!json && all) output.statement("commit;");
  return {};
}

Result<void> PatchPrinter::outcome(const Outcome& outcome) {
  TRY(print_patch(outcome));
  if (session_.format() == Format::json)
    session_.output().json(to_json(outcome, session_.arguments().has("--dry-run"), false));
  return session_.output().written();
}

void PatchPrinter::refused(const Outcome& outcome) {
  if (session_.format() == Format::json)
    session_.output().json(to_json(outcome, session_.arguments().has("--dry-run"), true));
}

Option dry_run_option() {
  return {.names = "--dry-run",
          .value = "",
          .summary = "change nothing; print the SQL as a patch, one transaction"};
}

Option patch_option() {
  return {
      .names = "--patch", .value = "", .summary = "with --dry-run: all of it, also on a terminal"};
}

std::vector<Option> undo_options(std::vector<Option> first) {
  return joined(joined(std::move(first), context_options("--by")), {format_option()});
}

Result<ApplyOptions> apply_options(Session& session, Sink& patch) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("--force") && arguments.has("--skip-conflicts"))
    return fail(Fault::invalid, "{}: --force and --skip-conflicts exclude each other",
                session.command().name);
  ApplyOptions options;
  options.context = TRY(arguments.context("--by"));
  options.dry_run = arguments.has("--dry-run");
  if (arguments.has("--force")) options.on_conflict = OnConflict::force;
  if (arguments.has("--skip-conflicts")) options.on_conflict = OnConflict::skip;
  options.patch = &patch;
  return options;
}

void print_outcome(Session& session, const Outcome& outcome, const Wording& wording) {
  const bool dry_run = session.arguments().has("--dry-run");
  if (session.format() == Format::json) return;
  const bool forced = session.arguments().has("--force");
  for (const Conflict& conflict : outcome.conflicts)
    session.say(fmt::format("{}: {}{} {}: {}", forced ? "forced" : "skipped",
                            conflict.change == 0 ? "" : fmt::format("change {}, ", conflict.change),
                            conflict.table, key_text(conflict.key), conflict.what));
  for (const std::string& note : outcome.notes) session.say("note: " + note);
  if (outcome.applied == 0 && outcome.skipped == 0) return session.say("nothing to do");
  std::string text = dry_run ? "would have " + wording.undone : wording.undone;
  text += " " + counted(outcome.applied, wording.noun);
  if (outcome.skipped > 0) text += ", skipped " + counted(outcome.skipped, "conflict");
  if (outcome.tx.has_value() && !dry_run) text += fmt::format(", recorded as tx {}", *outcome.tx);
  session.say(text);
}

}  // namespace vestige::cli
