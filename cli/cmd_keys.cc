// keys: those that encrypted columns are encrypted for.
#include "cli/counts.h"
#include "cli/keys.h"
#include "cli/session.h"
#include "cli/table.h"
#include "vestige/audit/keys.h"
#include "vestige/base/file.h"
#include "vestige/base/time.h"
#include "vestige/db/database.h"
#include "vestige/encryption/key_file.h"
#include "vestige/trail/context.h"
#include "vestige/trail/entry_times.h"
#include "vestige/trail/install.h"
#include "vestige/trail/recipient.h"

namespace vestige::cli {
namespace {

Result<int> generate(Session& session) {
  const auto of = session.arguments().value("--class");
  const auto path = session.arguments().value("--out");
  if (!of.has_value() || !path.has_value() || session.arguments().words().size() != 1)
    return hinted(fail(Fault::invalid, "keys generate: --class and --out are needed"),
                  "vestige keys generate --class phi --out phi.key");
  TRY(check_class(*of));
  const NewKey key = TRY(make_key(*of, format_time(clock_now())));
  auto made = make_private_file(*path, key.file.bytes());
  if (!made.has_value() && made.error().fault == Fault::conflict)
    return hinted(
        fail(Fault::conflict, "make {}: the file is there, and a key is never overwritten", *path),
        "name another file");
  TRY(std::move(made));
  session.output().line({{Label::plain, key.recipient}});
  session.say("the private key stands in " + *path +
              "; keep it from the database, and keep it: without it nobody opens what is encrypted "
              "for class " +
              *of +
              "; the line above is the public half: it goes to keys add, or into "
              "vestige.toml");
  return kDone;
}

Context said_by(const Arguments& arguments) {
  Context context;
  if (const auto who = arguments.value("--by"); who.has_value()) context.set("actor", *who);
  if (const auto why = arguments.value("--reason"); why.has_value()) context.set("reason", *why);
  return context;
}

Result<int> add(Session& session) {
  const auto& words = session.arguments().words();
  if (words.size() != 3)
    return hinted(fail(Fault::invalid, "keys add: which class, and which recipient?"),
                  "vestige keys add phi 'age1…', as vestige keys generate printed it");
  const auto from = TRY(session.arguments().time("--from"));
  Database& db = *TRY(session.database());
  TRY(require_trail(db));
  auto scope = TRY(ContextScope::begin(db, said_by(session.arguments())));
  TRY(add_recipient(db, words[1], words[2], from));
  TRY(scope.commit());
  // Of what is encrypted already it opens nothing, whatever --from says.
  const bool later = from.has_value() && *from > clock_now();
  session.say(fmt::format("what is encrypted for class {} from {} on, this key opens", words[1],
                          later ? said_time(*from) : "now"));
  return kDone;
}

std::string age_of(const std::string& public_key) {
  return public_key.substr(0, public_key.find(' '));
}

std::string use_json(const RecipientUse& one) {
  const auto number = [](const std::optional<std::int64_t>& value) {
    return value.has_value() ? std::to_string(*value) : "null";
  };
  const Recipient& recipient = one.recipient;
  return fmt::format(
      R"({{"class":{},"recipient":{},"id":{},"since":"{}","until":{},"data_keys":{},"first_change":{},"last_change":{}}})",
      text_json(recipient.of), text_json(recipient.public_key), recipient.id,
      format_time(recipient.since),
      recipient.until.has_value() ? text_json(format_time(*recipient.until)) : "null",
      one.data_keys, number(one.first), number(one.last));
}

Result<int> list_keys(Session& session) {
  const auto& words = session.arguments().words();
  Database& db = *TRY(session.database());
  const auto all = TRY(recipients_in_use(db, words.size() > 1 ? words[1] : ""));
  Output& output = session.output();
  Table table(output, {{.name = "class"},
                       {.name = "recipient", .elastic = true},
                       {.name = time_heading("since")},
                       {.name = "until"},
                       {.name = "data keys", .right = true},
                       {.name = "first used", .right = true},
                       {.name = "last key", .right = true}});
  const auto number = [](const std::optional<std::int64_t>& value) {
    return Piece{Label::id, value.has_value() ? std::to_string(*value) : ""};
  };
  if (output.format() == Format::csv)
    output.csv(
        {"class", "recipient", "since", "until", "data_keys", "first_change", "last_change"});
  for (const RecipientUse& one : all) {
    const auto& until = one.recipient.until;
    if (output.format() == Format::json) output.json(use_json(one));
    if (output.format() == Format::csv)
      output.csv({csv_text(one.recipient.of), csv_text(age_of(one.recipient.public_key)),
                  format_time(one.recipient.since), until.has_value() ? format_time(*until) : "",
                  std::to_string(one.data_keys), number(one.first).text, number(one.last).text});
    if (output.format() != Format::table) continue;
    table.row({{Label::name, one.recipient.of},
               {Label::plain, age_of(one.recipient.public_key)},
               {Label::plain, minute_time(one.recipient.since)},
               {Label::plain, until.has_value() ? minute_time(*until) : ""},
               {Label::plain, grouped(one.data_keys)},
               number(one.first),
               number(one.last)});
  }
  table.end();
  if (all.empty()) session.say("nothing is encrypted for anybody");
  return kDone;
}

Result<std::string> class_named(const Arguments& arguments, const std::string& example) {
  if (arguments.words().size() != 2)
    return hinted(fail(Fault::invalid, "keys {}: which class?", arguments.words()[0]), example);
  return arguments.words()[1];
}

Result<int> wrap_anew(Session& session) {
  const std::string of =
      TRY(class_named(session.arguments(), "vestige keys rewrap phi --identity phi.key"));
  const Rewrapped done = TRY(rewrap(*TRY(session.database()), of, [&session] { session.step(); }));
  session.say(
      done.wraps == 0
          ? "every data key of class " + of + " that it opens is wrapped for whom the class has"
          : fmt::format("wrapped {} of class {} anew", counted(done.data_keys, "data key"), of));
  if (done.closed != 0)
    session.say(counted(done.closed, "data key") + " the identity does not open");
  return done.closed == 0 ? kDone : kNo;
}

// Of whose private keys to be rid, too.
void say_backups(Session& session, const Destroyed& done) {
  for (const RecipientUse& one : done.ended)
    session.say("backups have the wraps still: destroy the private key of " +
                age_of(one.recipient.public_key) + ", which opens nothing else");
  for (const RecipientUse& one : done.going)
    session.say("backups have the wraps still, and the private key of " +
                age_of(one.recipient.public_key) + " opens what is later, too: keep it");
}

void say_end(Session& session, const Destroyed& done, const std::string& what) {
  const bool dry_run = session.arguments().has("--dry-run");
  session.say(fmt::format("{} {} of {}", dry_run ? "would destroy" : "destroyed",
                          counted(done.data_keys, "data key"), what));
  for (const std::string& left : done.left) session.say(left);
}

// The words are the tables that have rows of the person.
Result<int> destroy_of_subject(Session& session) {
  const Arguments& arguments = session.arguments();
  DestroySubjectRequest request{.subject = arguments.text("--subject"),
                                .dry_run = arguments.has("--dry-run")};
  request.tables.assign(arguments.words().begin() + 1, arguments.words().end());
  if (arguments.has("--until"))
    return hinted(fail(Fault::invalid, "keys destroy: --until and --subject exclude each other"),
                  "--subject means all that was encrypted of one person until now");
  if (request.tables.empty() || request.subject.empty())
    return hinted(
        fail(Fault::invalid, "keys destroy: whose, and in which tables?"),
        "vestige keys destroy patients visits --subject 17 --by dpo --reason 'request 12'");
  const Destroyed done = TRY(destroy_keys(*TRY(session.database()), request, said_by(arguments)));
  say_end(session, done,
          fmt::format("subject {} in {}", request.subject, fmt::join(request.tables, ", ")));
  session.say(
      fmt::format("backups have the wraps still, and whoever has a private key of class {} reads"
                  " there what it was: keep them no longer than that may be",
                  fmt::join(done.of, ", ")));
  if (request.dry_run) session.say("nothing was changed");
  return kDone;
}

Result<int> destroy(Session& session) {
  const Arguments& arguments = session.arguments();
  if (arguments.has("--subject")) return destroy_of_subject(session);
  DestroyRequest request{.of = TRY(class_named(arguments,
                                               "vestige keys destroy phi --until 2026-12 --by dpo"
                                               " --reason 'kept for two years'"))};
  const auto until = TRY(arguments.time("--until"));
  if (!until.has_value())
    return hinted(fail(Fault::invalid, "keys destroy: up to when?"), "--until 2026-12");
  if (*until > clock_now())
    return hinted(fail(Fault::invalid,
                       "keys destroy: --until is still to come, and what is "
                       "encrypted until now would go, too"),
                  "name a time that is over, or now: it cannot be undone");
  request.dry_run = arguments.has("--dry-run");
  Database& db = *TRY(session.database());
  TRY(require_trail(db));
  request.upto = TRY(last_counted_before(db, *until));
  const Destroyed done = TRY(destroy_keys(db, request, said_by(arguments)));
  say_end(session, done,
          fmt::format("class {}, in use from change {} on or earlier", request.of, request.upto));
  say_backups(session, done);
  if (request.dry_run) session.say("nothing was changed");
  return kDone;
}

Result<int> run_keys(Session& session) {
  const auto& words = session.arguments().words();
  const std::string action = words.empty() ? "" : words.front();
  if (action == "generate") return generate(session);
  if (action == "add") return add(session);
  if (action == "list") return list_keys(session);
  if (action == "rewrap") return wrap_anew(session);
  if (action == "destroy") return destroy(session);
  return hinted(fail(Fault::invalid, "keys: '{}' is nothing that can be done", action),
                "generate, add, list, rewrap or destroy");
}

}  // namespace

Command opened(Command command) {
  command.options.push_back({.names = "--identity",
                             .value = "FILE",
                             .summary = "the private key that opens encrypted values: whoever "
                                        "uses it is recorded first"});
  return command;
}

Command keys_command() {
  return {
      .name = "keys",
      .group = "set up",
      .summary = "make keys for encrypted columns, say whom to encrypt for, and destroy them",
      .arguments =
          "generate | add CLASS RECIPIENT | list [CLASS] | rewrap CLASS | destroy CLASS | "
          "destroy TABLE… --subject VALUE",
      .least = 1,
      .most = kAny,
      .about = {"generate makes the pair of keys of a class: the private one goes into a file "
                "(mode 0600, never overwritten) that the database never sees, the public one is "
                "printed. The file is an identity of age, which opens with it what Vestige "
                "wraps, too.",
                "add tells the trail whom values of that class are encrypted for from now on, "
                "besides those whom it was told before; recipient under [keys.CLASS] in "
                "vestige.toml says the only one. Which columns are encrypted is said by track "
                "--encrypt, or encrypt in vestige.toml. With --from a key begins then, and those "
                "that stand then end: a key for each month, added for a year ahead.",
                "list shows whose private keys open what; rewrap wraps what the identity opens for "
                "those that the class has now, too, which is recorded first.",
                "destroy takes away the wrapped data keys of before a time: whoever has a private "
                "key, nobody reads in this database what was encrypted under them, and every proof "
                "holds. It says whose private keys to destroy so that no backup is read either. "
                "With --subject it takes those of one person, of tables whose policy says whose a "
                "row is (track --subject). What only an archive has is asked whether it is held "
                "where --archive or vestige.toml names it. docs/privacy.md tells the whole."},
      .options = {{.names = "--class", .value = "NAME", .summary = "the class of keys"},
                  {.names = "--out", .value = "FILE", .summary = "where the private key goes"},
                  {.names = "--from",
                   .value = "TIME",
                   .summary = "add: it begins then, and those that stand then end"},
                  {.names = "--identity",
                   .value = "FILE",
                   .summary = "rewrap: the private key that opens what there is"},
                  {.names = "--until",
                   .value = "TIME",
                   .summary = "destroy: data keys that were in use before that"},
                  {.names = "--subject",
                   .value = "VALUE",
                   .summary =
                       "destroy: those of the rows that are this one's, of the tables that are "
                       "named"},
                  {.names = "--dry-run",
                   .value = "",
                   .summary = "destroy: change nothing; say what would go"},
                  {.names = "--by", .value = "NAME", .summary = "who does it"},
                  {.names = "--reason", .value = "TEXT", .summary = "why: recorded for good"},
                  {.names = "--purpose",
                   .value = "TEXT",
                   .summary = "rewrap: what for, as it is recorded"},
                  format_option()},
      .actions = {{"generate", "--class --out"},
                  {"add", "--from --by --reason"},
                  {"list", ""},
                  {"rewrap", "--identity --by --purpose"},
                  {"destroy", "--until --subject --dry-run --by --reason --archive"}},
      .examples =
          {{"vestige keys generate --class phi --out phi.key", "prints the public half"},
           {"vestige keys add phi 'age1…' --by ann --reason 'key of 2027'",
            "encrypt for that one, too"},
           {"vestige keys add phi \"$(cat phi-2027-01.txt)\" --from 2027-01", "the key of a month"},
           {"vestige keys destroy phi --until 2025-01 --by dpo --reason 'kept for two years'",
            "nobody reads any more what is older"},
           {"vestige keys destroy patients visits --subject 17 --by dpo --reason 'request 12'",
            "nobody reads any more what was encrypted of patient 17"}},
      .all_or_nothing = true,
      .run = run_keys};
}

}  // namespace vestige::cli
