// Verify: how far the trail is proved, and all of it looked through on demand.
#include "server/api.h"
#include "vestige/audit/log.h"
#include "vestige/audit/metrics.h"
#include "vestige/audit/verify.h"
#include "vestige/base/json.h"
#include "vestige/base/time.h"
#include "vestige/merkle/checkpoint.h"
#include "vestige/trail/evidence_store.h"

namespace vestige::server {
namespace {

constexpr auto kToVerify = std::chrono::minutes(30);
constexpr std::uint64_t kEach = 1000;  // changes, between two words about how far it is

// Tells whoever asked what was found, as it is found.
class StreamSink final : public VerifySink {
 public:
  StreamSink(Writer& writer, std::uint64_t of) : writer_(writer), of_(of) {}

  Result<void> found(const Discrepancy& one) override { return say("finding", to_json(one)); }
  void step() override {
    if (++done_ % kEach == 0) (void)say("progress", progress());
  }
  std::string progress() const { return fmt::format(R"({{"done":{},"of":{}}})", done_, of_); }
  /// faults   internal: nobody listens any more, and nobody is told
  Result<void> say(std::string_view event, const std::string& data) {
    if (writer_.write(fmt::format("event: {}\ndata: {}\n\n", event, data)) && writer_.wanted())
      return {};
    return fail(Fault::internal, "verify: nobody listens any more");
  }

 private:
  Writer& writer_;
  std::uint64_t of_;
  std::uint64_t done_ = 0;
};

std::string error_json(const Error& error) {
  return fmt::format(R"({{"detail":{},"hint":{}}})", text_json(error.message),
                     error.hint.empty() ? "null" : text_json(error.hint));
}

// Whoever looks through it has the place of the one who may.
struct Verifying {
  std::shared_ptr<Call> call;
  std::unique_lock<std::mutex> alone;
  std::uint64_t of = 0;

  Result<void> send(Writer& writer) {
    const std::unique_lock<std::mutex> place(std::move(alone));  // until the last word, no longer
    Database& db = *TRY(call->db());
    StreamSink sink(writer, of);
    VerifyOptions options;
    options.trust = call->settings().trust;
    options.signers = call->settings().signers;
    TRY(sink.say("progress", sink.progress()));
    const auto verdict = verify(db, options, sink);
    if (!verdict.has_value())
      return sink.say("failed", error_json(call->explained(verdict.error())));
    return sink.say("done", to_json(*verdict));
  }
};

Result<std::string> checkpoint_json(Database& db, const Trust& trust) {
  const auto last = TRY(EvidenceStore(db).last_checkpoint());
  if (!last.has_value()) return "null";
  std::vector<std::string> signers;
  std::string trusted = "null";
  if (const auto opened = merkle::open_appended(last->note, trust.all_keys()); opened.has_value()) {
    for (const auto& one : opened->note.signatures) signers.push_back(one.name);
    if (!trust.keys.empty())
      trusted = open_trusted(last->note, trust).has_value() ? "true" : "false";
  }
  return fmt::format(
      R"({{"origin":{},"size":{},"at":"{}","signatures":{},"trusted":{},"note":{}}})",
      text_json(last->note.substr(0, last->note.find('\n'))), last->size, format_time(last->at),
      list_json(signers), trusted, text_json(last->note));
}

std::string unsealed_json(const std::vector<Metric>& numbers) {
  double count = 0;
  double age = 0;
  for (const Metric& one : numbers) {
    if (one.samples.empty()) continue;
    if (one.name == "vestige_unsealed_changes") count = one.samples.front().value;
    if (one.name == "vestige_unsealed_oldest_age_seconds") age = one.samples.front().value;
  }
  return fmt::format(R"("unsealed":{:.0f},"unsealed_more":{},"oldest_unsealed_seconds":{:.0f})",
                     count, count >= static_cast<double>(kMostUnsealed), age);
}

}  // namespace

Result<Answer> get_verify(Asked call) {
  Database& db = *TRY(call->db());
  // Who may read the trail need not see how many changes wait.
  std::string unsealed = R"("unsealed":null,"unsealed_more":null,"oldest_unsealed_seconds":null)";
  const auto numbers = metrics(db, clock_now());
  if (!numbers.has_value() && numbers.error().fault != Fault::denied)
    return tl::unexpected<Error>(numbers.error());
  if (numbers.has_value()) unsealed = unsealed_json(*numbers);
  const std::string checkpoint = TRY(checkpoint_json(db, call->settings().trust));
  return json_answer(fmt::format(R"({{"checkpoint":{},"sealed":{},{},"keys":{}}})", checkpoint,
                                 TRY(EvidenceStore(db).size()), unsealed,
                                 call->settings().trust.keys.size()));
}

Result<Answer> post_verify(Asked call) {
  auto verifying = std::make_shared<Verifying>();
  verifying->call = call;
  verifying->alone = std::unique_lock(call->shared().verifying, std::try_to_lock);
  if (!verifying->alone.owns_lock())
    return problem(503, "conflict", "the trail is being verified already",
                   "ask again when that is done");
  TRY(call->take_time(kToVerify));
  // Who may read neither the evidence nor a change is told so, and nothing is begun.
  Database& db = *TRY(call->db());
  verifying->of = TRY(EvidenceStore(db).size());
  LogRequest newest;
  newest.filter.limit = 1;
  TRY(TRY(log(db, newest))->next());
  Answer answer{.type = "text/event-stream"};
  answer.headers.emplace_back("X-Accel-Buffering", "no");
  answer.stream = [verifying](Writer& writer) { return verifying->send(writer); };
  return answer;
}

}  // namespace vestige::server
