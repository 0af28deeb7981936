// The files of the console's page, which stand in the program: nothing is looked up on a disk.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vestige::server {

struct Asset {
  std::string name;  // "index.html", "assets/app-3f9c.js"
  std::string_view bytes;
  std::string_view gzip;  // the same, compressed
  std::string sha256;     // of the bytes, in hex
};

/// What console/dist had when the program was built.
std::vector<Asset> embedded_assets();

}  // namespace vestige::server
