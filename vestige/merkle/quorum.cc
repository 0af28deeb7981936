#include "vestige/merkle/quorum.h"

#include <algorithm>
#include <map>
#include <set>

#include "vestige/base/bytes.h"

namespace vestige::merkle {
namespace {

constexpr std::string_view kNone = "none";

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return words;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

class Reader {
 public:
  Result<Quorum> read(std::string_view file) {
    while (!file.empty()) {
      ++line_;
      const std::size_t end = file.find('\n');
      if (end == std::string_view::npos) return bad("the line is not ended");
      if (std::any_of(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(end),
                      [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7f; }))
        return bad("it has a control character");
      TRY(line(words_of(file.substr(0, end))));
      file.remove_prefix(end + 1);
    }
    if (quorum_.needed.empty()) return bad("no quorum line stands in the file");
    return std::move(quorum_);
  }

 private:
  tl::unexpected<Error> bad(std::string_view why) const {
    return fail(Fault::invalid, "read the witness policy, line {}: {}", line_, why);
  }

  Result<void> line(const std::vector<std::string>& words) {
    if (words.empty() || words.front().starts_with('#')) return {};
    if (words.front() == "log") return log(words);
    if (words.front() == "witness") return witness(words);
    if (words.front() == "group") return group(words);
    if (words.front() == "quorum") return quorum(words);
    return bad("a line begins with log, witness, group or quorum");
  }

  // A key that nobody else has, of the kind that is wanted.
  Result<NoteKey> key(const std::string& vkey, KeyKind kind, std::set<std::string>& known) {
    auto parsed = parse_vkey(vkey);
    if (!parsed.has_value()) return bad(parsed.error().message);
    if (parsed->kind != kind)
      return bad(kind == KeyKind::log ? "this is the key of a witness"
                                      : "this is the key of a log");
    if (!known.emplace(view(parsed->key.bytes)).second) return bad("the key stands twice");
    return std::move(*parsed);
  }

  Result<void> named(const std::string& name) {
    if (name == kNone || !free_.emplace(name, true).second) return bad("the name is taken");
    return {};
  }

  Result<void> log(const std::vector<std::string>& words) {
    if (words.size() < 2 || words.size() > 3) return bad("it is written: log VKEY [URL]");
    NoteKey parsed = TRY(key(words[1], KeyKind::log, log_keys_));
    quorum_.logs.push_back({std::move(parsed), words.size() > 2 ? words[2] : ""});
    return {};
  }

  Result<void> witness(const std::vector<std::string>& words) {
    if (words.size() < 3 || words.size() > 4) return bad("it is written: witness NAME VKEY [URL]");
    TRY(named(words[1]));
    NoteKey parsed = TRY(key(words[2], KeyKind::cosignature, witness_keys_));
    quorum_.witnesses.push_back({words[1], std::move(parsed), words.size() > 3 ? words[3] : ""});
    return {};
  }

  Result<void> group(const std::vector<std::string>& words) {
    if (words.size() < 4) return bad("it is written: group NAME all|any|K MEMBER…");
    Quorum::Group made{words[1], 0, {words.begin() + 3, words.end()}};
    for (const std::string& member : made.members) {
      const auto found = free_.find(member);
      if (found == free_.end()) return bad("a member is not named before");
      if (!std::exchange(found->second, false)) return bad("a member stands in two groups");
    }
    if (words[2] == "all") made.needed = made.members.size();
    else if (words[2] == "any") made.needed = 1;
    else made.needed = parse_decimal(words[2]).value_or(0);
    if (made.needed < 1 || made.needed > made.members.size())
      return bad("a group needs all, any, or from 1 up to the number of its members");
    TRY(named(words[1]));
    quorum_.groups.push_back(std::move(made));
    return {};
  }

  Result<void> quorum(const std::vector<std::string>& words) {
    if (words.size() != 2) return bad("it is written: quorum NAME, or quorum none");
    if (!quorum_.needed.empty()) return bad("the quorum stands twice");
    if (words[1] != kNone && !free_.contains(words[1]))
      return bad("the quorum is not named before");
    quorum_.needed = words[1];
    return {};
  }

  Quorum quorum_;
  std::map<std::string, bool> free_;  // witnesses and groups: in no group yet
  std::set<std::string> log_keys_;
  std::set<std::string> witness_keys_;
  int line_ = 0;
};

}  // namespace

std::vector<NoteKey> Quorum::keys() const {
  std::vector<NoteKey> all;
  for (const Log& log : logs) all.push_back(log.key);
  for (const Witness& witness : witnesses) all.push_back(witness.key);
  return all;
}

bool Quorum::reached(const std::vector<Signed>& signatures) const {
  if (needed == kNone) return true;
  std::set<std::string, std::less<>> there;
  for (const Witness& witness : witnesses)
    if (std::any_of(signatures.begin(), signatures.end(),
                    [&](const Signed& one) { return one.key == witness.key; }))
      there.insert(witness.name);
  // A group stands behind its members.
  for (const Group& group : groups) {
    const auto count = std::count_if(group.members.begin(), group.members.end(),
                                     [&](const std::string& name) { return there.contains(name); });
    if (static_cast<std::size_t>(count) >= group.needed) there.insert(group.name);
  }
  return there.contains(needed);
}

Quorum quorum_of(std::size_t needed, std::vector<Quorum::Witness> witnesses) {
  Quorum quorum;
  quorum.needed = fmt::format("{} of {} witnesses", needed, witnesses.size());
  Quorum::Group& group = quorum.groups.emplace_back();
  group.name = quorum.needed;
  group.needed = needed;
  for (const Quorum::Witness& one : witnesses) group.members.push_back(one.name);
  quorum.witnesses = std::move(witnesses);
  return quorum;
}

Result<Quorum> parse_quorum(std::string_view file) { return Reader().read(file); }

}  // namespace vestige::merkle
