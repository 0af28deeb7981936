// The manual's words. What belongs to a verb stands in its cmd_<verb>.cc.
#include "cli/help.h"

#include <cctype>

#include "cli/arguments.h"
#include "cli/document.h"

namespace vestige::cli {
namespace {

constexpr std::string_view kWhat =
    "an audit trail for PostgreSQL and SQLite: who changed which row, when, why, and what it was "
    "before.";

// Five commands that show what it is for.
const std::vector<Example>& tour() {
  static const std::vector<Example> all = {
      {"export VESTIGE_DB=shop.db", ""},
      {"vestige init", "install the trail"},
      {"vestige track products", "from now on every change is recorded"},
      {"sqlite3 shop.db 'update products set price = 89900'", "whoever makes it"},
      {"vestige log products 1", "what happened to this row?"},
      {"vestige blame products 1", "who last touched each column?"},
      {"vestige at products --time 7d", "what was it like a week ago?"},
      {"vestige revert --tx 1", "undo that transaction"},
  };
  return all;
}

std::string capitalised(std::string text) {
  text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string commented(const std::vector<Example>& examples) {
  std::string out;
  for (const Example& example : examples) {
    if (!out.empty()) out += '\n';
    out += example.command;
    if (example.what.empty()) continue;
    constexpr std::size_t kColumn = 54;
    if (example.command.size() < kColumn)
      out += std::string(kColumn - example.command.size(), ' ') + "# " + example.what;
    else out += "  # " + example.what;
  }
  return out;
}

std::vector<Item> option_items(const std::vector<Option>& options) {
  std::vector<Item> items;
  for (const Option& option : options)
    items.push_back({option.names + (option.value.empty() ? "" : " " + option.value),
                     option.summary + (option.repeated ? "; may be repeated" : "")});
  return items;
}

std::vector<std::string> groups() {
  std::vector<std::string> names;
  for (const Command& command : commands())
    if (names.empty() || names.back() != command.group) names.push_back(command.group);
  return names;
}

std::vector<Item> verb_items(const std::string& group) {
  std::vector<Item> items;
  for (const Command& command : commands())
    if (command.group == group) items.push_back({command.name, command.summary});
  return items;
}

void add_exit_codes(Document& document) {
  document.section("Exit codes");
  document.items(
      {{"0", "done"},
       {"1",
        "the answer is no: plan found differences, doctor something out of order, verify or check "
        "something that is not as it was sealed"},
       {"2", "the command line is wrong"},
       {"3", "it could not be done; exec, ddl, restore and revert changed nothing"}});
}

void add_environment(Document& document) {
  document.section("Environment");
  document.items(
      {{"VESTIGE_DB", "the database, when there is no --db"},
       {"DATABASE_URL", "the database, when vestige.toml names none either"},
       {"PGDATABASE, PGHOST, PGSERVICE, …",
        "PostgreSQL's own: the database when nothing else names one, and whatever a URL leaves "
        "out"},
       {"PAGER",
        "shows long output on a terminal (log, show, diff, at); less when it is not set, and "
        "none when it is empty"},
       {"NO_COLOR", "no colours, whatever it is set to"}});
}

void add_plan_file(Document& document) {
  document.section("vestige.toml");
  document.paragraph(
      "Policies as code, for `vestige plan` and `vestige apply`. Every key may be left out. "
      "It is looked for in this directory, then in those above it, up to the home directory. "
      "`database` is used by every verb that runs in the file's directory, or below it, and is "
      "given no other database. [evidence] is whom `vestige verify` trusts when it is given no key "
      "and no policy: the log's key, and how many of which witnesses must have cosigned; behind a "
      "witness's key may stand its address, for `vestige witness add`. [context.signers] is whose "
      "signatures of contexts count (docs/signed-context.md). `encrypt = { ssn = \"phi\" }` under "
      "a table names columns and the class of keys that opens them, `subject` the column that says "
      "whose a row is, `recipient` under [keys.phi] whom they are encrypted for, or `recipients` "
      "whom from when on (docs/privacy.md). A period of retention is a number of days, weeks, "
      "months or years, or forever.");
  document.code(R"(database = "sqlite:shop.db"

[retention]
standard = "18 months"
books = { keep = "7 years", hot = "1 year", archive = true }    # hot: of it in the database

[tables.products]
exclude = ["updated_at"]      # or include = […]: only these, and the key
redact = ["card_number"]      # that it changed is recorded, its value never
tags = ["SOX"]

[tables.accounts]
when = "NEW.balance <> OLD.balance"
require = ["actor", "reason"]
key = ["number"]              # otherwise the primary key
capture = "full"              # or "changes", the default
on_truncate = "deny"          # PostgreSQL only: "rows", the default, "mark" or "deny"
retention = "books"
classification = "confidential"

[evidence]
vkey = "audit.example.com/shop+09c5d25b+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs"

[evidence.witnesses]          # or, under [evidence], policy = "FILE": C2SP tlog-policy
quorum = 1                    # so many of these must have cosigned
keys = [
  "w1.example.org+b9b633dc+BNVCB9oZSXfc9Grb/sK8LnW1LVqKQhhP7f3AACTw4+ja http://w1.example.org/",
  "w2.example.org+bffabad6+BFEcNKGiy1Id8WuyRrjejnmXziNcfnayKj11A6JIGd2K",
]

[access]
record = true                 # reads of the trail are recorded, and what becomes of policies

[review.changes]              # `vestige review due` asks whether it was looked at
every = "month"               # and report = "…", filter = "…", since = 2026-01-01

[hold]
two_persons = true            # another person than the one who places a hold releases it

[console.users]               # of vestige serve: whose rights in the database each of them has
ann = "vestige_auditor"

[archive]
directory = "/srv/archive"    # what log, show, blame and at read, and expire counts on

[context.signers]
shop-web = { key = "shop-web+11d85919+AcRUXp2ACudfPH9W9yI2aMmG8T4+PNG826pJbMfjGhgt" })");
}

void add_verb(Document& document, const Command& command) {
  document.paragraph(capitalised(command.summary) + ".");
  document.code(usage(command));
  for (const std::string& paragraph : command.about) document.paragraph(paragraph);
}

}  // namespace

std::string short_help() {
  Document document;
  document.title("vestige: " + std::string(kWhat));
  document.section("usage: vestige [--db URL] VERB …");
  for (const std::string& group : groups()) {
    document.section(capitalised(group));
    document.items(verb_items(group));
  }
  document.section("In 60 seconds");
  document.code(commented(tour()));
  document.section("With every verb");
  document.items(option_items(global_options()));
  document.paragraph("vestige help VERB explains a verb; man vestige has it all.");
  return document.plain();
}

std::string verb_help(const Command& command) {
  Document document;
  document.title("usage: " + usage(command));
  document.paragraph(capitalised(command.summary) + ".");
  for (const std::string& paragraph : command.about) document.paragraph(paragraph);
  if (!command.options.empty()) {
    document.section("Options");
    document.items(option_items(command.options));
  }
  if (!command.examples.empty()) {
    document.section("Examples");
    for (const Example& example : command.examples)
      document.code("# " + example.what + "\n" + example.command);
  }
  return document.plain();
}

std::string markdown_help() {
  Document document;
  document.title("The command line");
  document.paragraph("vestige is " + std::string(kWhat) +
                     " This page is printed by `vestige help --markdown`.");
  document.code("vestige [--db URL] VERB …");
  document.paragraph(
      "Data goes to stdout, messages to stderr. What `--format json` prints is described in "
      "json.md.");
  for (const std::string& group : groups()) document.items(verb_items(group));
  document.section("In 60 seconds");
  document.code(commented(tour()));
  document.section("Options of every verb");
  document.items(option_items(global_options()));
  document.paragraph(
      "Options may stand before or after words; after `--` everything is a word. "
      "Negative numbers are words.");
  add_exit_codes(document);
  add_environment(document);
  add_plan_file(document);
  for (const Command& command : commands()) {
    document.section("vestige " + command.name);
    add_verb(document, command);
    if (!command.options.empty()) document.items(option_items(command.options));
    if (!command.examples.empty()) {
      std::string text;
      for (const Example& example : command.examples)
        text += (text.empty() ? "" : "\n") + ("# " + example.what) + "\n" + example.command;
      document.code(text);
    }
  }
  return document.markdown();
}

std::string man_page() {
  Document document;
  document.section("Name");
  document.paragraph("vestige - " + std::string(kWhat.substr(0, kWhat.size() - 1)));
  document.section("Synopsis");
  document.code("vestige [--db URL] VERB …");
  document.section("Description");
  document.paragraph("Data goes to stdout, messages to stderr.");
  for (const std::string& group : groups()) {
    document.part(capitalised(group));
    document.items(verb_items(group));
  }
  document.section("Options of every verb");
  document.items(option_items(global_options()));
  document.section("Verbs");
  for (const Command& command : commands()) {
    document.part(command.name);
    add_verb(document, command);
    if (!command.options.empty()) document.items(option_items(command.options));
  }
  add_exit_codes(document);
  add_environment(document);
  add_plan_file(document);
  document.section("Examples");
  document.code(commented(tour()));
  return ".\\\" Generated by `vestige help --man`.\n.TH VESTIGE 1 \"\" \"vestige " VESTIGE_VERSION
         "\"\n" +
         document.man();
}

}  // namespace vestige::cli
