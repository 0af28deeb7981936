// verify: check that nobody rewrote the record
#include <map>
#include <set>
#include <tuple>

#include "cli/session.h"
#include "cli/signers.h"
#include "cli/trust.h"
#include "vestige/audit/verify.h"
#include "vestige/base/file.h"

namespace vestige::cli {
namespace {

class Printer final : public VerifySink {
 public:
  explicit Printer(Session& session) : session_(session) {}

  Result<void> found(const Discrepancy& one) override {
    Output& output = session_.output();
    if (output.format() == Format::json) output.json(to_json(one));
    else output.line({{Label::bad, one.code + ": "}, {Label::plain, one.message}});
    return {};
  }
  void step() override { session_.step(); }

 private:
  Session& session_;
};

std::string many(std::uint64_t count, std::string_view noun) {
  return counted(static_cast<std::int64_t>(count), noun);
}

std::string signed_text(const Verdict& verdict) {
  std::string text = "the checkpoint is signed by a key that you trust";
  for (const std::string& name : verdict.witnesses)
    text += (&name == &*verdict.witnesses.begin() ? ", and cosigned by " : ", ") + name;
  return text;
}

// What is as it was sealed, and yet to be looked into.
void print_doubts(Output& output, const Verdict& verdict) {
  const auto more = [&](std::uint64_t count, std::size_t named) {
    if (count > named)
      output.line(
          {{Label::warning,
            fmt::format("and {} more", grouped(static_cast<std::int64_t>(count - named)))}});
  };
  for (const auto& [change, why] : verdict.unreadable_changes)
    output.line({{Label::warning,
                  fmt::format("change {} could not be read when it was sealed: {}", change, why)}});
  more(verdict.unreadable, verdict.unreadable_changes.size());
  for (const EarlyChange& one : verdict.early_changes)
    output.line(
        {{Label::warning,
          fmt::format("change {} says it was made at {}, much earlier than change {} before"
                      " it, at {}: it was put in with a false time, or the clock was set"
                      " back",
                      one.change, said_time(one.at), one.before, said_time(one.before_at))}});
  more(verdict.early, verdict.early_changes.size());
}

// What the signatures of contexts are worth.
void print_contexts(Output& output, const Verdict& verdict) {
  std::string text;
  bool good = true;
  for (const std::string_view word : kSignedWords) {
    const auto found = verdict.contexts.find(word);
    if (found == verdict.contexts.end()) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                        grouped(static_cast<std::int64_t>(found->second)), word);
    good = good && is_well_signed(word);
  }
  if (!text.empty())
    output.line({{good ? Label::good : Label::plain, "contexts of changes: " + text}});
  if (verdict.not_signed > 0)
    output.line({{Label::bad, fmt::format("not signed where a policy requires it: {}",
                                          many(verdict.not_signed, "transaction"))}});
}

// Of a table that may not be read nothing is known: neither yes nor no.
Result<int> answer(Session& session, const Verdict& verdict) {
  for (const auto& [table, why] : verdict.uncompared) {
    session.say(fmt::format("not compared: {}: {}", table, why.message));
    if (!why.hint.empty()) session.say("  → " + why.hint);
  }
  if (verdict.discrepancies != 0 || verdict.not_signed != 0) return kNo;
  if (verdict.uncompared.empty()) return kDone;
  return fail(Fault::denied, "verify --live: {} could not be compared",
              many(verdict.uncompared.size(), "table"));
}

std::string expired_text(const Expired& one) {
  return fmt::format("{} expired by change {} ({}, {}), digest matches{}{}",
                     many(one.changes, "change"), one.change, one.retention, one.keep,
                     one.archive.empty() ? "" : "; archive " + one.archive,
                     one.sealed ? "" : " (not sealed yet)");
}

// Those of a class together: on SQLite a night's run records many.
void print_expiries(Output& output, const Verdict& verdict) {
  std::map<std::tuple<std::string, std::string, bool>, std::vector<const Expired*>> classes;
  for (const Expired& one : verdict.expiries)
    classes[{one.retention, one.keep, one.sealed}].push_back(&one);
  for (const auto& [of, all] : classes) {
    if (all.size() == 1) {
      output.line({{Label::plain, expired_text(*all.front())}});
      continue;
    }
    std::uint64_t changes = 0;
    std::set<std::string> archives;
    for (const Expired* one : all) {
      changes += one->changes;
      if (!one->archive.empty()) archives.insert(one->archive);
    }
    const auto& [retention, keep, sealed] = of;
    output.line(
        {{Label::plain,
          fmt::format(
              "{} expired by {}, changes {} to {} ({}, {}), digests match{}{}",
              many(changes, "change"), many(all.size(), "EXPIRE"), all.front()->change,
              all.back()->change, retention, keep,
              archives.empty() ? "" : "; archives " + fmt::format("{}", fmt::join(archives, ", ")),
              sealed ? "" : " (not sealed yet)")}});
  }
}

void print_verdict(Session& session, const Verdict& verdict, bool keys) {
  Output& output = session.output();
  if (output.format() == Format::json) {
    output.json(to_json(verdict));
    return;
  }
  if (verdict.origin.empty()) {
    output.line(
        {{Label::warning, verdict.unsigned_entries > 0
                              ? "no signed checkpoint covers the trail: vestige seal signs one"
                              : "nothing is sealed"}});
  } else {
    output.line({{verdict.discrepancies == 0 ? Label::good : Label::plain,
                  fmt::format("{} {} as {} sealed", many(verdict.verified, "change"),
                              verdict.verified == 1 ? "is" : "are",
                              verdict.verified == 1 ? "it was" : "they were")},
                 {Label::plain,
                  fmt::format(", of {} under the checkpoint of {}",
                              grouped(static_cast<std::int64_t>(verdict.size)), verdict.origin)}});
    for (const Erasure& one : verdict.erasures)
      output.line({{Label::plain, fmt::format("{}: parts erased by change {}, {}reason: {}{}",
                                              many(one.erased, "change"), one.change,
                                              one.actor.empty() ? "" : "by " + one.actor + ", ",
                                              one.reason.empty() ? "none" : one.reason,
                                              one.sealed ? "" : " (not sealed yet)")}});
    print_expiries(output, verdict);
    if (verdict.parts > 0)
      output.line({{Label::plain, fmt::format("the archive has {}, and {} of the {} that expired",
                                              many(verdict.parts, "part"),
                                              grouped(static_cast<std::int64_t>(verdict.archived)),
                                              many(verdict.expired, "change"))}});
    if (verdict.signature) output.line({{Label::good, signed_text(verdict)}});
    else if (!keys)
      output.line({{Label::warning, "no signature was checked: give the log's key by --vkey"}});
    for (const std::string& name : verdict.kept)
      output.line({{Label::good, fmt::format("the trail extends {}", name)}});
  }
  for (const std::string& line : verdict.passed_over)
    output.line({{Label::warning, "passed over: " + line}});
  print_doubts(output, verdict);
  if (verdict.unsigned_entries > 0)
    output.line({{Label::warning, fmt::format("{} sealed and not signed yet: nothing proves them",
                                              many(verdict.unsigned_entries, "change"))}});
  if (verdict.unsealed > 0)
    output.line({{Label::warning, fmt::format("{} not sealed yet: nothing proves them",
                                              many(verdict.unsealed, "change"))}});
  print_contexts(output, verdict);
  if (verdict.discrepancies > 0)
    output.line({{Label::bad, fmt::format("this is NOT the trail that was sealed: {}",
                                          many(verdict.discrepancies, "finding"))}});
}

Result<int> run_verify(Session& session) {
  const Arguments& arguments = session.arguments();
  VerifyOptions options;
  bool keys = arguments.has("--vkey") || arguments.has("--policy");
  options.trust = keys ? TRY(trust_of(arguments)) : TRY(planned_trust());
  keys = keys || !options.trust.all_keys().empty();
  for (const std::string& path : arguments.values("--checkpoint")) {
    std::string text = TRY(file_bytes(path));
    options.kept.push_back({path, std::move(text)});
  }
  options.live = arguments.has("--live");
  options.archive = TRY(session.archive());
  Database& db = *TRY(session.database());
  options.signers = TRY(planned_signers());
  Printer printer(session);
  const Verdict verdict = TRY(verify(db, options, printer));
  print_verdict(session, verdict, keys);
  return answer(session, verdict);
}

constexpr const char* kBesides =
    "Where [context.signers] of vestige.toml says whose signatures of contexts count, it counts "
    "what those of the changes are worth, "
    "and exit 1 also tells of a change that has none which counts, of a table whose policy "
    "requires one (--require signature; "
    "docs/signed-context.md). With --archive, or [archive] of vestige.toml, trail and archive are "
    "one history: each part is held "
    "against its manifest, what was signed, and the trail's own entries, and what an EXPIRE says "
    "is archived must be there, but for "
    "what an ERASE took.";

}  // namespace

