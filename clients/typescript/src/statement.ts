/**
 * What the statements of a query's text are, as far as a context has to know: where transactions begin and end, and what
 * writes. It reads text as PostgreSQL's lexer does, so that what stands in strings, comments, dollar quotes and bodies of
 * functions is no statement. Test: test/statement.test.ts.
 */

export type Kind =
  | "begin"        // BEGIN, START TRANSACTION
  | "end"          // COMMIT, END, ROLLBACK, ABORT, PREPARE TRANSACTION
  | "chain"        // COMMIT or ROLLBACK … AND CHAIN: the next transaction begins at once
  | "savepoint" | "release" | "rollback_to"
  | "setting"      // SET, SHOW, …: nothing that is recorded, and SET TRANSACTION wants to be first
  | "write"        // INSERT, UPDATE, DELETE, MERGE, TRUNCATE, COPY … FROM; WITH and EXPLAIN that have one inside
  | "other";       // SELECT, CALL, DDL, …: may write, but nobody can tell from the text

export interface Statement {
  kind: Kind;
  start: number;   // of its first word
  end: number;     // after its last token: what is inserted there stands before any comment that follows
  name?: string;   // of the savepoint
}

const WORD = /[\p{L}_\u0080-\uffff][\p{L}\p{N}_$\u0080-\uffff]*/uy;
const DOLLAR = /\$(?:[\p{L}_\u0080-\uffff][\p{L}\p{N}_\u0080-\uffff]*)?\$/uy;
const SPACE = /[ \t\n\r\f\v]/;
const NUMBER = /[0-9][\p{L}\p{N}_.$]*/uy;

interface Token {
  text: string;    // a word in lower case, a quoted name as it is meant, a character; "" for a string
  quoted: boolean;
  start: number;
  end: number;
}

/** The tokens of a text, one after the other. */
function* tokens(text: string, backslashes: boolean): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const start = at;
    const character = text[at]!;
    if (SPACE.test(character)) {
      at += 1;
    } else if (text.startsWith("--", at)) {
      at = lineEnd(text, at);
    } else if (text.startsWith("/*", at)) {
      at = commentEnd(text, at);
    } else if (character === "'") {
      at = stringEnd(text, at, backslashes);
      yield { text: "", quoted: true, start, end: at };
    } else if (character === "\"") {
      at = stringEnd(text, at, false);
      yield { text: text.slice(start + 1, at - 1).replace(/""/g, "\""), quoted: true, start, end: at };
    } else if (match(NUMBER)) {
      at += match(NUMBER)!.length;
      yield { text: "", quoted: true, start, end: at };
    } else if (match(DOLLAR)) {
      const fence = match(DOLLAR)!;
      const close = text.indexOf(fence, at + fence.length);
      at = close < 0 ? text.length : close + fence.length;
      yield { text: "", quoted: true, start, end: at };
    } else if (match(WORD)) {
      const word = match(WORD)!;
      at += word.length;
      if (word.length === 1 && text[at] === "'" && /[ebxn]/i.test(word)) {
        at = stringEnd(text, at, /e/i.test(word));
        yield { text: "", quoted: true, start, end: at };
      } else {
        yield { text: word.toLowerCase(), quoted: false, start, end: at };
      }
    } else {
      at += 1;
      yield { text: character, quoted: false, start, end: at };
    }
  }
}

function lineEnd(text: string, at: number): number {
  for (; at < text.length && text[at] !== "\n" && text[at] !== "\r"; at += 1);
  return at;
}

function commentEnd(text: string, at: number): number {
  let depth = 0;
  while (at < text.length) {
    if (text.startsWith("/*", at)) {
      depth += 1;
      at += 2;
    } else if (text.startsWith("*/", at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) {
        return at;
      }
    } else {
      at += 1;
    }
  }
  return at;
}

function stringEnd(text: string, at: number, backslashes: boolean): number {
  const quote = text[at];
  for (at += 1; at < text.length; at += 1) {
    if (backslashes && text[at] === "\\") {
      at += 1;
    } else if (text[at] === quote) {
      if (text[at + 1] !== quote) {
        return at + 1;
      }
      at += 1;
    }
  }
  return text.length;
}

