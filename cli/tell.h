// Tell: one notice to one target, over whatever it says: HTTP, syslog, a program, a channel of the database.
#pragma once

#include <string>
#include <vector>

#include "vestige/db/database.h"
#include "vestige/rules/notice.h"
#include "vestige/rules/notify_file.h"

namespace vestige::cli {

/// Takes ten seconds at most, and a little.
///
/// secrets  of the target, where it is a webhook
/// now      microseconds
Attempt tell(const NotifyTarget& target, const std::vector<Secret>& secrets, const Notice& notice,
             Database& db, std::int64_t now);

/// One frame over TCP or TLS.
///
/// address  "tls://siem.example.com:6514"
Attempt send_syslog(const std::string& address, std::string_view frame);

/// A program with a text on its standard input, without a shell, with nothing of this process's environment but PATH, HOME and LANG.
/// It has done its work when it ends with 0.
Attempt run_program(const std::vector<std::string>& words, const std::string& input);

}  // namespace vestige::cli
