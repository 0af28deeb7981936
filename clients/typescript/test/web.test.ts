/** Real servers, real requests: what a handler writes is recorded under the request that it is for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { initTRPC } from "@trpc/server";
import { createExpressMiddleware } from "@trpc/server/adapters/express";
import express from "express";
import fastify, { type FastifyRequest } from "fastify";
import { type Context, Hono } from "hono";
import Koa from "koa";
import pg from "pg";
import * as vestige from "vestige-audit";
import { contexts as ofExpress } from "vestige-audit/express";
import { contexts as ofFastify } from "vestige-audit/fastify";
import { contexts as ofHono } from "vestige-audit/hono";
import { contexts as ofKoa } from "vestige-audit/koa";
import { instrument } from "vestige-audit/pg";
import { contexts as ofTrpc } from "vestige-audit/trpc";
import { Database } from "./database.js";

let database: Database;
let pool: pg.Pool;
before(async () => {
  database = await Database.create("create table t (id int primary key, n int)", "insert into t select i, 0 from generate_series(1, 60) i", "select vestige.track('t')");
  pool = instrument(new pg.Pool(database.config({ max: 4 })));
});
after(async () => {
  await pool.end();
  await database.drop();
});

/** What every handler does. The user is known by then, and was not when the context began. */
async function handle(id: number): Promise<void> {
  await pause(Math.random() * 5);
  await pool.query("update t set n = n + 1 where id = $1", [id]);
}

interface Server {
  port: number;
  close(): Promise<unknown>;
}

function listening(server: http.Server): Promise<Server> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve({
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  })));
}

const servers: Record<string, () => Promise<Server>> = {
  async express() {
    const app = express();
    app.use(ofExpress({ actor: (request: express.Request & { user?: string }) => request.user, tenant: 7 }));
    app.use(express.json());
    app.use((request, _response, next) => {
      Object.assign(request, { user: request.get("x-user") });
      setImmediate(next);
    });
    app.post("/t/:id", async (request, response) => {
      await handle((request.body as { id: number }).id);
      response.end("done");
    });
    return listening(http.createServer(app));
  },
  async koa() {
    const app = new Koa();
    app.use(ofKoa({ actor: (ctx: Koa.Context) => ctx.state["user"] as string, tenant: 7, business_process: "POST /t/:id" }));
    app.use(async (ctx, next) => {
      ctx.state["user"] = ctx.get("x-user") || undefined;
      await next();
    });
    app.use(async (ctx) => {
      let body = "";
      for await (const chunk of ctx.req) {
        body += String(chunk);
      }
      await handle((JSON.parse(body) as { id: number }).id);
      ctx.body = "done";
    });
    return listening(http.createServer(app.callback()));
  },
  async fastify() {
    const app = fastify();
    await app.register(ofFastify({ actor: (request: FastifyRequest & { user?: string }) => request.user, tenant: 7 }));
    app.addHook("preHandler", async (request) => {
      await pause(1);
      (request as { user?: unknown }).user = request.headers["x-user"];
    });
    app.post("/t/:id", async (request) => {
      await handle((request.body as { id: number }).id);
      return "done";
    });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
  async trpc() {
    const t = initTRPC.context<{ user: string | undefined }>().create();
    const procedure = t.procedure.use(ofTrpc({ actor: (ctx: { user: string | undefined }) => ctx.user, business_process: "POST /t/:id" }));
    const router = t.router({ handle: procedure.input((given) => given as { id: number }).mutation(async ({ input }) => {
      await handle(input.id);
      return "done";
    }) });
    const app = express();
    app.use(ofExpress({ tenant: 7 }));
    app.use((request, _response, next) => {
      request.url = "/handle";
      next();
    });
    app.use(createExpressMiddleware({ router, createContext: ({ req }) => ({ user: req.get("x-user") }) }));
    return listening(http.createServer(app));
  },
  async hono() {
    const app = new Hono<{ Variables: { user: string | undefined } }>();
    app.use(ofHono({ actor: (c: Context<{ Variables: { user: string | undefined } }>) => c.get("user"), tenant: 7 }));
    app.use(async (c, next) => {
      c.set("user", c.req.header("x-user"));
      await next();
    });
    app.post("/t/:id", async (c) => {
      await handle((await c.req.json<{ id: number }>()).id);
      return c.text("done");
    });
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => resolve({
        port,
        close: () => new Promise((done) => {
          server.close(done);
          (server as http.Server).closeAllConnections();
        }),
      }));
    });
  },
};

