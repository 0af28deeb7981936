#include "vestige/audit/manifest_check.h"

#include <algorithm>

namespace vestige {

ManifestCheck::ManifestCheck(const Manifest& manifest) : manifest_(manifest) {
  for (const ArchivedTable& one : manifest.tables)
    for (const Shape& shape : one.shapes) {
      Names& names = shapes_[{one.table.id, shape.id}];
      names.table = one.table.name;
      const auto shown = shown_names(shape, one.table.shape);
      names.all = {shown.begin(), shown.end()};
      for (std::size_t i = 0; i < shown.size() && shape.columns[i].key > 0; ++i)
        names.key.push_back(shown[i]);
    }
}

void ManifestCheck::add(const Entry& entry, const ArchivedChange& said, ArchivedProof& proof) {
  made_.cover(entry, counts_.empty());
  ++counts_[entry.table_id];
  if (!said.shown) return;
  made_.tokens |= !proof.sqlite && has_tokens(said.change);
  shown_.insert(entry.table_id);
  if (!said.change.unreadable.empty()) return;
  const auto found = shapes_.find({entry.table_id, said.change.shape});
  bool same = found != shapes_.end() && found->second.table == said.change.table;
  const auto known = [&](const Row& row) {
    return std::all_of(row.begin(), row.end(),
                       [&](const Field& field) { return found->second.all.contains(field.name); });
  };
  if (same && said.change.old_values.has_value()) same = known(*said.change.old_values);
  if (same && said.change.new_values.has_value()) same = known(*said.change.new_values);
  if (same && !said.change.key.empty())
    same = std::equal(said.change.key.begin(), said.change.key.end(), found->second.key.begin(),
                      found->second.key.end(), [](const Field& field, const std::string& name) {
                        return field.name == name;
                      });
  if (!same) proof.resting.emplace_back("what the manifest says of its table");
}

std::vector<std::string> ManifestCheck::finish() const {
  std::vector<std::string> out;
  if (made_.first_id != manifest_.first_id || made_.last_id != manifest_.last_id)
    out.emplace_back("its ids are not those of the entries");
  if (made_.first_at != manifest_.first_at || made_.last_at != manifest_.last_at)
    out.emplace_back("its times are not those of the entries");
  if (made_.tokens != manifest_.tokens)
    out.emplace_back("its values are not of the kind that it names");
  std::set<std::int64_t> named;
  for (const ArchivedTable& one : manifest_.tables) {
    const auto found = counts_.find(one.table.id);
    const std::uint64_t count = found == counts_.end() ? 0 : found->second;
    if (!named.insert(one.table.id).second || count != one.changes)
      out.push_back(fmt::format("its table {} has another number of changes", one.table.id));
  }
  for (const std::int64_t table : shown_)
    if (!named.contains(table))
      out.push_back(fmt::format("table {} has changes, and is missing in it", table));
  return out;
}

}  // namespace vestige
