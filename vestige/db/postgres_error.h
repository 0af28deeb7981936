// What the server or libpq says, as an Error.
#pragma once

#include <string>
#include <string_view>

#include "vestige/base/result.h"

struct pg_conn;
struct pg_result;

namespace vestige::postgres {

/// The fault that a SQLSTATE stands for.
Fault fault_of(std::string_view sqlstate);

/// The error of a result: what was tried, then the server's message; its hint, or its detail.
Error error_of(pg_conn* connection, const pg_result* result, std::string_view attempt);

/// The error of a connection that could not be made. The messages carry their SQLSTATE:
/// "… FATAL:  3D000: database "x" does not exist".
Error connect_error(std::string_view message, std::string_view attempt);

/// Something that libpq refused by itself, without the server.
Error local_error(pg_conn* connection, std::string_view attempt);

}  // namespace vestige::postgres
