/** What instrument() leaves on what it has been at: twice is once, also where two copies of this package are loaded. */
export const DONE = Symbol.for("vestige.instrumented.v1");
