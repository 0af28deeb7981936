#include "vestige/rules/message.h"

#include <algorithm>
#include <cmath>

#include "vestige/base/decimal.h"
#include "vestige/rules/numbers.h"

namespace vestige {
namespace {

constexpr std::size_t kLongest = 200;  // bytes of a value

// Not within a letter of UTF-8.
std::string cut(std::string text) {
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string shown(const Value* value) {
  return value == nullptr ? "null" : cut(to_display(*value));
}

std::string signed_number(double number) {
  return (number > 0 ? "+" : "") + fmt::format("{:.10g}", number);
}

}  // namespace

Result<Message::Part> Message::named(const std::string& name, const std::string& column,
                                     const std::vector<std::string>& more) {
  if (std::find(more.begin(), more.end(), name) != more.end()) return Part{Of::more, name, {}};
  for (const auto& [word, of] : {std::pair("delta", Of::delta), std::pair("pct", Of::pct)}) {
    if (name == word && column.empty())
      return hinted(fail(Fault::invalid, "{{{}}}: which column is meant is not said", name),
                    fmt::format("{{{}.COLUMN}}, or one column: in select", word));
    if (name == word) return Part{of, "", {Reference::Of::change, column}};
    if (name.starts_with(std::string(word) + "."))
      return Part{of, "", {Reference::Of::change, name.substr(std::string_view(word).size() + 1)}};
  }
  Part part{Of::value, "", {}};
  part.reference = TRY(parse_reference(name));
  return part;
}

Result<Message> Message::parse(std::string_view text, const std::string& column,
                               const std::vector<std::string>& more) {
  Message message;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      plain += c;
      ++i;
    } else if (c == '}') {
      return fail(Fault::invalid, "a }} closes nothing");
    } else if (c == '{') {
      const std::size_t end = text.find('}', i);
      if (end == std::string_view::npos) return fail(Fault::invalid, "a {{ is not closed");
      message.parts_.push_back({Of::text, std::exchange(plain, ""), {}});
      message.parts_.push_back(
          TRY(named(std::string(text.substr(i + 1, end - i - 1)), column, more)));
      i = end;
    } else {
      plain += c;
    }
  }
  message.parts_.push_back({Of::text, plain, {}});
  return message;
}

std::string Message::text(Subject& subject, const More& more) const {
  std::string out;
  for (const Part& part : parts_) {
    switch (part.of) {
      case Of::text: out += part.text; break;
      case Of::value: out += shown(subject.value(part.reference)); break;
      case Of::more: {
        const auto found = more.find(part.text);
        out += found == more.end() ? "null" : cut(found->second);
        break;
      }
      case Of::delta:
      case Of::pct: {
        const auto before = number_of(value_before(subject.change(), part.reference.name));
        const auto after = number_of(value_after(subject.change(), part.reference.name));
        if (!before.has_value() || !after.has_value()) out += "?";
        else if (part.of == Of::delta) out += signed_number(*after - *before);
        else if (*before == 0) out += "?";
        else out += fmt::format("{:+.1f} %", (*after - *before) / std::abs(*before) * 100);
        break;
      }
    }
  }
  return out;
}

}  // namespace vestige
