import assert from "node:assert/strict";
import test from "node:test";
import { ago, day, dayName, exact, nextDay, setZone, short, zoneName } from "../src/time.ts";

test("a day follows another one, also where the clock is changed, a month ends or a year", () => {
  for (const zone of ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu"]) {
    setZone(zone);
    assert.equal(zoneName(), zone);
    for (const [from, to] of [["2026-03-28", "2026-03-29"], ["2026-03-29", "2026-03-30"], ["2026-10-24", "2026-10-25"], ["2026-10-25", "2026-10-26"],
      ["2026-03-08", "2026-03-09"], ["2026-11-01", "2026-11-02"], ["2011-12-29", "2011-12-30"], ["2024-02-28", "2024-02-29"], ["2024-02-29", "2024-03-01"],
      ["2023-02-28", "2023-03-01"], ["2026-12-31", "2027-01-01"]] as const) {
      assert.equal(nextDay(from), to);
      assert.equal(nextDay(to, -1), from);
    }
    for (let at = "2025-12-01", days = 0; days < 800; days += 1) {
      const next = nextDay(at);
      assert.ok(next > at);
      assert.equal(nextDay(next, -1), at);
      at = next;
      assert.equal(nextDay("2025-12-01", days + 1), at);
    }
  }
  assert.equal(nextDay("no day"), "no day");
  setZone("UTC");
});

test("a time is in the zone, on either side of a change of its clock", () => {
  const now = new Date("2026-11-30T12:00:00Z");
  setZone("Europe/Berlin");
  assert.equal(short("2026-03-29T00:59:59Z", now), "29 Mar 01:59:59");
  assert.equal(short("2026-03-29T01:00:00Z", now), "29 Mar 03:00:00");
  assert.equal(short("2026-10-25T00:59:59Z", now), "25 Oct 02:59:59");
  assert.equal(short("2026-10-25T01:00:00Z", now), "25 Oct 02:00:00");
  assert.equal(short("2025-12-31T23:30:00Z", now), "01 Jan 00:30:00");
  assert.equal(short("2025-06-01T10:00:00Z", now), "01 Jun 2025 12:00:00");
  assert.equal(day(new Date("2026-03-28T23:30:00Z")), "2026-03-29");
  assert.equal(exact("2026-03-29T01:00:00.123456Z"), "2026-03-29 03:00:00.123456 Europe/Berlin");
  setZone("Nowhere/At_All");
  assert.equal(zoneName(), "UTC");
  assert.equal(short("2026-03-29T00:00:00Z", now), "29 Mar 00:00:00");
  assert.equal(dayName("2026-03-29"), "29 Mar");
  for (const odd of ["", "soon", "2026-13-45"]) for (const shown of [short(odd, now), exact(odd), dayName(odd), ago(odd, now)]) assert.equal(shown, odd);
});

test("how long ago is counted in whole ones of what is largest", () => {
  const now = new Date("2026-03-29T12:00:00Z");
  const before = (seconds: number): string => ago(new Date(now.getTime() - seconds * 1000).toISOString(), now);
  const said: [number, string][] = [
    [0, "just now"], [0.4, "just now"], [1, "1 second ago"], [59, "59 seconds ago"], [60, "1 minute ago"], [119, "1 minute ago"], [120, "2 minutes ago"],
    [3599, "59 minutes ago"], [3600, "1 hour ago"], [7200, "2 hours ago"], [86_399, "23 hours ago"], [86_400, "1 day ago"], [40 * 86_400, "40 days ago"],
    [-1, "1 second from now"], [-3600, "1 hour from now"], [-2 * 86_400, "2 days from now"]];
  for (const [seconds, text] of said) assert.equal(before(seconds), text, String(seconds));
  setZone("Europe/Berlin");
  assert.equal(ago("2026-03-28T12:00:00Z", now), "1 day ago", "of 24 hours, also where the clock was changed between");
  setZone("UTC");
});
