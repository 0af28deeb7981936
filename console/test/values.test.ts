import assert from "node:assert/strict";
import test from "node:test";
import { around, difference, head, hunks, tail } from "../src/difference.ts";
import { EventReader } from "../src/events.ts";
import { parse, type Members } from "../src/json.ts";
import { ago, dayName, exact, nextDay, setZone, short } from "../src/time.ts";
import { cut, keyWords, same, shellWord, shownValue } from "../src/values.ts";

const shown = (json: string): [string, string] => {
  const { kind, text } = shownValue(parse(json));
  return [kind, text];
};

test("values look as docs/json.md says", () => {
  assert.deepEqual(shown("null"), ["null", "NULL"]);
  assert.deepEqual(shown("9223372036854775807"), ["number", "9223372036854775807"]);
  assert.deepEqual(shown("2.0"), ["number", "2.0"]);
  assert.deepEqual(shown("-0.0"), ["number", "-0.0"]);
  assert.deepEqual(shown('{"$real":"-Inf"}'), ["number", "-Inf"]);
  assert.deepEqual(shown('"text"'), ["text", "text"]);
  assert.deepEqual(shown('""'), ["text", "''"]);
  assert.deepEqual(shown('"null"'), ["text", "'null'"]);
  assert.deepEqual(shown('{"$blob":"00ff"}'), ["bytes", "x'00ff'"]);
  assert.deepEqual(shown('{"$text":"ff41"}'), ["bytes", "x'ff41'"]);
  assert.deepEqual(shown('{"$unrecorded":true}'), ["withheld", "too large to be recorded"]);
  assert.deepEqual(shown('{"$redacted":true}'), ["withheld", "redacted"]);
  assert.deepEqual(shown('{"$encrypted":"AAEC"}'), ["withheld", "encrypted"]);
  assert.equal(shownValue(parse('{"$encrypted":"AAEC"}'), "phi").text, "encrypted (phi)");
  assert.equal(shownValue(parse('{"$redacted":true}'), "phi").text, "redacted");
  assert.deepEqual(shown('{"a":[1,2.50]}'), ["other", '{"a":[1,2.50]}']);
  assert.deepEqual(shown('{"toString":1}'), ["other", '{"toString":1}']);
  assert.deepEqual(shown("true"), ["other", "true"]);
  assert.equal(shownValue(undefined).text, "not recorded");
});

test("values are the same bit by bit", () => {
  assert.ok(same(parse("1"), parse("1")));
  assert.ok(!same(parse("1"), parse("1.0")));
  assert.ok(!same(parse("9007199254740993"), parse("9007199254740992")));
  assert.ok(!same(null, undefined));
  assert.ok(same(undefined, undefined));
});

test("a key is what the verbs take", () => {
  assert.deepEqual(keyWords(parse('{"b":9223372036854775807,"a":"x,y","2":null}') as Members), ["9223372036854775807", "x,y", "null"]);
  assert.deepEqual(keyWords(parse('{"id":".."}') as Members), ["id=.."]);
  assert.deepEqual(keyWords(parse('{"id":""}') as Members), ["id="]);
  assert.deepEqual(keyWords(parse('{"a":"b=1","b":2}') as Members), ["a=b=1", "b=2"]);
  assert.equal(shellWord("it's; rm -rf $HOME"), "'it'\\''s; rm -rf $HOME'");
  assert.equal(shellWord("tx:44"), "tx:44");
  assert.equal(shellWord(""), "''");
});

test("a text is cut between letters", () => {
  assert.deepEqual(cut("a😀b", 2), { text: "a", rest: 3 });
  assert.deepEqual(cut("a😀b", 3), { text: "a😀", rest: 1 });
  assert.equal(tail("abc😀", 1), "…");
  assert.equal(head("😀abc", 1), "…");
});

test("where texts differ is the middle, and the parts are the texts", () => {
  assert.deepEqual(difference("made by a family here", "made by two families here"), { before: "made by ", removed: "a family", added: "two families", after: " here" });
  for (const [old, now] of [["", ""], ["a", ""], ["", "a"], ["aaa", "aa"], ["abab", "ab"], ["x😀y", "x😁y"], ["the cat", "the cats"], ["a\nb", "a\nc"], ["same", "same"]] as const) {
    const { before, removed, added, after } = difference(old, now);
    assert.equal(before + removed + after, old);
    assert.equal(before + added + after, now);
    assert.doesNotMatch(before, /[\ud800-\udbff]$/);
    assert.doesNotMatch(after, /^[\udc00-\udfff]/);
  }
});

test("which words went and which came, and put together they are the texts", () => {
  const told = (old: string, now: string): string => hunks(old, now).map(({ kind, text }) => (kind === "same" ? text : kind === "removed" ? `[-${text}-]` : `{+${text}+}`)).join("");
  assert.equal(told("made by a family in the hills for years.", "made by two families in the hills for decades."), "made by [-a family-]{+two families+} in the hills for [-years-]{+decades+}.");
  assert.equal(told("same", "same"), "same");
  assert.equal(told("", "new"), "{+new+}");
  const letters = ["ab", "cd", " ", ", ", "😀", "\n", "é"];
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const text = (): string => Array.from({ length: random(12) }, () => letters[random(letters.length)]).join("");
  for (let i = 0; i < 3000; ++i) {
    const [old, now] = [text(), text()];
    const all = hunks(old, now);
    assert.equal(all.filter((one) => one.kind !== "added").map((one) => one.text).join(""), old);
    assert.equal(all.filter((one) => one.kind !== "removed").map((one) => one.text).join(""), now);
  }
  const many = "x ".repeat(5000);
  assert.equal(hunks(`a${many}b`, `c${many}d`).length, 2);
  assert.equal(around("0123456789", 3, false, false), "012…789");
  assert.equal(around("0123456789", 3, true, false), "…789");
});

test("times are of the trail's zone", () => {
  setZone("Europe/Berlin");
  assert.equal(short("2026-11-22T05:46:52.082000Z", new Date("2026-12-01T00:00:00Z")), "22 Nov 06:46:52");
  assert.equal(short("2025-11-22T05:46:52.082000Z", new Date("2026-12-01T00:00:00Z")), "22 Nov 2025 06:46:52");
  assert.equal(exact("2026-11-22T23:46:52.082001Z"), "2026-11-23 00:46:52.082001 Europe/Berlin");
  setZone("No/Where");
  assert.equal(short("2026-11-22T00:00:00.000000Z", new Date("2026-12-01T00:00:00Z")), "22 Nov 00:00:00");
  assert.equal(short("not a time"), "not a time");
  assert.equal(ago("2026-11-22T00:00:00Z", new Date("2026-11-22T00:01:30Z")), "1 minute ago");
  assert.equal(nextDay("2026-02-28"), "2026-03-01");
  assert.equal(nextDay("2026-03-01", -2), "2026-02-27");
  assert.equal(dayName("2026-11-02"), "2 Nov");
});

test("events come whole, in whatever parts a stream brings them", () => {
  const stream = ': hello\n\nevent: progress\ndata: {"done":1}\n\nid: 7\r\nevent: finding\r\ndata: a\r\ndata: b\r\n\r\ndata: c\n\n';
  const all = [{ name: "progress", data: '{"done":1}' }, { name: "finding", data: "a\nb" }, { name: "message", data: "c" }];
  for (let size = 1; size <= stream.length; ++size) {
    const reader = new EventReader();
    const got = [];
    for (let at = 0; at < stream.length; at += size) got.push(...reader.take(stream.slice(at, at + size)));
    assert.deepEqual(got, all, `in parts of ${size}`);
  }
});
