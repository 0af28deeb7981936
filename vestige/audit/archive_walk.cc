#include "vestige/audit/archive_walk.h"

#include <algorithm>

#include "vestige/base/bytes.h"
#include "vestige/base/json.h"
#include "vestige/base/number.h"
#include "vestige/merkle/tile.h"
#include "vestige/record/change.h"
#include "vestige/record/taken.h"

namespace vestige {
namespace {

// The members of an object as text: strings without their quotes, everything else as it stands. Nothing where it is none.
std::map<std::string, std::string> members_of(std::string_view object) {
  std::map<std::string, std::string> out;
  json::Reader reader(object);
  if (!reader.open('{').has_value()) return {};
  while (true) {
    const auto more = reader.more('{');
    if (!more.has_value()) return {};
    if (*more == 'n') return out;
    auto name = reader.key();
    if (!name.has_value()) return {};
    const auto value = reader.value();
    if (!value.has_value()) return {};
    auto text = json::unquote(value->text);
    const bool string = value->kind == json::Kind::string && text.has_value();
    out[*std::move(name)] = string ? *std::move(text) : std::string(value->text);
  }
}

}  // namespace

void ArchiveWalk::learn(const Entry& entry, const Evidence& evidence) {
  if (!evidence.values.has_value()) return;
  const std::string& canonical = evidence.values->canonical;
  if (entry.op == name(Op::erase)) learn_erased(entry.id, canonical);
  if (entry.op == name(Op::expire)) learn_expired(canonical);
  // No application's table has the name of one of the trail's own.
  if (entry.op == name(Op::insert) &&
      (entry.table == "vestige_archived" || entry.table == "vestige.archived"))
    learn_recorded(evidence.index, canonical);
}

void ArchiveWalk::learn_erased(std::int64_t by, std::string_view canonical) {
  for (const auto& [change, parts] : members_of(members_of(canonical)["erased"]))
    if (const auto id = whole_number<std::int64_t>(change); id.has_value())
      for (const TakenPart& part : taken_parts(parts))
        erased_[*id].emplace(by, std::string(part.name));
}

void ArchiveWalk::learn_expired(std::string_view canonical) {
  for (const auto& [bundle, bits] : members_of(members_of(canonical)["leaves"])) {
    const auto n = whole_number<std::uint64_t>(bundle);
    auto bytes = from_base64(bits);
    if (n.has_value() && bytes.has_value()) leaves_[*n].emplace_back(*std::move(bytes));
  }
}

void ArchiveWalk::learn_recorded(std::uint64_t index, std::string_view canonical) {
  const auto row = members_of(members_of(canonical)["new"]);
  const auto text = [&](const std::string& name) {
    const auto found = row.find(name);
    return found == row.end() ? std::string() : found->second;
  };
  const auto from = whole_number<std::uint64_t>(text("from_index"));
  const auto upto = whole_number<std::uint64_t>(text("upto_index"));
  if (from.has_value() && upto.has_value())
    recorded_.push_back({{*from, *upto, text("manifest")}, index});
}

// Nobody can have recorded a part before its last entry.
bool ArchiveWalk::records(const RecordedPart& part) const {
  return std::any_of(recorded_.begin(), recorded_.end(), [&](const Recorded& one) {
    return one.part == part && one.index >= part.upto;
  });
}

std::string ArchiveWalk::records_instead(const RecordedPart& part) const {
  for (const Recorded& one : recorded_)
    if (one.part.from == part.from && one.part.upto == part.upto && one.index >= part.upto)
      return one.part.manifest;
  return "";
}

bool ArchiveWalk::expired(std::uint64_t index) const {
  const auto found = leaves_.find(index / merkle::kTileWidth);
  return found != leaves_.end() &&
         std::any_of(found->second.begin(), found->second.end(),
                     [&](const Leaves& one) { return one.has(index % merkle::kTileWidth); });
}

bool ArchiveWalk::erased(const TakenAway& taken) const {
  const auto found = erased_.find(taken.change);
  return found != erased_.end() &&
         std::all_of(taken.parts.begin(), taken.parts.end(), [&](const ErasedPart& part) {
           return found->second.contains({part.by, part.part});
         });
}

}  // namespace vestige
