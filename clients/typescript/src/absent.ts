/** What a database without a trail says when it is asked for it. Test: test/trail.test.ts, test/sqlite_trail.test.ts. */

const ABSENT = /(?:schema "vestige"|relation "vestige\.\w+") does not exist|no such table: (?:main\.)?vestige_|read the trail: there is none/;

/** The error itself; or what to do, where it only says that something of Vestige's is not there. */
export function told(error: unknown): unknown {
  if (!(error instanceof Error) || !ABSENT.test(error.message)) {
    return error;
  }
  return new Error("vestige: this database has no trail, or an older one: `vestige init` makes it or brings it up to date", { cause: error });
}
