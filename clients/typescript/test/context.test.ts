import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import * as vestige from "vestige-audit";

const now = (): object => ({ ...vestige.current() });

test("an inner context is laid over the outer one, and is undone whole, three deep and through exceptions", async () => {
  await vestige.run({ actor: "ann", reason: "one" }, async () => {
    await vestige.run({ reason: "two", ticket: 7 }, async () => {
      await assert.rejects(vestige.run({ actor: null, reason: "three" }, async () => {
        await pause(1);
        assert.deepEqual(now(), { reason: "three", ticket: 7 });
        vestige.annotate({ extra: true });
        throw new Error("x");
      }));
      assert.deepEqual(now(), { actor: "ann", reason: "two", ticket: 7 });
    });
    assert.deepEqual(now(), { actor: "ann", reason: "one" });
  });
  assert.deepEqual(now(), {});
});

test("annotate adds to the innermost context, and is seen by what was started inside it before", async () => {
  assert.equal(vestige.annotate({ actor: "nobody" }), false);
  assert.deepEqual(now(), {});
  await vestige.run({ request_id: "r" }, async () => {
    const seen = pause(5).then(now);
    await Promise.resolve().then(() => assert.equal(vestige.annotate({ actor: "ann" }), true));
    assert.deepEqual(await seen, { request_id: "r", actor: "ann" });
  });
});

test("a function is asked each time, so that who acts may be known later", () => {
  let user: string | undefined;
  vestige.run({ actor: () => user, request_id: "r" }, () => {
    assert.deepEqual(now(), { request_id: "r" });
    user = "ann";
    assert.deepEqual(now(), { request_id: "r", actor: "ann" });
  });
});

test("1000 at once see each their own", async () => {
  await Promise.all(Array.from({ length: 1000 }, (_, i) => vestige.run({ actor: `u${i}` }, async () => {
    await pause(Math.random() * 10);
    assert.deepEqual(now(), { actor: `u${i}` });
  })));
});

test("values are plain, as they are when they are given", () => {
  const list = [1];
  vestige.run({
    actor: 7, big: 2n ** 64n, at: new Date(0), bad: new Date(NaN), nan: NaN, flag: false, list, "\0name": "a\0b\ud800c😀",
    deep: { a: undefined, b: { toJSON: () => "j" } }, none: undefined,
  }, () => {
    list.push(2);
    assert.deepEqual(JSON.parse(JSON.stringify(vestige.current())), {
      actor: 7, big: "18446744073709551616", at: "1970-01-01T00:00:00.000Z", bad: "Invalid Date", nan: "NaN", flag: false,
      list: [1], name: "ab\ufffdc😀", deep: { b: "j" },
    });
  });
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assert.throws(() => vestige.run({ circle } as unknown as vestige.Context, () => 0), /nested deeper/);
  assert.throws(() => vestige.run({ deep: { fn: () => 1 } }, () => 0), /function inside/);
  vestige.run(JSON.parse("{\"__proto__\":{\"actor\":\"eve\"}}") as vestige.Context, () => {
    assert.equal(vestige.current().actor, undefined);
  });
});

test("what is no object of fields is refused, and nothing runs", () => {
  for (const wrong of ["ann", 7, ["ann"], null, undefined]) {
    assert.throws(() => vestige.run(wrong as never, () => assert.fail("it ran")), /a context is an object of fields/);
    vestige.run({}, () => assert.throws(() => vestige.annotate(wrong as never), TypeError));
  }
});

test("a carrier brings the context to a job, and nothing of where the job runs", () => {
  const sent = vestige.run({ actor: "ann", user_agent: "x", ticket: 7 }, () => vestige.carrier());
  assert.deepEqual(JSON.parse(sent.vestige), { actor: "ann", ticket: 7 });
  vestige.run({ actor: "worker", reason: "loop" }, () => vestige.attach(sent, () => assert.deepEqual(now(), { actor: "ann", ticket: 7 })));
  assert.deepEqual(JSON.parse(vestige.run({ actor: "ann", ticket: 7 }, () => vestige.carrier(["ticket"])).vestige), { ticket: 7 });
  for (const nothing of [undefined, null, 1, "x", {}, { vestige: 1 }, { vestige: "{" }, { vestige: "[1]" }, { vestige: "null" }]) {
    vestige.run({ actor: "worker" }, () => vestige.attach(nothing, () => assert.deepEqual(now(), {})));
  }
});

test("a query that starts when it is awaited is started inside, and only once", async () => {
  let started = 0;
  const lazy = { then: (keep: (found: object) => void) => { started += 1; keep(now()); } };
  assert.deepEqual(await (vestige.run({ actor: "ann" }, () => lazy) as unknown as Promise<object>), { actor: "ann" });
  assert.deepEqual(await (vestige.attach({ vestige: "{\"actor\":\"bob\"}" }, () => lazy) as unknown as Promise<object>), { actor: "bob" });
  assert.equal(started, 2);
  const failing = { then: (_: unknown, fail: (error: Error) => void) => fail(new Error("x")) };
  await assert.rejects(vestige.run({ actor: "ann" }, () => failing) as unknown as Promise<object>, /x/);
});

test("bind keeps a context, detach and without leave it", () => {
  const bound = vestige.run({ actor: "ann" }, () => vestige.bind((n: number) => ({ ...now(), n })));
  assert.deepEqual(vestige.run({ actor: "bob" }, () => bound(1)), { actor: "ann", n: 1 });
  assert.deepEqual(vestige.run({ actor: "bob" }, () => vestige.detach(now)()), {});
  assert.deepEqual(vestige.run({ actor: "bob" }, () => vestige.without(now)), {});
});

test("CommonJS and ES modules share one context", () => {
  const other = createRequire(import.meta.url)("vestige-audit") as typeof vestige;
  assert.notEqual(other.run, vestige.run);
  other.run({ actor: "ann" }, () => vestige.run({ reason: "r" }, () =>
    assert.deepEqual({ ...other.current() }, { actor: "ann", reason: "r" })));
});

test("AuditContext is the context of one business process", () => {
  const context = new vestige.AuditContext(7, "profile_update", "r-1", "oauth");
  assert.deepEqual({ ...context.run(() => vestige.current()) },
    { actor: 7, business_process: "profile_update", request_id: "r-1", auth_method: "oauth" });
  assert.deepEqual({ ...new vestige.AuditContext(7, "p").run(() => vestige.current()) }, { actor: 7, business_process: "p" });
});
