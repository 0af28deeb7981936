// How databases are named: "postgresql://…", "host=db dbname=shop", "sqlite:shop.db", "sqlite:///shop.db", a path.
#pragma once

#include <string>

namespace vestige {

/// The URL with a relative path, if it names a file by one, made to start from a folder.
std::string url_from(const std::string& folder, const std::string& url);

}  // namespace vestige
