// witness: be one, or ask one.
#include <chrono>
#include <iostream>
#include <iterator>

#include "cli/printable.h"
#include "cli/session.h"
#include "cli/trust.h"
#include "cli/witness_client.h"
#include "cli/witness_state.h"
#include "server/http.h"
#include "vestige/audit/cosign.h"
#include "vestige/base/file.h"
#include "vestige/base/time.h"
#include "vestige/merkle/tile.h"

namespace vestige::cli {
namespace {

constexpr std::int64_t kMicros = 1000000;

std::uint64_t seconds_now() { return static_cast<std::uint64_t>(clock_now() / kMicros); }

Result<std::string> needed(const Session& session, std::string_view option,
                           std::string_view action) {
  auto value = session.arguments().value(option);
  if (!value.has_value()) return fail(Fault::invalid, "witness {}: {} is needed", action, option);
  return std::move(*value);
}

Result<int> make_key(Session& session) {
  const std::string name = TRY(needed(session, "--name", "keygen"));
  const std::string file = TRY(needed(session, "--out", "keygen"));
  const merkle::NoteKey key = TRY(make_key_file(file, name, merkle::KeyKind::cosignature));
  session.output().line({{Label::plain, merkle::to_vkey(key)}});
  session.say("the private key stands in " + file + "; the line above is the witness's public key");
  return kDone;
}

// A witness at work: its key, the logs that it knows, its state.
struct Witness {
  merkle::NoteSigner signer;
  std::vector<merkle::NoteKey> logs;
  WitnessState state;
};

Result<Witness> witness(const Session& session, std::string_view action) {
  const std::string key = TRY(needed(session, "--key", action));
  const std::string directory = TRY(needed(session, "--state", action));
  std::vector<merkle::NoteKey> logs = TRY(keys_of(session.arguments(), "--log"));
  if (logs.empty()) return fail(Fault::invalid, "witness {}: --log is needed", action);
  for (const merkle::NoteKey& log : logs)
    if (log.kind != merkle::KeyKind::log)
      return fail(Fault::invalid, "witness {}: {} is the key of a witness, not of a log", action,
                  merkle::to_vkey(log));
  merkle::NoteSigner signer = TRY(signer_from(key, merkle::KeyKind::cosignature));
  WitnessState state = TRY(WitnessState::open(directory));
  return Witness{std::move(signer), std::move(logs), std::move(state)};
}

Result<server::HttpAnswer> answered(Witness& self, const server::HttpRequest& request) {
  if (request.method == "POST" && request.path == "/add-checkpoint") {
    auto answer = TRY(self.state.answer(request.body, self.logs, self.signer, seconds_now()));
    return server::HttpAnswer{answer.status, std::move(answer.body), std::move(answer.type)};
  }
  if (request.method == "GET")
    if (auto note = TRY(self.state.shown(request.path.substr(1))))
      return server::HttpAnswer{200, *note};
  return server::HttpAnswer{404, "there is nothing here\n"};
}

// What the server answers; what goes wrong on this side is said here and not to the one who asked.
server::HttpAnswer handled(Witness& self, const server::HttpRequest& request) {
  auto answer = answered(self, request);
  if (answer.has_value()) return std::move(*answer);
  fmt::print(stderr, "vestige: {}\n", printable(answer.error().message));
  return {500, "the witness cannot answer\n"};
}

Result<int> serve(Session& session) {
  Witness self = TRY(witness(session, "serve"));
  const std::string address = TRY(needed(session, "--listen", "serve"));
  const std::string host = address.substr(0, address.rfind(':'));
  TRY(server::serve_http(
      address, [&](const server::HttpRequest& request) { return handled(self, request); },
      [&](int port) {
        session.say(fmt::format("{} listens on http://{}:{}/", self.signer.key().name, host, port));
      }));
  return kDone;
}

Result<int> cosign(Session& session) {
  Witness self = TRY(witness(session, "cosign"));
  const auto& words = session.arguments().words();
  if (words.size() != 2) return fail(Fault::invalid, "witness cosign: a REQUEST is needed");
  const std::string body = words[1] == "-"
                               ? std::string(std::istreambuf_iterator<char>(std::cin), {})
                               : TRY(file_bytes(words[1]));
  const auto answer = TRY(self.state.answer(body, self.logs, self.signer, seconds_now()));
  if (answer.status == 200) {
    session.output().text(answer.body);
    return kDone;
  }
  std::string why = answer.body.substr(0, answer.body.find('\n'));
  if (answer.status == 409) why = "the size that was cosigned last is " + why;
  session.say(fmt::format("refused ({}): {}", answer.status, why));
  return kNo;
}

// The witness that --url and --vkey name.
Result<merkle::Quorum::Witness> named_witness(const Session& session) {
  merkle::Quorum::Witness one;
  one.url = TRY(needed(session, "--url", "add"));
  const auto keys = TRY(keys_of(session.arguments(), "--vkey"));
  if (keys.size() != 1 || keys[0].kind != merkle::KeyKind::cosignature)
    return fail(Fault::invalid, "witness add: --vkey with the one key of the witness is needed");
  one.key = keys[0];
  return one;
}

// The witnesses of vestige.toml that have an address.
Result<std::vector<merkle::Quorum::Witness>> askable(const Trust& planned) {
  std::vector<merkle::Quorum::Witness> all;
  if (planned.quorum.has_value())
    for (const merkle::Quorum::Witness& one : planned.quorum->witnesses)
      if (!one.url.empty()) all.push_back(one);
  if (all.empty())
    return hinted(fail(Fault::invalid, "witness add: no witness is named"),
                  "give --url and --vkey, or write the addresses into vestige.toml: keys = "
                  "[\"VKEY http://…\"]");
  return all;
}

// Asks for the cosignature of the trail's own checkpoint, and keeps it there.
Result<void> obtain(TrailCheckpoint& checkpoint, const merkle::Quorum::Witness& witness) {
  if (TRY(checkpoint.signed_by(witness.key))) return {};
  const auto cosignature =
      TRY(ask_witness(witness.url, witness.key, checkpoint.note(),
                      [&](std::uint64_t old_size) { return checkpoint.proof_from(old_size); }));
  return checkpoint.keep(cosignature, witness.key);
}

// Asks each of them; one that does not answer does not keep the others from it.
Result<int> ask_all(Session& session, TrailCheckpoint& checkpoint, const Trust& planned,
                    const std::vector<merkle::Quorum::Witness>& witnesses) {
  for (const merkle::Quorum::Witness& one : witnesses)
    if (auto obtained = obtain(checkpoint, one); !obtained.has_value())
      session.say(one.key.name + ": " + obtained.error().message);
  session.output().text(checkpoint.note());
  const auto known = planned.all_keys();
  const auto opened = TRY(merkle::open_appended(checkpoint.note(), known));
  const auto enough = require_cosigned(opened.signatures, planned);
  if (!enough.has_value()) session.say(enough.error().message);
  return enough.has_value() ? kDone : kNo;
}

Result<int> add_to_trail(Session& session) {
  const auto& arguments = session.arguments();
  if (arguments.has("--url") || arguments.has("--vkey")) {
    const merkle::Quorum::Witness witness = TRY(named_witness(session));
    TrailCheckpoint checkpoint = TRY(TrailCheckpoint::newest(*TRY(session.database())));
    TRY(obtain(checkpoint, witness));
    session.output().text(checkpoint.note());
    return kDone;
  }
  const Trust planned = TRY(planned_trust());
  const auto witnesses = TRY(askable(planned));
  TrailCheckpoint checkpoint = TRY(TrailCheckpoint::newest(*TRY(session.database())));
  return ask_all(session, checkpoint, planned, witnesses);
}

Result<int> add(Session& session) {
  const auto& words = session.arguments().words();
  if (words.size() != 2) return add_to_trail(session);
  const merkle::Quorum::Witness witness = TRY(named_witness(session));
  const std::string note = TRY(file_bytes(words[1]));
  const std::uint64_t size = TRY(merkle::open_checkpoint(note, {})).checkpoint.size;
  const auto tiles = session.arguments().value("--tiles");
  const merkle::Nodes nodes = merkle::nodes_of(
      [&](const merkle::Tile& tile) -> Result<std::string> {
        if (!tiles.has_value())
          return hinted(fail(Fault::invalid, "witness add: the witness knows this log already"),
                        "give --tiles DIR, so that it can be shown that the log only grew");
        return file_bytes(*tiles + "/" + merkle::path(tile));
      },
      size);
  const auto cosignature =
      TRY(ask_witness(witness.url, witness.key, note, [&](std::uint64_t old_size) {
        return merkle::consistency_proof(old_size, size, nodes);
      }));
  session.output().text(cosignature.line());
  return kDone;
}

Result<int> run_witness(Session& session) {
  const std::string& action = session.arguments().words().front();
  if (action == "keygen") return make_key(session);
  if (action == "serve") return serve(session);
  if (action == "cosign") return cosign(session);
  if (action == "add") return add(session);
  return hinted(fail(Fault::invalid, "witness: unknown action '{}'", action),
                "one of keygen, serve, cosign, add");
}

}  // namespace

Command witness_command() {
  return {
      .name = "witness",
      .group = "prove",
      .summary = "act as a witness of checkpoints, or ask one",
      .arguments = "keygen | serve | cosign REQUEST | add [CHECKPOINT]",
      .least = 1,
      .most = 2,
      .about =
          {"A witness cosigns a checkpoint only when it extends the one that it cosigned before. "
           "So "
           "a log cannot show one history to one auditor and another to the next, unless the "
           "witness helps it. Run it on a machine that those who run the log do not rule.",
           "keygen makes its key (--name, --out) and prints the public half. serve answers "
           "add-checkpoint (C2SP tlog-witness) for the logs of --log and shows the last checkpoint "
           "of each origin under <hex sha256(origin)>/checkpoint; it ends on SIGINT or SIGTERM. "
           "cosign answers one request from a file, or - for stdin, without a server. add asks the "
           "witness at --url to cosign a checkpoint and prints the cosignature: a line to append "
           "to the checkpoint.",
           "add without a CHECKPOINT asks for the trail's own newest one: the witness at --url, or "
           "each witness of "
           "[evidence.witnesses] in vestige.toml that has an address. What it obtains is put "
           "behind the checkpoint "
           "in the trail, where verify and the receipts find it, and the checkpoint is printed. "
           "Exit 1 when fewer "
           "than vestige.toml demands have cosigned.",
           "What was cosigned is on the disk before anybody is answered. Exit 1 when cosign "
           "refuses."},
      .options =
          {{.names = "--name", .value = "NAME", .summary = "keygen: the name of the witness"},
           {.names = "--out", .value = "FILE", .summary = "keygen: where the private key goes"},
           {.names = "--key",
            .value = "FILE",
            .summary = "serve, cosign: the witness's private key"},
           {.names = "--state",
            .value = "DIR",
            .summary = "serve, cosign: what it remembers; one process at a time"},
           {.names = "--log",
            .value = "KEY",
            .summary = "serve, cosign: a log's public key, or a file of them",
            .repeated = true},
           {.names = "--listen",
            .value = "ADDRESS",
            .summary = "serve: 127.0.0.1:8080; port 0 takes any that is free"},
           {.names = "--url", .value = "URL", .summary = "add: where the witness listens"},
           {.names = "--vkey",
            .value = "KEY",
            .summary = "add: the witness's public key, or a file with it"},
           {.names = "--tiles",
            .value = "DIR",
            .summary = "add: the log's tiles, where the witness knows the log already"}},
      .actions = {{"keygen", "--name --out"},
                  {"serve", "--key --state --log --listen"},
                  {"cosign", "--key --state --log"},
                  {"add", "--url --vkey --tiles"}},
      .examples =
          {{"vestige witness keygen --name witness.example.org --out witness.key",
            "prints its public key"},
           {"vestige witness serve --key witness.key --state witness --log bank.vkey --listen "
            "127.0.0.1:8080",
            "be a witness"}},
      .run = run_witness};
}

}  // namespace vestige::cli
