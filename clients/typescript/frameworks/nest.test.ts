/** A Nest application: what a handler writes, and a stream that it returns, is recorded under the request that it is for. */
import "reflect-metadata";
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { type CanActivate, Controller, type ExecutionContext, Injectable, Module, Param, Post, type INestApplication, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import pg from "pg";
import { defer } from "rxjs";
import { contexts, VestigeModule } from "vestige-audit/nest";
import { instrument } from "vestige-audit/pg";
import type { Database } from "../test/database.js";
import { asked, made } from "./requests.js";

let database: Database;
let pool: pg.Pool;
const apps: INestApplication[] = [];
before(async () => {
  database = await made();
  pool = instrument(new pg.Pool(database.config({ max: 4 })));
});
after(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await pool.end();
  await database.drop();
});

async function write(id: string): Promise<string> {
  await pause(Math.random() * 5);
  await pool.query("update t set n = n + 1 where id = $1", [id]);
  return "done";
}

class Guard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    await pause(1);
    const request = context.switchToHttp().getRequest<{ user?: string; headers: Record<string, string> }>();
    request.user = request.headers["x-user"]!;
    return true;
  }
}
Injectable()(Guard);

class Things {
  handle(id: string): Promise<string> {
    return write(id);
  }

  stream(id: string): unknown {
    return defer(() => write(id));
  }
}
for (const [name, path] of [["handle", "t/:id"], ["stream", "s/:id"]] as const) {
  const method = Object.getOwnPropertyDescriptor(Things.prototype, name)!;
  Post(path)(Things.prototype, name, method);
  Param("id")(Things.prototype, name, 0);
}
UseGuards(Guard)(Things);
Controller()(Things);

async function started(module: object, interceptor: boolean): Promise<string> {
  const app = interceptor ? await NestFactory.create(module, new FastifyAdapter(), { logger: false }) : await NestFactory.create(module, { logger: false });
  apps.push(app);
  if (interceptor) {
    app.useGlobalInterceptors(contexts(FIELDS));
  }
  await app.listen(0, "127.0.0.1");
  return app.getUrl();
}

const FIELDS = { actor: (request: { user?: string }) => request.user, tenant: 7 };
class ByModule {}
Module({ imports: [VestigeModule.forRoot(FIELDS)], controllers: [Things] })(ByModule);
class ByInterceptor {}
Module({ controllers: [Things] })(ByInterceptor);

for (const [name, module, interceptor] of [["the module, on Express", ByModule, false], ["the interceptor, on Fastify", ByInterceptor, true]] as const) {
  test(`${name}: 60 requests at once, a third of them without a user; a handler, and a stream`, async () => {
    const url = await started(module, interceptor);
    for (const place of ["t", "s"]) {
      await asked(database, async (id, headers) => {
        const response = await fetch(`${url}/${place}/${id}`, { method: "POST", headers });
        assert.equal(`${response.status} ${await response.text()}`, "201 done");
      }, { tenant: 7, ip_address: "127.0.0.1", user_agent: "test", business_process: `POST /${place}/:id` });
    }
  });
}
