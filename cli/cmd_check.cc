// check: what a receipt or an export proves, offline.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "cli/session.h"
#include "cli/trust.h"
#include "vestige/audit/check_report.h"
#include "vestige/audit/disclosure.h"
#include "vestige/base/bytes.h"
#include "vestige/base/file.h"
#include "vestige/base/time.h"
#include "vestige/base/zstd_file.h"

namespace vestige::cli {
namespace {

std::string cosigned(const merkle::Signed& one) {
  if (!one.time.has_value())
    return fmt::format("signed by {}, key {}", one.key.name, to_hex(one.key.id()));
  return fmt::format("cosigned by {}, key {}, {}", one.key.name, to_hex(one.key.id()),
                     said_time(static_cast<std::int64_t>(
                         std::min<std::uint64_t>(*one.time, 253402300799U) * 1000000)));
}

void print_checkpoint(Output& output, const merkle::OpenedCheckpoint& opened) {
  output.line({{Label::plain, "checkpoint "},
               {Label::name, opened.checkpoint.origin},
               {Label::plain, fmt::format(", {} entries, root {}", opened.checkpoint.size,
                                          to_base64(view(opened.checkpoint.root)))}});
  for (const merkle::Signed& one : opened.signatures)
    output.line({{Label::good, "  " + cosigned(one)}});
}

std::string signatures_json(const merkle::OpenedCheckpoint& opened) {
  std::string out = "[";
  for (const merkle::Signed& one : opened.signatures) {
    if (out.size() > 1) out += ',';
    out +=
        fmt::format(R"({{"name":{},"key_id":"{}","kind":"{}","time":{}}})", text_json(one.key.name),
                    to_hex(one.key.id()), one.key.kind == merkle::KeyKind::log ? "log" : "witness",
                    one.time.has_value() ? std::to_string(*one.time) : "null");
  }
  return out + "]";
}

std::string checkpoint_json(const merkle::OpenedCheckpoint& opened) {
  return fmt::format(R"({{"origin":{},"size":{},"root":"{}","signatures":{}}})",
                     text_json(opened.checkpoint.origin), opened.checkpoint.size,
                     to_base64(view(opened.checkpoint.root)), signatures_json(opened));
}

void print_part(Output& output, const char* name, const std::optional<Hash>& bound,
                const std::optional<Disclosed>& part) {
  output.line({{Label::name, fmt::format("  {:<8} ", name)},
               {part.has_value() ? Label::plain : Label::faint,
                part.has_value()    ? part->canonical
                : bound.has_value() ? "sealed, and not in this receipt: erased, or left out"
                                    : "none"}});
}

std::string part_json(const std::optional<Disclosed>& part) {
  return part.has_value() ? text_json(part->canonical) : "null";
}

// What is told of encrypted values, each of which the receipt bears out.
Result<std::vector<Disclosure>> disclosed(const Arguments& arguments) {
  std::vector<Disclosure> out;
  const auto path = arguments.value("--disclosed");
  if (!path.has_value()) return out;
  const std::string bytes = TRY(file_bytes(*path));
  for (std::string_view rest = bytes; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    out.push_back(TRY(parse_disclosure(rest.substr(0, end))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (out.empty()) return fail(Fault::corrupt, "it tells of no value");
  return out;
}

std::string disclosed_json(const std::vector<Disclosure>& told) {
  std::string out;
  for (const Disclosure& one : told) out += (out.empty() ? "" : ",") + to_line(one);
  return out.empty() ? "" : "\"disclosed\":[" + out + "],";
}

void print_receipt(Output& output, const CheckedReceipt& checked,
                   const std::vector<Disclosure>& told) {
  const Entry& entry = checked.entry;
  if (output.format() == Format::json) {
    output.json(fmt::format(
        R"({{"good":true,"index":{},"entry":{},"key":{},"context":{},"values":{},{}"checkpoint":{}}})",
        checked.evidence.index, checked.evidence.entry, part_json(checked.evidence.key),
        part_json(checked.evidence.context), part_json(checked.evidence.values),
        disclosed_json(told), checkpoint_json(checked.checkpoint)));
    return;
  }
  output.line({{Label::good, "authentic: "},
               {Label::id, fmt::format("change {}", entry.id)},
               {Label::plain, ", " + entry.op + " of "},
               {Label::name, entry.table},
               {Label::plain, fmt::format(", {}, tx {}", format_time(entry.at), entry.tx)}});
  print_part(output, "key", entry.key, checked.evidence.key);
  print_part(output, "context", entry.context, checked.evidence.context);
  print_part(output, "values", entry.values, checked.evidence.values);
  for (const Disclosure& one : told)
    output.line({{Label::good, fmt::format("  {} {} ", one.side, one.column)},
                 {Label::plain, one.value},
                 {Label::faint, ", as it was encrypted"}});
  output.line(
      {{Label::plain, fmt::format("it is entry {} of this checkpoint:", checked.evidence.index)}});
  print_checkpoint(output, checked.checkpoint);
}

// Says that the answer is no.
int refuse(Output& output, const std::string& file, const std::string& why) {
  if (output.format() == Format::json)
    output.json(fmt::format(R"({{"good":false,"file":{},"complaints":[{}]}})", text_json(file),
                            text_json(why)));
  else output.line({{Label::bad, "not proved: "}, {Label::plain, file + ": " + why}});
  return kNo;
}

Result<int> run_receipt(Session& session, const std::string& file, const Trust& trust) {
  const auto checked = check_receipt(TRY(file_bytes(file)), trust);
  if (!checked.has_value()) return refuse(session.output(), file, checked.error().message);
  const auto told = disclosed(session.arguments());
  const std::string by = session.arguments().text("--disclosed");
  if (!told.has_value() && told.error().fault == Fault::corrupt)
    return refuse(session.output(), by, told.error().message);
  for (const Disclosure& one : TRY(told))
    if (const auto why = not_disclosed(one, checked->evidence); why.has_value())
      return refuse(session.output(), by, *why);
  print_receipt(session.output(), *checked, *told);
  return kDone;
}

// Feeds the check line by line; true when the last one was ended.
Result<bool> read_lines(const std::string& path, TrailCheck& check) {
  if (path.ends_with(".zst")) {
    ZstdLines lines = TRY(ZstdLines::open(path));
    while (const auto line = TRY(lines.next())) check.line(*line);
    return true;
  }
  std::ifstream file;
  if (path != "-") {
    file.open(path, std::ios::binary);
    if (!file.is_open()) return fail(Fault::missing, "read {}: {}", path, std::strerror(errno));
  }
  std::istream& in = path == "-" ? std::cin : file;
  bool ended = true;
  for (std::string line; std::getline(in, line);) {
    ended = !in.eof();
    check.line(line);
  }
  if (in.bad()) return fail(Fault::denied, "read {}: it cannot be read to its end", path);
  return ended;
}

void print_verdict(Output& output, const std::string& file, const TrailCheck& check,
                   const TrailCheck::Verdict& verdict) {
  if (output.format() == Format::json) {
    std::string complaints;
    for (const std::string& one : verdict.complaints)
      complaints += (complaints.empty() ? "" : ",") + text_json(one);
    output.json(fmt::format(
        R"({{"good":{},"file":{},"first":{},"entries":{},"withheld":{},"wrong":{},"complaints":[{}],"checkpoint":{}}})",
        verdict.wrong == 0, text_json(file), verdict.first, verdict.entries, verdict.withheld,
        verdict.wrong, complaints, checkpoint_json(check.checkpoint())));
    return;
  }
  for (const std::string& one : verdict.complaints)
    output.line({{Label::bad, "not proved: "}, {Label::plain, file + ": " + one}});
  if (verdict.wrong > verdict.complaints.size())
    output.line(
        {{Label::bad, fmt::format("and {} more", verdict.wrong - verdict.complaints.size())}});
  if (verdict.wrong == 0) {
    std::string which = "all of them";
    if (verdict.first != 0) which = fmt::format("from entry {} to the last", verdict.first);
    output.line({{Label::good, "authentic: "},
                 {Label::plain,
                  counted(static_cast<std::int64_t>(verdict.entries), "change") + ", " + which}});
    if (verdict.withheld != 0)
      output.line(
          {{Label::plain, counted(static_cast<std::int64_t>(verdict.withheld), "part") +
                              " (keys, contexts, values) sealed and not in the file: erased, "
                              "or left out"}});
  }
  print_checkpoint(output, check.checkpoint());
}

Result<int> run_trail(Session& session, const std::string& file, const std::string& note,
                      const Trust& trust) {
  std::string bytes = TRY(file_bytes(note));
  while (bytes.ends_with("\n\n")) bytes.pop_back();  // what a client prints behind a row
  auto opened = open_trusted(bytes, trust);
  if (!opened.has_value()) return refuse(session.output(), note, opened.error().message);
  TrailCheck check(std::move(*opened));
  const bool ended = TRY(read_lines(file, check));
  const TrailCheck::Verdict verdict = check.finish();
  print_verdict(session.output(), file, check, verdict);
  if (!ended) session.say(file + ": the last line is not ended; the file may have been cut off");
  return verdict.wrong == 0 ? kDone : kNo;
}

void print_report_verdict(Output& output, const CheckedReport& checked) {
  if (output.format() == Format::json) {
    std::string by;
    for (const merkle::Signed& one : checked.signatures)
      by += (by.empty() ? "" : ",") + text_json(one.key.name);
    output.json(fmt::format(
        R"({{"good":true,"report":{},"title":{},"made_at":{},"made_by":{},"rows":{},"signed_by":[{}],"sound":{},"checkpoint":{},"checkpoint_checked":{}}})",
        text_json(checked.name), text_json(checked.title), text_json(checked.made_at),
        text_json(checked.made_by), checked.rows, by, checked.sound,
        checked.checkpoint.has_value() ? checkpoint_json(*checked.checkpoint) : "null",
        checked.checkpoint_holds));
    return;
  }
  const bool somebody = !checked.signatures.empty();
  output.line(
      {{somebody ? Label::good : Label::warning, somebody ? "authentic: " : "whole: "},
       {Label::plain, "report "},
       {Label::name, checked.name},
       {Label::plain,
        fmt::format(", {}, made {}{}{}", counted(static_cast<std::int64_t>(checked.rows), "row"),
                    checked.made_at, checked.made_by.empty() ? "" : " by ", checked.made_by)}});
  for (const merkle::Signed& one : checked.signatures)
    output.line({{Label::good, "  " + cosigned(one)}});
  if (!somebody)
    output.line(
        {{Label::warning, "  nobody signed it: whoever alters it can compute its hash anew"}});
  output.line({{checked.sound ? Label::plain : Label::bad, checked.complete}});
  if (!checked.verified.empty())
    output.line({{checked.sound ? Label::plain : Label::bad, checked.verified}});
  if (!checked.checkpoint.has_value()) return;
  print_checkpoint(output, *checked.checkpoint);
  if (!checked.checkpoint_holds)
    output.line({{Label::warning, "  its signature was not checked: no key of that log is given"}});
}

Result<int> run_report_check(Session& session, const std::string& path, std::istream& file) {
  const bool unsigned_too = session.arguments().has("--unsigned");
  const bool nobody = !session.arguments().has("--vkey") && !session.arguments().has("--policy");
  const Trust trust = unsigned_too && nobody ? Trust() : TRY(trust_of(session.arguments()));
  const auto checked = check_report(file, trust, unsigned_too);
  if (!checked.has_value()) {
    if (checked.error().fault != Fault::corrupt) return tl::unexpected<Error>(checked.error());
    return refuse(session.output(), path, checked.error().message);
  }
  print_report_verdict(session.output(), *checked);
  return kDone;
}

// A report is known by how it begins.
bool begins_as_report(std::istream& file) {
  std::string first(16, '\0');
  file.read(first.data(), static_cast<std::streamsize>(first.size()));
  first.resize(static_cast<std::size_t>(file.gcount()));
  file.clear();
  file.seekg(0);
  return is_report(first);
}

Result<int> run_check(Session& session) {
  const auto& words = session.arguments().words();
  bool report = false;
  std::ifstream file;
  if (words.size() == 1) {
    file.open(words[0], std::ios::binary);
    report = file.is_open() && begins_as_report(file);
  }
  if ((words.size() > 1 || report) && session.arguments().has("--disclosed"))
    return fail(Fault::invalid, "check: --disclosed goes with a receipt");
  if (report) return run_report_check(session, words[0], file);
  const Trust trust = TRY(trust_of(session.arguments()));
  return words.size() == 1 ? run_receipt(session, words[0], trust)
                           : run_trail(session, words[0], words[1], trust);
}

}  // namespace

Command check_command() {
  return {
      .name = "check",
      .group = "prove",
      .summary = "check a receipt, an export or a report, offline",
      .arguments = "RECEIPT | REPORT | TRAIL CHECKPOINT",
      .least = 1,
      .most = 2,
      .about = {"Needs no database: only the files, and the public keys of those who are trusted. "
                "RECEIPT is what prove wrote: is this one record authentic? TRAIL is what export "
                "wrote (- is stdin; .zst is unpacked) and CHECKPOINT a signed checkpoint: is this "
                "the whole trail up "
                "to it, and nothing else? REPORT is what report wrote as HTML or JSON: are these "
                "the bytes that somebody who is trusted signed? Exit 1 when the answer is no; it "
                "says why.",
                "The log must have signed with one of its keys. Every witness whose key is given "
                "by --vkey must have cosigned; a --policy file says how many of them are enough."},
      .options = {{.names = "--vkey",
                   .value = "KEY",
                   .summary = "a public key, or a file of them: the log's, a witness's",
                   .repeated = true},
                  {.names = "--disclosed",
                   .value = "FILE",
                   .summary = "with a receipt: what prove --disclose told of its encrypted values"},
                  {.names = "--policy",
                   .value = "FILE",
                   .summary = "logs, witnesses and quorum (C2SP tlog-policy)"},
                  {.names = "--unsigned",
                   .value = "",
                   .summary = "a report that nobody signed is enough: only accidents are found"},
                  {.names = "--format",
                   .value = "FORMAT",
                   .summary = "table for people (the default), or json",
                   .choices = {"table", "json"}}},
      .examples = {{"vestige check receipt.tlog-proof --vkey bank.vkey",
                    "is this record authentic?"},
                   {"vestige check trail.ndjson checkpoint --vkey bank.vkey",
                    "is this the trail, whole and unaltered?"},
                   {"vestige check q3.html --vkey audit.vkey", "is this report authentic?"}},
      .run = run_check};
}

}  // namespace vestige::cli
