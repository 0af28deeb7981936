import assert from "node:assert/strict";
import test from "node:test";
import { EventReader, type StreamEvent } from "../src/events.ts";

function read(...parts: string[]): StreamEvent[] {
  const reader = new EventReader();
  return parts.flatMap((part) => reader.take(part));
}

const STREAM = [
  ": a comment", "", "event: change", "id: 17", "data: {\"id\":1}", "", "data: no name, no id", "", "event:close", "data:first", "data:  second", "data", "",
  "event: nothing said", "", ":", "retry: 10", "data: שלום 😀", "", "data: not whole",
];
const EVENTS: StreamEvent[] = [
  { name: "change", data: "{\"id\":1}" }, { name: "message", data: "no name, no id" }, { name: "close", data: "first\n second\n" },
  { name: "message", data: "שלום 😀" },
];

test("wherever a stream is cut in two, and whatever ends its lines, the events are the same", () => {
  for (const end of ["\n", "\r\n", "\r"]) {
    const text = STREAM.join(end) + end;
    assert.deepEqual(read(text), EVENTS);
    for (let at = 0; at <= text.length; at += 1) assert.deepEqual(read(text.slice(0, at), text.slice(at)), EVENTS, `${JSON.stringify(end)} ${at}`);
  }
});

test("one letter at a time", () => {
  for (const end of ["\n", "\r\n", "\r"]) assert.deepEqual(read(...(STREAM.join(end) + end)), EVENTS);
});

test("an event is not there before its empty line is", () => {
  const reader = new EventReader();
  assert.deepEqual(reader.take("data: a\n"), []);
  assert.deepEqual(reader.take("data: b\n"), []);
  assert.deepEqual(reader.take("\n"), [{ name: "message", data: "a\nb" }]);
  assert.deepEqual(reader.take("\n\n"), []);
  assert.deepEqual(reader.take("event: left behind\n\ndata: c\n\n"), [{ name: "message", data: "c" }], "a name is one event's alone");
});
