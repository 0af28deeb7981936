// Report: what was asked, what it stands on, and its rows, in the one form from which every format is made (report_html.h,
// report_json.h; the command line prints text and CSV). A report is made by one function of one file (reports.h lists them):
// it writes rows into sections, which are kept aside, so that memory does not grow with them. docs/reports.md, docs/format.md.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vestige/base/zone.h"
#include "vestige/db/spill.h"
#include "vestige/record/change.h"

namespace vestige {

enum class CellKind {
  text,
  number,  // a decimal numeral
  time,    // as format_time writes it; people see it on the report's clock
  value,   // canonical JSON of a value (record/value.h)
};

struct ReportColumn {
  std::string name;   // stable, for machines: "db_user"
  std::string title;  // for people: "db user"
  CellKind kind = CellKind::text;
};

/// What stands in a row under a column; nothing where there is nothing.
using Cell = std::optional<std::string>;
using Cells = std::vector<Cell>;

Cell text_cell(const std::string* text);
Cell text_cell(std::string_view text);  // "": nothing
Cell number_cell(std::int64_t number);
Cell time_cell(std::int64_t micros);
Cell value_cell(const Value* value);

/// A cell as people read it. Control characters and what else cannot be seen are left in it.
std::string shown(const Cell& cell, CellKind kind, const TimeZone& zone);

/// A value that is a number, as it is written.
bool is_number_token(std::string_view json);

struct ReportSection {
  std::string name;       // stable: "changes"
  std::string title;      // for people
  std::string text = {};  // one or more sentences above its rows
  std::vector<ReportColumn> columns = {};
  bool bad = false;          // its text says that something is not as it should be
  std::string picture = {};  // an SVG element
};

/// What a report stands on, and how it was asked for.
struct ReportHead {
  std::string name;
  std::string title;
  std::string database;
  std::string origin;                    // the log that signed the checkpoint; "": there is none
  std::string checkpoint;                // the note itself; "": there is none
  std::optional<std::uint64_t> covered;  // the entries that the checkpoint covers
  std::uint64_t left_out = 0;            // changes that it does not cover
  std::string complete;                  // what follows from that, in a sentence
  std::string verified;                  // what verify said, in a sentence
  bool sound = true;  // nothing is missing, and nothing is other than it was sealed
  std::string filter;
  std::string zone;
  std::optional<std::int64_t> since;  // microseconds
  std::optional<std::int64_t> until;
  std::int64_t made_at = 0;
  std::string made_by;
  std::string version;
  // What follows is known at the end:
  std::uint64_t rows = 0;
  std::string rows_sha256;  // lower-case hex, over the lines of all rows, each with its line end
};

class Report {
 public:
  explicit Report(TimeZone zone) : zone_(std::move(zone)) { head.zone = zone_.name(); }
  Report(const Report&) = delete;
  Report& operator=(const Report&) = delete;
  ~Report() = default;

  ReportHead head;

  /// Adds a section; its number. Sections are shown in their order and filled in any.
  std::size_t add(ReportSection section);
  ReportSection& section(std::size_t number) { return parts_[number].section; }
  std::size_t sections() const { return parts_.size(); }
  std::uint64_t rows(std::size_t section) const { return parts_[section].rows; }

  /// As many cells as the section has columns.
  ///
  /// faults   offline (there is no room for them)
  Result<void> row(std::size_t section, const Cells& cells);

  /// Counts and hashes the rows. Nothing is added afterwards.
  Result<void> finish();

  /// Reads the rows of a section from its beginning: each as the line that is hashed, and as cells.
  Result<void> read_again(std::size_t section);
  /// 'n' when none is left.
  Result<char> next_line(std::size_t section, std::string& line);
  Result<char> next_row(std::size_t section, Cells& cells);

  const TimeZone& zone() const { return zone_; }

 private:
  struct Part {
    ReportSection section;
    Spill lines;
    std::uint64_t rows = 0;
  };

  TimeZone zone_;
  std::deque<Part> parts_;
  std::string line_;
};

/// The head as one JSON object (docs/json.md).
std::string to_json(const ReportHead& head);

/// A text in which what would end a <script> is escaped: the same JSON value.
std::string embeddable(std::string_view json);

/// Takes a report's bytes: a file, stdout, a hash.
class ReportSink {
 public:
  ReportSink() = default;
  ReportSink(const ReportSink&) = delete;
  ReportSink& operator=(const ReportSink&) = delete;
  virtual ~ReportSink() = default;
  virtual void write(std::string_view bytes) = 0;
  /// False: nobody wants more of them.
  virtual bool wanted() const { return true; }
};

}  // namespace vestige
