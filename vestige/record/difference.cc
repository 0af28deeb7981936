#include "vestige/record/difference.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "vestige/base/json.h"

namespace vestige {
namespace {

using Kind = TextPiece::Kind;

constexpr std::size_t kMost = 1'000'000;  // pairs of words that are compared
constexpr std::size_t kDepth = 100;       // of a document; below, a value is compared whole

bool is_letter(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Words, runs of spaces, and every other character.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (is_letter(text[at]))
      while (end < text.size() && is_letter(text[end])) ++end;
    else if (text[at] == ' ')
      while (end < text.size() && text[end] == ' ') ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

class Pieces {
 public:
  void add(Kind kind, std::string_view text) {
    if (text.empty()) return;
    if (all_.empty() || all_.back().kind != kind) all_.push_back({kind, {}});
    all_.back().text += text;
  }
  std::vector<TextPiece> take() { return std::move(all_); }

 private:
  std::vector<TextPiece> all_;
};

using Words = std::span<const std::string_view>;

// How many words the rests of two lists have in common, at most: [i * (after + 1) + j].
std::vector<std::uint32_t> common_rests(Words before, Words after) {
  const std::size_t width = after.size() + 1;
  std::vector<std::uint32_t> common((before.size() + 1) * width, 0);
  for (std::size_t i = before.size(); i-- > 0;)
    for (std::size_t j = after.size(); j-- > 0;)
      common[i * width + j] =
          before[i] == after[j] ? common[(i + 1) * width + j + 1] + 1
                                : std::max(common[(i + 1) * width + j], common[i * width + j + 1]);
  return common;
}

void add_all(Pieces& pieces, Kind kind, Words words) {
  for (const std::string_view word : words) pieces.add(kind, word);
}

// Lists that neither begin nor end alike.
void add_middle(Pieces& pieces, Words before, Words after) {
  std::size_t i = 0;
  std::size_t j = 0;
  if (before.size() <= kMost / (after.size() + 1)) {
    const std::vector<std::uint32_t> common = common_rests(before, after);
    const std::size_t width = after.size() + 1;
    while (i < before.size() && j < after.size()) {
      if (before[i] == after[j]) {
        pieces.add(Kind::same, before[i++]);
        ++j;
      } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
        pieces.add(Kind::before, before[i++]);
      } else {
        pieces.add(Kind::after, after[j++]);
      }
    }
  }
  add_all(pieces, Kind::before, before.subspan(i));
  add_all(pieces, Kind::after, after.subspan(j));
}

// A space alone between two words that changed says nothing: it goes and comes with them.
std::vector<TextPiece> without_islands(const std::vector<TextPiece>& pieces) {
  std::vector<TextPiece> out;
  std::string before;
  std::string after;
  const auto flush = [&] {
    if (!before.empty()) out.push_back({Kind::before, std::exchange(before, {})});
    if (!after.empty()) out.push_back({Kind::after, std::exchange(after, {})});
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const TextPiece& piece = pieces[i];
    const bool island = piece.kind == Kind::same && !before.empty() && !after.empty() &&
                        i + 1 < pieces.size() &&
                        piece.text.find_first_not_of(' ') == std::string::npos;
    if (piece.kind == Kind::same && !island) {
      flush();
      out.push_back(piece);
    }
    if (piece.kind == Kind::before || island) before += piece.text;
    if (piece.kind == Kind::after || island) after += piece.text;
  }
  flush();
  return out;
}

struct Member {
  std::string name;  // of an array: its place
  json::Span value;
};

// The members of an object or an array, or nothing where the text is neither.
std::optional<std::vector<Member>> members(std::string_view text) {
  json::Reader whole(text);
  const auto span = whole.value();
  if (!span.has_value() || !whole.end().has_value()) return std::nullopt;
  if (span->kind != json::Kind::object && span->kind != json::Kind::array) return std::nullopt;
  const bool object = span->kind == json::Kind::object;
  std::vector<Member> all;
  std::map<std::string, std::size_t> places;
  json::Reader reader(span->text);
  if (!reader.open(object ? '{' : '[').has_value()) return std::nullopt;
  for (;;) {
    const auto more = reader.more(object ? '{' : '[');
    if (!more.has_value()) return std::nullopt;
    if (*more == 'n') return all;
    Member member;
    if (object) {
      auto name = reader.key();
      if (!name.has_value()) return std::nullopt;
      member.name = *std::move(name);
    }
    const auto value = reader.value();
    if (!value.has_value()) return std::nullopt;
    member.value = *value;
    const auto known = object ? places.find(member.name) : places.end();
    if (known != places.end()) {
      all[known->second].value = member.value;
      continue;
    }
    if (object) places.emplace(member.name, all.size());
    all.push_back(std::move(member));
  }
}

bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), is_letter);
}

