#include "vestige/audit/report_basis.h"

#include "vestige/audit/verify.h"
#include "vestige/trail/evidence_store.h"
#include "vestige/trail/over_source.h"

namespace vestige {
namespace {

constexpr std::size_t kMost = 1000;

class Findings final : public VerifySink {
 public:
  Findings(Verified& out, const std::function<void()>& step) : out_(out), step_(step) {}
  Result<void> found(const Discrepancy& one) override {
    if (one.code == "deleted") ++out_.missing;
    if (out_.findings.size() < kMost)
      out_.findings.push_back({one.code, one.change, one.table, one.message});
    return {};
  }
  void step() override {
    if (step_) step_();
  }

 private:
  Verified& out_;
  const std::function<void()>& step_;
};

}  // namespace

Result<Verified> verified_for_report(Database& db, const Trust& trust,
                                     const std::function<void()>& step,
                                     const std::string& archive) {
  Verified out;
  Findings findings(out, step);
  VerifyOptions options;
  options.trust = trust;
  Database& own = without_archive(db);
  if (TRY(EvidenceStore(own).last_checkpoint()).has_value()) options.archive = archive;
  const Verdict verdict = TRY(verify(own, options, findings));
  out.covered = verdict.size;
  out.origin = verdict.origin;
  out.signature = verdict.signature;
  out.witnesses.assign(verdict.witnesses.begin(), verdict.witnesses.end());
  out.verified = verdict.verified;
  out.erased = verdict.erased;
  out.left_out = verdict.unsigned_entries + verdict.unsealed;
  out.unreadable = verdict.unreadable;
  out.found = verdict.discrepancies;
  return out;
}

}  // namespace vestige