/**
 * The statements of a text.
 *
 * backslashes  whether a backslash escapes in a plain string, too: standard_conforming_strings is off
 */
export function statements(text: string, backslashes = false): Statement[] {
  const found: Statement[] = [];
  let tokensOf: Token[] = [];
  let parens = 0;
  let bodies = 0;   // BEGIN ATOMIC … END of a function, and CASE … END inside
  const close = (): void => {
    if (tokensOf.length > 0) {
      found.push(statement(tokensOf));
    }
    tokensOf = [];
    parens = 0;
    bodies = 0;
  };
  for (const token of tokens(text, backslashes)) {
    if (token.text === ";" && !token.quoted && parens === 0 && bodies === 0) {
      close();
      continue;
    }
    if (!token.quoted) {
      if (token.text === "(") {
        parens += 1;
      } else if (token.text === ")") {
        parens -= 1;
      } else if (token.text === "atomic" && tokensOf.at(-1)?.text === "begin" && tokensOf[0]?.text === "create") {
        bodies += 1;
      } else if (bodies > 0 && token.text === "case") {
        bodies += 1;
      } else if (bodies > 0 && token.text === "end") {
        bodies -= 1;
      }
    }
    tokensOf.push(token);
  }
  close();
  return found;
}

const WRITES = new Set(["insert", "update", "delete", "merge", "truncate"]);
const SETTINGS = new Set(["set", "reset", "show", "discard", "listen", "unlisten", "notify", "deallocate", "lock"]);

function statement(all: Token[]): Statement {
  const words = all.filter((token) => !token.quoted).map((token) => token.text);
  const place = { start: all[0]!.start, end: all.at(-1)!.end };
  const [first, second] = words;
  switch (all[0]!.quoted ? "" : first) {
    case "begin":
      return { kind: "begin", ...place };
    case "start":
      return { kind: second === "transaction" ? "begin" : "other", ...place };
    case "commit":
    case "end":
    case "abort":
    case "rollback":
      return { ...ending(all, words), ...place };
    case "prepare":
      return { kind: second === "transaction" ? "end" : "other", ...place };
    case "savepoint":
      return { kind: "savepoint", name: name(all, 1), ...place };
    case "release":
      return { kind: "release", name: name(all, second === "savepoint" ? 2 : 1), ...place };
    default:
      return { kind: SETTINGS.has(first ?? "") ? "setting" : writes(words) ? "write" : "other", ...place };
  }
}

function ending(all: Token[], words: string[]): { kind: Kind; name?: string } {
  const rest = words.slice(1).filter((word) => word !== "work" && word !== "transaction");
  if (rest[0] === "prepared") {
    return { kind: "other" };
  }
  if (rest[0] === "to") {
    const at = all.findIndex((token) => !token.quoted && token.text === "to");
    return { kind: "rollback_to", name: name(all, all[at + 1]?.text === "savepoint" && all[at + 2] ? at + 2 : at + 1) };
  }
  return { kind: rest[0] === "and" && rest[1] === "chain" ? "chain" : "end" };
}

function name(all: Token[], at: number): string {
  return all[at]?.text ?? "";
}

/** Whether a statement surely writes. A function that a SELECT calls may, too; nobody can tell from its text. */
function writes(words: string[]): boolean {
  const first = words[0] ?? "";
  if (WRITES.has(first)) {
    return true;
  }
  switch (first) {
    case "copy":
      return copiesIn(words);
    case "with":
      return words.some((word, at) => WRITES.has(word) && words[at - 1] !== "for" && words[at - 1] !== ".");
    case "explain":
      return explained(words);
    default:
      return false;
  }
}

function copiesIn(words: string[]): boolean {
  let depth = 0;
  for (const word of words) {
    depth += word === "(" ? 1 : word === ")" ? -1 : 0;
    if (depth === 0 && (word === "from" || word === "to")) {
      return word === "from";
    }
  }
  return false;
}

function explained(words: string[]): boolean {
  const at = words.findIndex((word) => WRITES.has(word) || word === "with");
  return at > 0 && words.slice(1, at).includes("analyze") && (words[at] !== "with" || writes(words.slice(at)));
}
