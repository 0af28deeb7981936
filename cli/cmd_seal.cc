// seal: changes become evidence.
#include <charconv>

#include "cli/session.h"
#include "cli/stop.h"
#include "cli/trust.h"
#include "vestige/audit/seal.h"
#include "vestige/audit/tiles.h"
#include "vestige/base/file.h"
#include "vestige/base/time.h"
#include "vestige/trail/tracking.h"

namespace vestige::cli {
namespace {

constexpr double kSeconds = 1;
constexpr std::int64_t kPatience =
    10'000'000;  // microseconds that a transaction may be at work before it is named

Result<double> seconds(const Arguments& arguments) {
  const auto text = arguments.value("--every");
  if (!text.has_value()) return kSeconds;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size() || value < 0.01 || value > 86400)
    return fail(Fault::invalid, "--every: {} is no number of seconds from 0.01 to 86400", *text);
  return value;
}

class Publisher {
 public:
  explicit Publisher(Session& session)
      : session_(session),
        out_(session.arguments().value("--out")),
        tiles_(session.arguments().value("--tiles")) {}

  Result<void> publish(Database& db, const std::string& checkpoint) {
    if (checkpoint == last_) return {};
    if (tiles_.has_value()) TRY(write_tiles(db, *tiles_));
    if (out_.has_value()) TRY(replace_file(*out_, checkpoint));
    if (!last_.empty()) session_.output().text("\n");
    session_.output().text(checkpoint);
    session_.output().flush();
    last_ = checkpoint;
    return {};
  }

 private:
  Session& session_;
  std::optional<std::string> out_;
  std::optional<std::string> tiles_;
  std::string last_;
};

// One run: everything that can be sealed now; how many changes.
Result<std::uint64_t> run_once(Session& session, Sealer& sealer) {
  std::uint64_t sealed = 0;
  sealer.again();
  while (!sealer.done() && !stop_requested()) {
    const std::uint64_t count = TRY(sealer.batch());
    for (std::uint64_t i = 0; i < count; ++i) session.step();
    sealed += count;
    for (const Sequencer::Unreadable& one : sealer.unreadable())
      session.say(
          fmt::format("change {} cannot be read, and is sealed so: {}", one.change, one.why));
  }
  return sealed;
}

// The transaction whose changes wait longest, once that is long.
Result<std::string> waiting_text(Sealer& sealer) {
  const auto waiting = TRY(sealer.unfinished());
  if (waiting.empty() || clock_now() - waiting.front().since <= kPatience) return std::string();
  return fmt::format("what a {} recorded is sealed when it ends; it began at {}",
                     waiting.front().what, said_time(waiting.front().since));
}

Result<void> round(Session& session, Database& db, Sealer& sealer, Publisher& publisher) {
  TRY(run_once(session, sealer));
  if (const auto checkpoint = TRY(sealer.sign()); checkpoint.has_value())
    TRY(publisher.publish(db, *checkpoint));
  return {};
}

// An erasure that takes long, or another sealer, is waited for.
Result<int> follow(Session& session, Database& db, Sealer& sealer, Publisher& publisher) {
  const double every = TRY(seconds(session.arguments()));
  catch_stop_signals();
  std::string said;
  while (!stop_requested()) {
    const auto done = round(session, db, sealer, publisher);
    if (!done.has_value() && done.error().fault != Fault::conflict)
      return tl::unexpected<Error>(done.error());
    const std::string text =
        done.has_value() ? TRY(waiting_text(sealer)) : done.error().message + "; it is waited for";
    if (text != said && !text.empty()) session.say(text);
    said = text;
    if (!stop_requested()) sleep_until_stop(every);
  }
  return kDone;
}

Result<int> run_seal(Session& session) {
  const Arguments& arguments = session.arguments();
  const auto key = arguments.value("--key");
  if (!key.has_value())
    return hinted(fail(Fault::invalid, "seal: no key is given"),
                  "vestige keygen makes one; then vestige seal --key seal.key");
  TRY(seconds(arguments));
  merkle::NoteSigner signer = TRY(signer_from(*key, merkle::KeyKind::log));
  Database& db = *TRY(session.database());
  const auto sealer = TRY(Sealer::open(db, std::move(signer), *key + ".state"));
  Publisher publisher(session);
  if (arguments.has("--follow")) return follow(session, db, *sealer, publisher);
  const std::uint64_t sealed = TRY(run_once(session, *sealer));
  const auto checkpoint = TRY(sealer->sign());
  if (checkpoint.has_value()) TRY(publisher.publish(db, *checkpoint));
  session.say(fmt::format("{} sealed, {} in all",
                          counted(static_cast<std::int64_t>(sealed), "change"),
                          grouped(static_cast<std::int64_t>(sealer->size()))));
  if (sealer->unreadable_count() > 0)
    session.say(
        fmt::format("{} could not be read: vestige verify counts them",
                    counted(static_cast<std::int64_t>(sealer->unreadable_count()), "change")));
  if (const std::string text = TRY(waiting_text(*sealer)); !text.empty()) session.say(text);
  if (TRY(tracking_of(db)->log_has_more()))
    session.say(
        "somebody reads the database, so that its log of writes and its file have in clear what"
        " was encrypted now, or wraps that were destroyed: seal again when nobody does");
  return kDone;
}

}  // namespace

Command seal_command() {
  return {
      .name = "seal",
      .group = "prove",
      .summary = "seal what was recorded, and sign it",
      .about =
          {"Appends every committed change that is not sealed yet to the Merkle tree, in the order "
           "of "
           "the commits, and prints a signed checkpoint. Keep checkpoints where the database's "
           "administrators cannot write: against a kept one, verify finds whatever is changed "
           "later.",
           "Size and root of what was signed last are kept in a file beside the key (KEY.state). A "
           "tree that does not extend it is not signed. A key seals one trail; sealers that run "
           "side "
           "by side take turns. Nobody is held up, and nobody holds the sealer up: what a "
           "transaction recorded that is not at an end is sealed when it is, everything else now.",
           "--follow goes on until it is stopped, and prints each checkpoint as it is made."},
      .options = {{.names = "--key",
                   .value = "FILE",
                   .summary = "the private key, as vestige keygen made it"},
                  {.names = "--out",
                   .value = "FILE",
                   .summary = "the checkpoint goes to this file too, replaced in one step"},
                  {.names = "--tiles",
                   .value = "DIR",
                   .summary = "keep a static log there, as vestige tiles does"},
                  {.names = "--follow", .value = "", .summary = "go on, a run every second"},
                  {.names = "--every",
                   .value = "SECONDS",
                   .summary = "with --follow: the pause between two runs"}},
      .examples = {{"vestige seal --key seal.key > checkpoint.txt",
                    "seal, and keep the checkpoint"},
                   {"vestige seal --key seal.key --follow --out /srv/audit/checkpoint",
                    "as a service"}},
      .run = run_seal};
}

}  // namespace vestige::cli
