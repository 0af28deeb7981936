/** A real PgBouncer in transaction mode: every transaction may get another session of the server. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";

export class Bouncer {
  private constructor(private readonly process: ChildProcess, readonly folder: string, readonly port: number) {}

  static async before(host: string, port: number, user: string, sessions = 2): Promise<Bouncer> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bouncer-"));
    const settings = path.join(folder, "pgbouncer.ini");
    const own = await free();
    fs.writeFileSync(path.join(folder, "users.txt"), `"${user}" ""\n`);
    fs.writeFileSync(settings, [
      "[databases]", `* = host=${host} port=${port}`, "[pgbouncer]", "listen_addr = 127.0.0.1", `listen_port = ${own}`,
      `unix_socket_dir = ${folder}`, "auth_type = trust", `auth_file = ${folder}/users.txt`,
      "pool_mode = transaction", `default_pool_size = ${sessions}`, "max_client_conn = 1000", `logfile = ${folder}/log`,
      "ignore_startup_parameters = extra_float_digits", "",
    ].join("\n"));
    let owner: { uid: number; gid: number } | undefined;
    if (process.getuid?.() === 0) {   // it refuses to run as root
      owner = { uid: id("-u"), gid: id("-g") };
      for (const name of [folder, settings, path.join(folder, "users.txt")]) {
        fs.chownSync(name, owner.uid, owner.gid);
      }
    }
    const child = spawn("/usr/sbin/pgbouncer", ["-q", settings], { stdio: "ignore", ...owner });
    const bouncer = new Bouncer(child, folder, own);
    while (!fs.existsSync(path.join(folder, `.s.PGSQL.${own}`))) {
      if (child.exitCode !== null) {
        throw new Error(`pgbouncer ended: ${fs.readFileSync(path.join(folder, "log"), "utf8")}`);
      }
      await pause(10);
    }
    return bouncer;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await gone;
    fs.rmSync(this.folder, { recursive: true });
  }
}

function id(flag: string): number {
  return Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
}

async function free(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