class Edits {
 public:
  void compare(const std::string& path, std::string_view before, std::string_view after,
               std::size_t depth) {
    if (before == after) return;
    const auto left = depth < kDepth ? members(before) : std::nullopt;
    const auto right = depth < kDepth ? members(after) : std::nullopt;
    if (!left.has_value() || !right.has_value() || before[0] != after[0])
      all.push_back({path, std::string(before), std::string(after)});
    else if (before[0] == '{') objects(path, *left, *right, depth + 1);
    else arrays(path, *left, *right, depth + 1);
  }

  std::vector<JsonEdit> all;

 private:
  void objects(const std::string& path, const std::vector<Member>& before,
               const std::vector<Member>& after, std::size_t depth) {
    std::map<std::string_view, std::string_view> came;
    for (const Member& member : after) came[member.name] = member.value.text;
    std::map<std::string_view, std::string_view> was;
    const auto below = [&](std::string_view name) {
      return (path.empty() ? "" : path + ".") +
             (is_word(name) ? std::string(name) : json::quote(name));
    };
    for (const Member& member : before) {
      was[member.name] = member.value.text;
      const auto now = came.find(member.name);
      if (now == came.end())
        all.push_back({below(member.name), std::string(member.value.text), std::nullopt});
      else compare(below(member.name), member.value.text, now->second, depth);
    }
    for (const Member& member : after)
      if (!was.contains(member.name))
        all.push_back({below(member.name), std::nullopt, std::string(member.value.text)});
  }

  // What both begin and end with is left out; between, the elements are taken place by place.
  void arrays(const std::string& path, std::span<const Member> before,
              std::span<const Member> after, std::size_t depth) {
    std::size_t first = 0;
    while (first < before.size() && first < after.size() &&
           before[first].value.text == after[first].value.text)
      ++first;
    std::size_t rest = 0;
    while (first + rest < before.size() && first + rest < after.size() &&
           before[before.size() - 1 - rest].value.text == after[after.size() - 1 - rest].value.text)
      ++rest;
    const std::size_t left = before.size() - rest;
    const std::size_t right = after.size() - rest;
    for (std::size_t i = first; i < std::max(left, right); ++i) {
      const std::string below = path + "[" + std::to_string(i) + "]";
      if (i >= left) all.push_back({below, std::nullopt, std::string(after[i].value.text)});
      else if (i >= right) all.push_back({below, std::string(before[i].value.text), std::nullopt});
      else compare(below, before[i].value.text, after[i].value.text, depth);
    }
  }
};

}  // namespace

std::vector<TextPiece> word_difference(std::string_view before, std::string_view after) {
  const std::vector<std::string_view> left = words_of(before);
  const std::vector<std::string_view> right = words_of(after);
  const auto first = std::mismatch(left.begin(), left.end(), right.begin(), right.end());
  const Words before_rest(first.first, left.end());
  const Words after_rest(first.second, right.end());
  std::size_t rest = 0;
  while (rest < before_rest.size() && rest < after_rest.size() &&
         before_rest[before_rest.size() - 1 - rest] == after_rest[after_rest.size() - 1 - rest])
    ++rest;
  Pieces pieces;
  add_all(pieces, Kind::same, Words(left.begin(), first.first));
  add_middle(pieces, before_rest.first(before_rest.size() - rest),
             after_rest.first(after_rest.size() - rest));
  add_all(pieces, Kind::same, before_rest.last(rest));
  return without_islands(pieces.take());
}

std::optional<std::vector<JsonEdit>> json_difference(std::string_view before,
                                                     std::string_view after) {
  if (!members(before).has_value() || !members(after).has_value()) return std::nullopt;
  const auto trimmed = [](std::string_view text) {
    json::Reader reader(text);
    return reader.value()->text;
  };
  Edits edits;
  before = trimmed(before);
  after = trimmed(after);
  if (before[0] != after[0]) return std::nullopt;
  edits.compare("", before, after, 0);
  return std::move(edits.all);
}

}  // namespace vestige