const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
after(() => agent.destroy());

/** A request over a connection that others have used, whose body comes later than its head. */
function post(port: number, path: string, body: string, headers: http.OutgoingHttpHeaders): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, host: "127.0.0.1", port, path, method: "POST", headers: { ...headers, "content-length": body.length } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => { text += chunk; }).on("end", () => resolve(`${response.statusCode} ${text}`));
    });
    request.on("error", reject);
    request.write(body.slice(0, 2));
    setTimeout(() => request.end(body.slice(2)), 5);
  });
}

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: 60 requests at once, a third of them without a user`, async () => {
    const server = await start();
    const [{ id: from }] = await database.rows("select coalesce(max(id), 0) as id from vestige.change") as [{ id: string }];
    await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const id = i + 1;
      const answer = await post(server.port, `/t/${id}`, JSON.stringify({ id }), {
        "content-type": "application/json", "user-agent": "test", ...(id % 2 ? { "x-request-id": `r-${id}` } : {}), ...(id % 3 ? { "x-user": `u-${id}` } : {}),
      });
      assert.equal(answer, name === "trpc" ? "200 {\"result\":{\"data\":\"done\"}}" : "200 done");
    }));
    await server.close();
    const changes = await database.rows(`select (key ->> 'id')::int as id, context from vestige.changes where id > ${from}`) as { id: number; context: Record<string, unknown> }[];
    assert.equal(changes.length, 60);
    for (const { id, context } of changes) {
      const { request_id: request, ...rest } = context;
      assert.deepEqual(rest, {
        ...(id % 3 ? { actor: `u-${id}` } : {}), tenant: 7, ip_address: "127.0.0.1", user_agent: "test", business_process: "POST /t/:id",
      });
      if (id % 2) {
        assert.equal(request, `r-${id}`);
      } else {
        assert.ok(typeof request === "string" && request.length > 0);
      }
    }
    assert.equal(new Set(changes.map((one) => one.context["request_id"])).size, 60);
    assert.deepEqual({ ...vestige.current() }, {});
  });
}

const { addresses, request_ids: requestIds } = JSON.parse(fs.readFileSync(new URL("../contract/requests.json", import.meta.url), "utf8")) as
  { addresses: [string, string | null][]; request_ids: [string, boolean][] };

/** Servers that answer with the context of the request, and take its address from whoever is before them. */
const sayers: Record<string, () => Promise<Server>> = {
  async express() {
    const app = express().set("trust proxy", true).use(ofExpress()).use((_request, response) => void response.json(vestige.current()));
    return listening(http.createServer(app));
  },
  async koa() {
    const app = new Koa({ proxy: true });
    app.use(ofKoa()).use((ctx) => { ctx.body = { ...vestige.current() }; });
    return listening(http.createServer(app.callback()));
  },
  async fastify() {
    const app = fastify({ trustProxy: true });
    await app.register(ofFastify());
    app.get("/", async () => ({ ...vestige.current() }));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
};

for (const [name, start] of Object.entries(sayers)) {
  test(`${name}: addresses and ids of requests are those that every client says`, async () => {
    const server = await start();
    const said = async (headers: Record<string, string>): Promise<Record<string, unknown>> =>
      (await fetch(`http://127.0.0.1:${server.port}/`, { headers })).json() as Promise<Record<string, unknown>>;
    for (const [given, spelled] of addresses) {
      assert.equal((await said({ "x-forwarded-for": given }))["ip_address"], spelled ?? undefined, given);
    }
    for (const [given, taken] of [...requestIds, ["a".repeat(128), true], ["a".repeat(129), false]] as [string, boolean][]) {
      assert.equal((await said({ "x-request-id": given }))["request_id"] === given, taken, given);
    }
    await server.close();
  });
}

test("who came over IPv4 to a socket of IPv6 has an address of IPv4", async (t) => {
  const app = new Hono().use(ofHono()).get("/", (c) => c.json({ ...vestige.current() }));
  const server = serve({ fetch: app.fetch, port: 0, hostname: "::" });
  await once(server, "listening").catch(() => t.skip("no IPv6 here"));
  const { port } = server.address() as AddressInfo;
  const said = await (await fetch(`http://127.0.0.1:${port}/`)).json() as Record<string, unknown>;
  assert.equal(said["ip_address"], "127.0.0.1");
  server.close();
});
