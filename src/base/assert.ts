/**
 * Assert: the fault is ours.
 *
 * A broken assertion is a bug in Meerkat, never bad input. On a stream it closes that stream with
 * `internal-server-error`; in the simulator it stops the run.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

export function assert(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new AssertionError(claim);
}

/** For the end of an exhaustive `switch`; a value here is a bug that the compiler would have shown. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}
