/**
 * Prisma, over a pool that is instrumented: its client sends what was asked for in one tick together, out of the context of whoever
 * asked first. Here each request is sent in its own. Test: test/mappers.test.ts.
 */
import { bind } from "./context.js";
import { DONE } from "./done.js";

type Within = <T>(work: () => T) => T;

interface Loader {
  request(request: object): unknown;
  options: { singleLoader(request: object): unknown; batchLoader(requests: object[]): unknown };
}

/** Has a PrismaClient send each request in the context of whoever asked, and gives it back. Twice is once. */
export function instrument<T extends object>(client: T): T {
  const loader = (client as { _requestHandler?: { dataloader?: Loader } })._requestHandler?.dataloader;
  const { singleLoader, batchLoader } = loader?.options ?? {};
  if (!loader || typeof loader.request !== "function" || typeof singleLoader !== "function" || typeof batchLoader !== "function") {
    throw new Error("vestige: this PrismaClient does not send its requests as Prisma 7 does; who asked cannot be told");
  }
  if ((loader as { [DONE]?: true })[DONE]) {
    return client;
  }
  const asked = new WeakMap<object, Within>();
  const within = (request: object): Within => asked.get(request) ?? ((work) => work());
  const request = loader.request.bind(loader);
  loader.request = (one) => {
    asked.set(one, bind((work: () => unknown) => work()) as Within);
    return request(one);
  };
  // Those of a batch are of one transaction, or read.
  Object.assign(loader.options, {
    singleLoader: (one: object) => within(one)(() => singleLoader(one)),
    batchLoader: (all: object[]) => within(all[0]!)(() => batchLoader(all)),
  });
  Object.defineProperty(loader, DONE, { value: true });
  return client;
}
