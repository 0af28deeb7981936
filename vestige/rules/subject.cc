#include "vestige/rules/subject.h"

#include <algorithm>

#include "vestige/base/letters.h"
#include "vestige/base/time.h"

namespace vestige {
namespace {

Value text_or_null(const std::string* text) {
  return text == nullptr ? Value(Null{}) : Value(Text{*text});
}

// One column is its value; several are an object.
Value key_value(const Row& key) {
  if (key.empty()) return Null{};
  return key.size() == 1 ? key.front().value : Value(Text{to_json(key)});
}

const Value kYes = std::int64_t{1};
const Value kNo = std::int64_t{0};

}  // namespace

const std::vector<std::string>& subject_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"op", "table", "key",     "at",   "id",
                                    "tx", "who",   "db_user", "tags", "class"};
    all.insert(all.end(), kContextFields.begin(), kContextFields.end());
    return all;
  }();
  return names;
}

Result<Reference> parse_reference(std::string_view text) {
  const std::size_t dot = text.find('.');
  const std::string first = lower(text.substr(0, dot));
  if (dot == std::string_view::npos) {
    const auto& names = subject_names();
    if (std::find(names.begin(), names.end(), first) != names.end())
      return Reference{Reference::Of::change, first};
  } else if (dot + 1 < text.size()) {
    const std::string rest(text.substr(dot + 1));
    if (first == "old") return Reference{Reference::Of::before, rest};
    if (first == "new") return Reference{Reference::Of::after, rest};
    if (first == "context") return Reference{Reference::Of::context, rest};
  }
  return hinted(fail(Fault::invalid, "'{}' names nothing", text),
                fmt::format("known are old.COLUMN, new.COLUMN, context.FIELD, {}",
                            fmt::join(subject_names(), ", ")));
}

const Value* value_before(const Change& change, std::string_view column) {
  if (const Value* value = find(change.old_values, column); value != nullptr) return value;
  return change.op == Op::update || change.op == Op::remove ? find(change.key, column) : nullptr;
}

const Value* value_after(const Change& change, std::string_view column) {
  if (const Value* value = find(change.new_values, column); value != nullptr) return value;
  if (const Value* value = find(change.new_key, column); value != nullptr) return value;
  return change.op == Op::update || change.op == Op::insert || change.op == Op::baseline
             ? find(change.key, column)
             : nullptr;
}

bool Subject::changed(const std::string& column) const {
  const Value* before = value_before(change_, column);
  const Value* after = value_after(change_, column);
  // Where an UPDATE's whole row is recorded, what it did not change has no value before.
  if (before == nullptr || after == nullptr) return change_.op != Op::update && before != after;
  // Of what is not in the trail all that is known is that it changed: it stands where what changed does.
  return is_withheld(*before) || !identical(*before, *after);
}

Value Subject::make(const std::string& name) const {
  if (name == "op") return Text{std::string(vestige::name(change_.op))};
  if (name == "table") return Text{change_.table};
  if (name == "key") return key_value(change_.key);
  if (name == "at") return Text{format_time(change_.at)};
  if (name == "id") return change_.id;
  if (name == "tx") return change_.tx;
  if (name == "who") return text_or_null(change_.who());
  if (name == "db_user")
    return text_or_null(change_.db_user.has_value() ? &*change_.db_user : nullptr);
  if (name == "tags")
    return facts_ == nullptr ? Value(Null{})
                             : Text{fmt::format("{}", fmt::join(facts_->tags, ","))};
  if (name == "class")
    return facts_ == nullptr ? Value(Null{}) : Value(Text{facts_->classification});
  constexpr std::string_view kOther = "context.";  // no name of the change stands in the way of it
  return text_or_null(change_.context.get(
      name.starts_with(kOther) ? std::string_view(name).substr(kOther.size()) : name));
}

const Value* Subject::made(const std::string& name) {
  const auto found = made_.find(name);
  if (found != made_.end()) return &found->second;
  return &made_.emplace(name, make(name)).first->second;
}

const Value* Subject::value(const Reference& reference) {
  switch (reference.of) {
    case Reference::Of::before: return value_before(change_, reference.name);
    case Reference::Of::after: return value_after(change_, reference.name);
    case Reference::Of::changed: return changed(reference.name) ? &kYes : &kNo;
    case Reference::Of::context: return made("context." + reference.name);
    case Reference::Of::change: return made(reference.name);
  }
  return nullptr;
}

std::span<const Value* const> Subject::values(const std::vector<Reference>& references) {
  given_.clear();
  for (const Reference& one : references) given_.push_back(value(one));
  return given_;
}

std::string Subject::object(const std::vector<std::string>& names,
                            const std::vector<Reference>& references) {
  std::string out = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Value* one = value(references[i]);
    out += (i == 0 ? "" : ",") + text_json(names[i]) + ":";
    if (one == nullptr) out += "null";
    else append_json(out, *one);
  }
  return out + "}";
}

}  // namespace vestige
