/** A Next application, built and served: what route handlers and server actions write is recorded under the request that it is for. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Database } from "../test/database.js";
import { asked, made } from "./requests.js";

const top = fileURLToPath(new URL("../..", import.meta.url));
const next = path.join(top, "node_modules/next/dist/bin/next");
let database: Database;
let server: ChildProcess;
let url: string;
before(async () => {
  database = await made();
  const env = {
    ...process.env, NODE_OPTIONS: "", NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1",
    PGDATABASE: database.name, PGHOST: database.host, PGPORT: String(database.port), PGUSER: database.user,
  };
  execFileSync("node", [next, "build"], { cwd: path.join(top, "next"), env, stdio: ["ignore", "ignore", "inherit"] });
  server = spawn("node", [next, "start", "--port", "0", "--hostname", "127.0.0.1"], { cwd: path.join(top, "next"), env, stdio: ["ignore", "pipe", "inherit"] });
  url = await new Promise((resolve, reject) => {
    let text = "";
    server.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (found && /Ready/.test(text)) {
        resolve(found[0]);
      }
    });
    server.once("exit", () => reject(new Error(`next ended: ${text}`)));
  });
});
after(async () => {
  server.kill();
  await new Promise((resolve) => server.once("exit", resolve));
  await database.drop();
});

test("a route handler: 60 requests at once, a third of them without a user", async () => {
  await asked(database, async (id, headers) => {
    const response = await fetch(`${url}/t/${id}`, { method: "POST", headers });
    assert.equal(`${response.status} ${await response.text()}`, "200 done");
  }, { tenant: 7, user_agent: "test" }, (id) => ({ business_process: `POST /t/${id}` }));
});

test("a server action: the same, by a form that needs no JavaScript", async () => {
  const page = await (await fetch(`${url}/form`)).text();
  const action = /name="(\$ACTION_ID_[0-9a-f]+)"/.exec(page)![1]!;
  await asked(database, async (id, headers) => {
    const form = new FormData();
    form.set(action, "");
    form.set("id", String(id));
    const response = await fetch(`${url}/form`, { method: "POST", headers: { ...headers, origin: url }, body: form, redirect: "manual" });
    assert.deepEqual([response.status, response.headers.get("location")], [303, "/form?done"]);
  }, { business_process: "save a thing" });
});
