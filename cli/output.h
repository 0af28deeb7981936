// Output: everything that vestige writes to stdout, in one place. Verbs say what a piece of text is
// (a Label), never how it looks; colour, pager and the safety of terminals are decided here.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "server/csv.h"
#include "vestige/base/result.h"
#include "vestige/record/value.h"

namespace vestige::cli {

enum class Format { table, json, csv };

/// What a piece of text is.
enum class Label {
  plain,
  head,    // the head of a table, a title
  id,      // a change id or a transaction
  time,    // a moment
  name,    // a table, a key, a column
  insert,  // the operations
  update,
  remove,
  before,  // a value that went
  after,   // a value that came
  person,  // who
  reason,  // why
  faint,   // of little weight
  good,
  warning,
  bad,
};

struct Piece {
  Label label = Label::plain;
  std::string text;
};

/// Writes to stderr. Nobody may read there any more: that ends no command.
void talk(std::string_view bytes);

class Output {
 public:
  struct Choice {
    Format format = Format::table;
    bool raw = false;  // CSV: cells that a spreadsheet may take for formulas, as they are
    std::string colour = "auto";  // auto, always, never
    bool pager = true;
  };

  explicit Output(const Choice& choice);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output();

  Format format() const { return choice_.format; }
  /// The terminal's width; 0 when stdout is not a terminal, and nothing is ever cut.
  int width() const { return width_; }

  /// What follows may be long: on a terminal it goes through $PAGER.
  void long_text() { long_text_ = true; }

  /// What follows goes to a file instead of stdout; its owner closes it after finish().
  void into(int descriptor);

  /// Called once, before the first byte goes to a terminal.
  void before_terminal(std::function<void()> act) { before_terminal_ = std::move(act); }

  /// A line for people, made safe and coloured.
  void line(std::initializer_list<Piece> pieces);
  void line(const std::vector<Piece>& pieces);
  /// Text for people that is known to be safe: help, generated files.
  void text(std::string_view text);
  /// One JSON object; the newline is added.
  void json(std::string_view object);
  /// One CSV record (RFC 4180). What a spreadsheet would take for a formula has an apostrophe before it.
  void csv(const std::vector<std::string>& fields);
  /// A statement of a patch.
  void statement(std::string_view sql);

  /// False when nobody reads any more, or writing failed: what makes output can stop.
  bool wanted() const { return !closed_ && error_ == 0; }
  /// A line of talk, safe to print, on stderr, after what was printed so far; while a pager runs, in its page.
  void say(std::string_view line);
  /// Writes what was printed so far.
  void flush();
  /// Writes what was printed so far: what must be out before a transaction commits.
  ///
  /// faults   denied (the disk is full); a reader that went away is not one
  Result<void> written();
  /// Writes what is left and waits for the pager.
  ///
  /// faults   denied (the disk is full); a reader that went away is not one
  Result<void> finish();

 private:
  void write(std::string_view bytes);
  void start_pager();
  void append(std::string& out, const Piece& piece) const;

  Choice choice_;
  bool terminal_;
  bool colours_;
  int width_ = 0;
  bool long_text_ = false;
  bool closed_ = false;
  int error_ = 0;
  int descriptor_ = 1;
  int pager_ = 0;  // its process id
  std::string buffer_;
  std::function<void()> before_terminal_;
};

using server::csv_field;
using server::csv_text;

}  // namespace vestige::cli
