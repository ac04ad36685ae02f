/**
 * Time: which kinds of number are moments and periods?
 *
 * The core never reads a clock. Every step is given a `Now`: the monotonic instant that deadlines
 * are compared with, and the wall clock that is only ever shown to people or stored.
 */

/** Milliseconds on the monotonic clock of this process, an integer; its origin means nothing. */
export type Instant = number;

/** Milliseconds since 1970-01-01T00:00:00Z by the wall clock, an integer; may jump. */
export type Timestamp = number;

/** A period in milliseconds, an integer. */
export type Duration = number;

export const second: Duration = 1_000;
export const minute: Duration = 60_000;
export const hour: Duration = 3_600_000;

/** The moment of one input, read once per turn by the runtime or the simulated world. */
export interface Now {
  readonly at: Instant;
  readonly wall: Timestamp;
}
