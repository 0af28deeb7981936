// The page: its files, and where each of its addresses leads a program that wants the same as JSON, CSV or NDJSON.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "server/assets.h"
#include "server/message.h"

namespace vestige::server {

class Pages {
 public:
  Pages();

  /// Nothing: it is no address of the page.
  std::optional<Answer> answer(const Request& request) const;

 private:
  Answer file(const Asset& asset, const Request& request, bool forever) const;

  std::map<std::string, Asset> files_;
};

}  // namespace vestige::server
