// Lists: a page of one as JSON, or all of it as CSV or NDJSON, sent while it is read.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/call.h"

namespace vestige::server {

struct Item {
  std::string json;
  std::vector<std::string> fields;  // as CSV has it; none: the members of the JSON
  std::string place;                // behind which the next page begins
};

using Items = std::function<Result<std::optional<Item>>()>;

/// heads   the columns as CSV; none: the members of the first item
/// more    what a page has besides, ",\"count\":3"; not of a list that is sent
Result<Answer> list_answer(const std::shared_ptr<Call>& call, Items items,
                           std::vector<std::string> heads = {}, const std::string& more = "");

/// A list that is there as a whole.
Result<Answer> list_answer(const std::shared_ptr<Call>& call, std::vector<std::string> items,
                           const std::string& more = "");

/// As list_answer, of changes.
Result<Answer> change_list(const std::shared_ptr<Call>& call, std::unique_ptr<Changes> changes,
                           const std::string& more = "");

}  // namespace vestige::server
