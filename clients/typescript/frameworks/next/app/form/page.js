import { save } from "./actions.js";

export const dynamic = "force-dynamic";

export default function Page() {
  return <form action={save}><input name="id" /></form>;
}
