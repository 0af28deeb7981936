import { withVestige } from "vestige-audit/next";
import { write } from "../../../pool.js";

export const POST = withVestige(async (_request, { params }) => {
  await write((await params).id);
  return new Response("done");
}, { actor: (request) => request.headers.get("x-user"), tenant: 7 });
