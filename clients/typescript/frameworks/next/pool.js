import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { instrument } from "vestige-audit/pg";

export const pool = instrument(new pg.Pool({ max: 4 }));

export async function write(id) {
  await pause(Math.random() * 5);
  await pool.query("update t set n = n + 1 where id = $1", [id]);
}
