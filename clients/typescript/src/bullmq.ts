/** BullMQ: a job is done under the context of the request that queued it. Test: test/bullmq.test.ts. */
import { attach, carrier, run } from "./context.js";
import { DONE } from "./done.js";
import { type Fields, own } from "./web.js";

interface Options {
  readonly repeat?: unknown;
  readonly vestige?: unknown;
}

/** A job as addBulk() and FlowProducer take it. */
interface Given {
  readonly opts?: Options;
  readonly children?: readonly Given[];
}

interface Job {
  readonly id?: string | undefined;
  readonly name: string;
  readonly opts: object;
}

type Method = (...args: unknown[]) => unknown;

/** Has a Queue or FlowProducer send the context along with each job that is added, and gives it back. Twice is once. */
export function instrument<T extends { add: (...args: never[]) => unknown; addBulk: (...args: never[]) => unknown }>(target: T): T {
  if ((target as { [DONE]?: true })[DONE]) {
    return target;
  }
  const add = target.add as unknown as Method;
  const addBulk = target.addBulk as unknown as Method;
  for (const [name, value] of Object.entries({
    add: (first: unknown, ...rest: unknown[]) => typeof first === "string"
      ? add.call(target, first, rest[0], sent(rest[1] as Options | undefined), ...rest.slice(2))
      : add.call(target, job(first as Given), ...rest),
    addBulk: (jobs: readonly Given[], ...rest: unknown[]) => addBulk.call(target, jobs.map(job), ...rest),
  })) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  }
  return Object.defineProperty(target, DONE, { value: true });
}

function job(given: Given): Given {
  return { ...given, opts: sent(given.opts), ...(given.children ? { children: given.children.map(job) } : {}) };
}

/** Beside the job's data, which may be anything. What is repeated for ever is nobody's request. */
function sent(options: Options = {}): Options {
  return options.repeat || options.vestige !== undefined ? options : { ...options, ...carrier() };
}

/**
 * A Worker's processor, under the context that its job brings and no other, with `business_process` (the job's name) and
 * `job_id`, and the fields given: `new Worker("mail", attached(processor))`.
 */
export function attached<J extends Job, A extends unknown[], T>(processor: (job: J, ...rest: A) => T, fields: Fields<J> = {}): (job: J, ...rest: A) => T {
  return (one, ...rest) => attach(one.opts, () =>
    run({ business_process: one.name, job_id: one.id, ...own(one, fields) }, () => processor(one, ...rest)));
}
