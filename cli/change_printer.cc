#include "cli/change_printer.h"

#include "cli/change_text.h"
#include "cli/session.h"

namespace vestige::cli {
namespace {

std::vector<Heading> headings(const ChangeForm& form) {
  std::vector<Heading> all;
  if (form.index) all.push_back({.name = "index", .right = true});
  all.insert(all.end(), {{.name = "id", .right = true},
                         {.name = "tx", .right = true},
                         {.name = time_heading("time")},
                         {.name = "op"}});
  if (form.tables) all.push_back({.name = "table", .elastic = true});
  if (form.keys) all.push_back({.name = "key", .elastic = true});
  all.push_back({.name = "what", .elastic = true, .least = 16, .dear = true});
  all.push_back({.name = "who", .elastic = true});
  all.push_back({.name = "why", .elastic = true});
  return all;
}

}  // namespace

ChangeForm change_form(const Arguments& arguments, const LogRequest& asked) {
  ChangeForm form;
  form.patch = arguments.has("--patch");
  form.oneline = arguments.has("--oneline");
  form.tables = asked.table.empty();
  form.keys = asked.key.empty();
  form.index = arguments.has("--follow");
  return form;
}

ChangePrinter::ChangePrinter(Output& output, ChangeForm form)
    : output_(output), form_(form), table_(output, headings(form)) {
  if (output.format() == Format::csv) print_csv_head(output, form.index);
}

void ChangePrinter::row(const Change& change) {
  std::vector<Piece> cells;
  if (form_.index) cells.push_back({Label::id, std::to_string(change.index.value_or(0))});
  cells.insert(cells.end(), {{Label::id, std::to_string(change.id)},
                             {Label::id, std::to_string(change.tx)},
                             {Label::time, time_cell(output_, change.at)},
                             op_piece(change.op)});
  if (form_.tables) cells.push_back({Label::name, change.table});
  if (form_.keys) cells.push_back({Label::name, key_words(change.key)});
  cells.push_back({Label::plain, what_changed(change)});
  cells.push_back({Label::person, signed_who_text(change)});
  cells.push_back({Label::reason, context_text(change, "reason")});
  table_.row(std::move(cells));
}

void ChangePrinter::print(const Change& change) {
  const bool first = !std::exchange(any_, true);
  if (output_.format() == Format::json) {
    output_.json(to_json(change));
  } else if (output_.format() == Format::csv) {
    print_csv(output_, change, form_.index);
  } else if (form_.patch || form_.whole) {
    if (!first) output_.line({});
    if (form_.whole) print_change(output_, change);
    else print_patch(output_, change);
  } else if (form_.oneline) {
    print_line(output_, change);
  } else {
    row(change);
  }
}

}  // namespace vestige::cli
