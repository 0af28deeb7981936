// Document: the manual's text once, in three renderings: plain, Markdown, man.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vestige::cli {

struct Item {
  std::string term;  // code
  std::string text;
};

class Document {
 public:
  void title(std::string text) { add(Kind::title, std::move(text)); }
  void section(std::string text) { add(Kind::section, std::move(text)); }
  void part(std::string text) { add(Kind::part, std::move(text)); }
  /// `code` stands between backquotes.
  void paragraph(std::string text) { add(Kind::paragraph, std::move(text)); }
  /// A block that is kept as it is.
  void code(std::string text) { add(Kind::code, std::move(text)); }
  void items(std::vector<Item> items) { blocks_.push_back({Kind::items, "", std::move(items)}); }

  std::string plain() const;
  std::string markdown() const;
  /// The body of a man page, without .TH.
  std::string man() const;

 private:
  enum class Kind { title, section, part, paragraph, code, items };
  struct Block {
    Kind kind;
    std::string text;
    std::vector<Item> items;
  };

  void add(Kind kind, std::string text) { blocks_.push_back({kind, std::move(text), {}}); }

  std::vector<Block> blocks_;
};

/// Breaks lines at spaces; every line after the first starts with `indent` spaces.
std::string wrapped(std::string_view text, int indent, int width = 80);

}  // namespace vestige::cli
