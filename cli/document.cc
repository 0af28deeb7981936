#include "cli/document.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "cli/printable.h"

namespace vestige::cli {
namespace {

std::string indented(const std::string& text, const std::string& indent) {
  std::string out = indent;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// Characters that mean something to roff.
std::string roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else out += c;
    line_start = c == '\n';
  }
  return out;
}

// `code` in bold.
std::string roff_prose(std::string_view text) {
  std::string out;
  bool bold = false;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t mark = std::min(text.find('`', at), text.size());
    out += roff(text.substr(at, mark - at));
    if (mark < text.size()) out += std::exchange(bold, !bold) ? "\\fR" : "\\fB";
    at = mark + 1;
  }
  return out;
}

}  // namespace

std::string wrapped(std::string_view text, int indent, int width) {
  std::string out;
  int used = indent;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t space = std::min(text.find(' ', at), text.size());
    const std::string_view word = text.substr(at, space - at);
    const int length = display_width(word);
    if (used + 1 + length > width && at > 0) {
      out += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
      used = indent;
    } else if (at > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += length;
    at = space + 1;
  }
  return out;
}

std::string Document::plain() const {
  std::string out;
  for (const Block& block : blocks_) {
    if (!out.empty() && block.kind != Kind::items && block.kind != Kind::code) out += '\n';
    switch (block.kind) {
      case Kind::title:
      case Kind::section:
      case Kind::part: out += block.text + "\n"; break;
      case Kind::paragraph: out += wrapped(block.text, 0) + "\n"; break;
      case Kind::code: out += indented(block.text, "  ") + "\n"; break;
      case Kind::items: {
        int width = 0;
        for (const Item& item : block.items) width = std::max(width, display_width(item.term));
        width = std::min(width, 24);
        for (const Item& item : block.items) {
          const int missing = width - display_width(item.term);
          out += "  " + item.term;
          out += missing < 0 ? "\n" + std::string(static_cast<std::size_t>(width + 4), ' ')
                             : std::string(static_cast<std::size_t>(missing + 2), ' ');
          out += wrapped(item.text, width + 4, 96) + "\n";
        }
        break;
      }
    }
  }
  return out;
}

std::string Document::markdown() const {
  std::string out;
  for (const Block& block : blocks_) {
    if (!out.empty()) out += '\n';
    switch (block.kind) {
      case Kind::title: out += "# " + block.text + "\n"; break;
      case Kind::section: out += "## " + block.text + "\n"; break;
      case Kind::part: out += "### " + block.text + "\n"; break;
      case Kind::paragraph: out += wrapped(block.text, 0, 100) + "\n"; break;
      case Kind::code: out += "```\n" + block.text + "\n```\n"; break;
      case Kind::items:
        for (const Item& item : block.items) out += "- `" + item.term + "`: " + item.text + "\n";
        break;
    }
  }
  return out;
}

std::string Document::man() const {
  std::string out;
  for (const Block& block : blocks_) {
    switch (block.kind) {
      case Kind::title: break;
      case Kind::section: out += ".SH " + roff(upper(block.text)) + "\n"; break;
      case Kind::part: out += ".SS " + roff(block.text) + "\n"; break;
      case Kind::paragraph: out += ".PP\n" + roff_prose(block.text) + "\n"; break;
      case Kind::code: out += ".PP\n.nf\n.RS 4\n" + roff(block.text) + "\n.RE\n.fi\n"; break;
      case Kind::items:
        for (const Item& item : block.items)
          out += ".TP\n\\fB" + roff(item.term) + "\\fR\n" + roff_prose(item.text) + "\n";
        break;
    }
  }
  return out;
}

}  // namespace vestige::cli
