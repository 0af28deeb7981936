// Which reports somebody is to look at, and how often: [review.NAME] of vestige.toml (docs/compliance.md, "Who examined it").
// Test: review_file_test.cc.
#pragma once

#include <string>
#include <vector>

#include "vestige/base/toml_file.h"
#include "vestige/report/population.h"
#include "vestige/trail/review.h"

namespace vestige {

struct PlannedReview {
  std::string name;
  std::string report;  // otherwise that of its own name
  std::string filter;  // docs/filter.md
  Every every = Every::month;
  std::string since;  // as typed; empty: since the trail began
};

/// By their names.
///
/// reports   of the same file: some are its own
/// faults    invalid, with the place of what is wrong
Result<std::vector<PlannedReview>> read_reviews(const Toml& file, const ReportSettings& reports);

}  // namespace vestige
