/**
 * What the statements of a text are, as SQLite's lexer reads it: names in four kinds of quotes, comments that do not nest,
 * triggers whose bodies have statements of their own. Test: test/sqlite_text.test.ts.
 */

export type Kind =
  | "begin"
  | "commit"        // COMMIT, END
  | "rollback"
  | "savepoint" | "release" | "rollback_to"
  | "write"         // INSERT, REPLACE, UPDATE, DELETE; WITH that has one
  | "other";

export interface Statement {
  kind: Kind;
  text: string;
}

// In turn: space, comments, strings and names in quotes, words and what parameters are made of, anything else. A quote that is
// written twice ends one string and begins the next, which is all the same here. No group is repeated: that would need room for each turn,
// and a string may have megabytes.
const TOKEN = /\s+|--[^\n]*|\/\*[^]*?(?:\*\/|$)|'[^']*'?|"[^"]*"?|`[^`]*`?|\[[^\]]*\]?|[\p{L}_$@:?#\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*|[^]/uy;
const BLANK = /^(?:\s|--|\/\*)/;

/** The statements of a text, each with what stands before it. Of a text that only says nothing there is none. */
export function statements(text: string): Statement[] {
  const found: Statement[] = [];
  let words: string[] = [];
  let start = 0;
  const close = (end: number): void => {
    if (words.length > 0) {
      found.push({ kind: kind(words), text: text.slice(start, end) });
    }
    words = [];
    start = end;
  };
  TOKEN.lastIndex = 0;
  for (let token = TOKEN.exec(text)?.[0]; token !== undefined && token !== ""; token = TOKEN.exec(text)?.[0]) {
    if (token !== ";") {
      if (!BLANK.test(token)) {
        words.push(token.toLowerCase());
      }
    } else if (!isTrigger(words) || words.at(-1) === "end" && words.at(-2) === ";") {
      close(TOKEN.lastIndex);
    } else {
      words.push(token);
    }
  }
  close(text.length);
  return found;
}

/** CREATE TRIGGER ends as sqlite3_complete() says: with an END that a semicolon stands before. */
function isTrigger(words: readonly string[]): boolean {
  const [first, second, third] = words[0] === "explain" ? words.slice(1) : words;
  return first === "create" && (second === "trigger" || ((second === "temp" || second === "temporary") && third === "trigger"));
}

function kind(words: readonly string[]): Kind {
  switch (words[0]) {
    case "begin":
    case "savepoint":
    case "release":
    case "commit":
      return words[0];
    case "end":
      return "commit";
    case "rollback":
      return words[1] === "to" || words[2] === "to" ? "rollback_to" : "rollback";
    case "insert":
    case "replace":
    case "update":
    case "delete":
      return "write";
    case "with":
      return words.some(writes) ? "write" : "other";
    default:
      return "other";
  }
}

/** INSERT INTO, REPLACE INTO, DELETE FROM, and UPDATE, which is a name nowhere without quotes; replace() is a function. */
function writes(word: string, at: number, words: readonly string[]): boolean {
  const next = words[at + 1];
  return word === "update" || (word === "insert" && (next === "into" || next === "or"))
    || (word === "replace" && next === "into") || (word === "delete" && next === "from");
}
