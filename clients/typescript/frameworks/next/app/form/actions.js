"use server";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { withVestige } from "vestige-audit/next";
import { write } from "../../pool.js";

export const save = withVestige(async (form) => {
  await write(form.get("id"));
  redirect("/form?done");
}, async () => {
  const sent = await headers();
  return { actor: sent.get("x-user"), request_id: sent.get("x-request-id") ?? undefined, business_process: "save a thing" };
});