Command verify_command() {
  return {
      .name = "verify",
      .group = "prove",
      .summary = "check that nobody rewrote the record",
      .about =
          {"Holds every change against its entry, the entries against the Merkle tree, and the "
           "tree "
           "against the checkpoints: those in the trail, and those that you kept. Names each "
           "change "
           "that was altered, deleted, put in or given to somebody else, and goes on to the end. "
           "Exit 1 when anything is not as it was sealed.",
           "A checkpoint that was kept elsewhere is what makes this strong: who can write the "
           "database "
           "and has the key could seal another history. Without --vkey and --policy no signature "
           "is "
           "checked, unless [evidence] of vestige.toml names whom to trust; that is not looked "
           "into when one of them "
           "is given. A quorum of witnesses is demanded of the trail's newest checkpoint and of "
           "each kept one. "
           "What is not sealed yet is counted, and is not verified.",
           kBesides,
           "--live asks something else: is anything missing? It replays the trail and finds rows "
           "that were "
           "changed while triggers were off; and triggers, functions, guards and grants that are "
           "not as they were "
           "installed. A table that you may not read is named, and not judged: exit 3, when "
           "nothing "
           "else is found."},
      .options = {{.names = "--checkpoint",
                   .value = "FILE",
                   .summary = "a checkpoint that was kept: the trail must extend it",
                   .repeated = true},
                  {.names = "--vkey",
                   .value = "KEY",
                   .summary = "the log's public key, or a file with keys",
                   .repeated = true},
                  {.names = "--policy",
                   .value = "FILE",
                   .summary = "which logs are trusted, and which witnesses must have cosigned"},
                  {.names = "--archive",
                   .value = "DIR",
                   .summary = "the archive, too: each part, and that it has what expired into it"},
                  {.names = "--live",
                   .value = "",
                   .summary = "is anything missing? the trail replayed against the tables"},
                  format_option()},
      .examples = {{"vestige verify --vkey audit.vkey --checkpoint kept.txt",
                    "against a checkpoint that was kept"},
                   {"vestige verify --format json | jq .code", "for a machine"}},
      .run = run_verify};
}

}  // namespace vestige::cli
