// check of a report: what a file that `vestige report` wrote proves, offline (docs/format.md, "Report").
// Test: test/report_check_test.cc.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "vestige/audit/check.h"

namespace vestige {

/// True when bytes are meant as the beginning of a report.
bool is_report(std::string_view bytes);

struct CheckedReport {
  std::string name;
  std::string title;
  std::string filter;  // empty: none
  std::string since;   // the period; empty: it has no such end
  std::string until;
  std::string made_at;
  std::string made_by;
  std::string complete;
  std::string verified;
  bool sound = true;  // as the report says of the trail
  std::uint64_t rows = 0;
  std::vector<merkle::Signed> signatures;              // of the report; empty: nobody signed
  std::optional<merkle::OpenedCheckpoint> checkpoint;  // that it was made from
  bool checkpoint_holds =
      false;  // its log's key is known, and signed it; otherwise that was not looked into
};

/// What a report says of itself; nothing of it is checked, but for where it stands.
///
/// bytes     of a file
/// returns   nothing where they are no report
std::optional<CheckedReport> claimed_report(std::string_view bytes);

/// Checks a report: every byte is what the statement at its end says, somebody who is trusted signed that, the rows are those
/// of the head, and the checkpoint in it is the log's, where the log's key is known.
///
/// file      seekable
/// unsigned_too  a report that nobody signed is enough
/// faults    corrupt: the report proves nothing, and the message says why; denied (it cannot be read)
Result<CheckedReport> check_report(std::istream& file, const Trust& trust, bool unsigned_too);

}  // namespace vestige
