// A trail of which parts are erased: what the tests of erase begin with.
#pragma once

#include <string>
#include <vector>

#include "test/evidence.h"
#include "vestige/audit/at.h"
#include "vestige/audit/erase.h"
#include "vestige/audit/log.h"

namespace vestige {
inline Context because(const std::string& reason = "request 4711") {
  Context context;
  context.set("actor", "dpo");
  context.set("reason", reason);
  return context;
}

inline EraseRequest row(const std::string& id) {
  EraseRequest request;
  request.table = "p";
  request.key = {id};
  return request;
}

inline EraseRequest changes(std::vector<std::int64_t> ids) {
  EraseRequest request;
  request.changes = std::move(ids);
  return request;
}

class ErasingTest : public EvidenceTest {
 protected:
  Erasing erase(const EraseRequest& request) {
    return must(vestige::erase(trail.db(), request, because()));
  }
  std::string refused(const EraseRequest& request, const Context& context = because()) {
    return error_of(vestige::erase(trail.db(), request, context)).message;
  }
  // Every change, oldest first, a line each.
  std::string log(const std::string& wanted = "") {
    LogRequest request;
    if (!wanted.empty()) {
      request.table = "p";
      request.key = {wanted};
    }
    request.filter.oldest_first = true;
    auto all = must(vestige::log(trail.db(), request));
    std::string out;
    while (const auto change = must(all->next())) {
      out += fmt::format("{} {} {}", change->id, name(change->op), to_json(change->key));
      if (change->new_key.has_value()) out += "→" + to_json(*change->new_key);
      if (change->old_values.has_value()) out += " -" + to_json(*change->old_values);
      if (change->new_values.has_value()) out += " +" + to_json(*change->new_values);
      for (const ErasedPart& part : change->erased)
        out += fmt::format(" {}:{}", part.part, part.by);
      if (change->op == Op::erase) out += fmt::format(" of {}", change->erases);
      out += " " + to_json(change->context) + "\n";
    }
    return out;
  }
  std::string verified(const std::vector<std::string>& kept = {}) {
    const Verdict verdict = trail.verify(kept);
    std::string out = trail.found;
    for (const Erasure& one : verdict.erasures)
      out += fmt::format("{} took parts of {}: {}, {}{}\n", one.change, one.erased, one.actor,
                         one.reason, one.sealed ? "" : ", not sealed");
    return out;
  }
  static Moment just_after(std::int64_t change) { return {Moment::Kind::change, change}; }
};

}  // namespace vestige
