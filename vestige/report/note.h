// The end of a report: what its bytes are, as the text of a signed note, and who signed that (docs/format.md, "Report").
//
//   vestige report v1
//   bytes before the end, decimal
//   base64(SHA-256 of those bytes)
//
// No checkpoint begins like that: the name of a log has no space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vestige/base/crypto.h"
#include "vestige/merkle/note.h"
#include "vestige/report/report.h"

namespace vestige {

enum class ReportForm { html, json };

/// Passes a report's bytes on, and counts and hashes them.
class CountingSink final : public ReportSink {
 public:
  explicit CountingSink(ReportSink& to) : to_(to) {}
  void write(std::string_view bytes) override;
  bool wanted() const override { return to_.wanted(); }

  /// The statement over what was written so far. Asked once.
  std::string statement();

 private:
  ReportSink& to_;
  Sha256 hash_;
  std::uint64_t bytes_ = 0;
};

std::string report_statement(std::uint64_t bytes, const Hash& hash);

/// The last bytes of a report, from a note or, where nobody signed, from the statement alone.
std::string report_end(ReportForm form, std::string_view note);

/// The place where the last bytes begin, and the note in them; nothing where there is no end as report_end writes it.
struct ReportEnd {
  std::size_t place = 0;
  std::string note;
};
std::optional<ReportEnd> find_report_end(ReportForm form, std::string_view bytes);

/// Writes a report's end.
///
/// signer   nullptr: nobody signs
/// faults   internal
Result<void> write_report_end(CountingSink& sink, ReportForm form,
                              const merkle::NoteSigner* signer);

}  // namespace vestige
