/** Databases for tests, on the server that PGHOST and its like name, each with a trail of its own. */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";

export interface Said {
  op: string;
  table: string;
  context: Record<string, unknown>;
  tx: bigint;
  new: Record<string, unknown> | null;
}

export class Database {
  private kept: pg.Client | undefined;
  private connected: Promise<unknown> | undefined;

  private constructor(readonly name: string, readonly host: string, readonly port: number, readonly user: string) {}

  /** A database with what the statements make in it, and no trail. */
  static async bare(...statements: string[]): Promise<Database> {
    const { PGHOST = "", PGPORT = "", PGUSER = "" } = process.env;
    const made = new Database(`ts_${randomBytes(6).toString("hex")}`, PGHOST, Number(PGPORT), PGUSER);
    await made.as("postgres", (client) => client.query(`create database ${made.name}`));
    await made.run(...statements);
    return made;
  }

  /** A database with a trail, and what the statements make in it. */
  static async create(...statements: string[]): Promise<Database> {
    const made = await Database.bare();
    execFileSync(process.env["VESTIGE"]!, ["init"], { env: { ...process.env, VESTIGE_DB: made.url() }, stdio: ["ignore", "ignore", "pipe"] });
    await made.run(...statements);
    return made;
  }

  config(over: pg.PoolConfig = {}): pg.PoolConfig {
    return { host: this.host, port: this.port, user: this.user, database: this.name, ...over };
  }

  url(): string {
    return `postgresql://${this.user}@/${this.name}?host=${this.host}&port=${this.port}`;
  }

  /** Runs statements as whoever owns all, on a connection that is kept for it. */
  async run(...statements: string[]): Promise<pg.QueryResult | undefined> {
    this.kept ??= new pg.Client(this.config());
    await (this.connected ??= this.kept.connect());
    let last: pg.QueryResult | undefined;
    for (const statement of statements) {
      last = await this.kept.query(statement);
    }
    return last;
  }

  async rows(text: string): Promise<Record<string, unknown>[]> {
    return (await this.run(text))!.rows as Record<string, unknown>[];
  }

  /** Every change, in order. */
  async changes(): Promise<Said[]> {
    return (await this.rows(`select op, "table", context, tx, new_values as new from vestige.changes order by id`)) as unknown as Said[];
  }

  /**
   * The end() of a pool resolves when the goodbyes are sent: the server is still closing those sessions. Who ends them by force then
   * sends each an error, which nobody listens for any more and which ends the process. So they are waited for; what stands even after
   * that was never closed, and goes by force.
   */
  async drop(): Promise<void> {
    await this.kept?.end();
    await this.as("postgres", async (client) => {
      const standing = "select pid, state, query from pg_stat_activity where datname = $1 and backend_type = 'client backend'";
      for (let round = 0; round < 500 && (await client.query(standing, [this.name])).rowCount! > 0; round += 1) {
        await pause(20);
      }
      await client.query(`drop database ${this.name} with (force)`);
    });
  }

  private async as<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ host: this.host, port: this.port, user: this.user, database });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}
