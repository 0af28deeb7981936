/** Questions to the API, and what it answers; a problem says what is wrong and what helps (RFC 9457). */
import { useEffect, useState } from "preact/hooks";
import { isObject, type Json, parse } from "./json.ts";

export class Problem extends Error {
  constructor(readonly status: number, readonly title: string, readonly detail: string, readonly hint: string) {
    super(detail === "" ? title : detail);
  }
}

function problem(status: number, text: string): Problem {
  let said: Json = null;
  try {
    said = parse(text);
  } catch {
    // no JSON: a proxy's page
  }
  const of = (name: string): string => (isObject(said) && typeof said[name] === "string" ? (said[name] as string) : "");
  const title = of("title") === "" ? `the server answers ${status}` : of("title");
  return new Problem(status, title, of("detail"), of("hint"));
}

function offline(error: unknown): Problem {
  const words = error instanceof Error ? error.message : String(error);
  return new Problem(0, "the server does not answer", words, "is vestige serve still running? The page asks again when you reload it");
}

export async function ask<T>(address: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await asked(address, { headers: { accept: "application/json" }, ...(signal === undefined ? {} : { signal }) }));
}

/** A POST, as the server wants it: another origin's page cannot send that header. */
export async function tell<T>(address: string, body: string, signal?: AbortSignal): Promise<T> {
  return read<T>(await post(address, body, signal));
}

export async function post(address: string, body: string, signal?: AbortSignal): Promise<Response> {
  return asked(address, { method: "POST", headers: { "content-type": "application/json", "x-vestige": "1" }, body, ...(signal === undefined ? {} : { signal }) });
}

async function asked(address: string, how: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { credentials: "same-origin", ...how });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw offline(error);
  }
  if (!response.ok) throw problem(response.status, await response.text());
  return response;
}

async function read<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return parse(text) as T;
  } catch {
    throw new Problem(response.status, "the answer is no JSON", text.slice(0, 200), "a proxy may have answered in place of vestige serve");
  }
}

export interface Answer<T> {
  data: T | null;
  problem: Problem | null;
  waiting: boolean;
}

/** Whether there is something to show, be it a problem: what stands below comes after it, and is not pushed down by it. */
export function isKnown<T>(answer: Answer<T>): boolean {
  return answer.data !== null || answer.problem !== null;
}

/** What the API answers at an address; while another is asked for, what it answered before, and that it waits. */
export function useAnswer<T>(address: string | null, again = 0): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { of: string | null }>({ of: address, data: null, problem: null, waiting: address !== null });
  useEffect(() => {
    if (address === null) {
      setAnswer({ of: null, data: null, problem: null, waiting: false });
      return undefined;
    }
    const stop = new AbortController();
    setAnswer((before) => ({ ...before, of: address, waiting: true }));
    ask<T>(address, stop.signal).then(
      (data) => { if (!stop.signal.aborted) setAnswer({ of: address, data, problem: null, waiting: false }); },
      (error: unknown) => {
        if (!stop.signal.aborted) setAnswer({ of: address, data: null, problem: error instanceof Problem ? error : offline(error), waiting: false });
      });
    return () => stop.abort();
  }, [address, again]);
  return { data: answer.data, problem: answer.problem, waiting: answer.waiting || answer.of !== address };
}
