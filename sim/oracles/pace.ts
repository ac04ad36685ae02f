/**
 * Pace: does a node read from a client as fast as its limit allows, and no faster?
 *
 * A bucket that holds what comes in a second: when that is used up nothing more is read, until it is made up for.
 */
import type { TraceEvent, TraceKind } from "../trace.ts";

/** What comes in it is read at once. */
const burstMs = 1_000;
/** Clocks may run a hundredth too fast or too slow; a turn ends when it ends. */
const tolerance = 0.02;
const slackMs = 250;

interface Reading {
  /** When it has been, or will be, made up for what was read: by the fastest clock, and by the slowest. */
  earliest: number;
  latest: number;
  paused: boolean;
}

export class Pace {
  readonly sees: readonly TraceKind[] = ["bytes-received", "input-paused", "input-resumed"];
  /** Of listeners without a limit. */
  readonly #free = new Set<number>();
  /** Bytes per millisecond. */
  readonly #rate: number;
  readonly #readings = new Map<number, Reading>();

  /** `maxRate`: bytes per second. */
  constructor(maxRate = Infinity) {
    this.#rate = maxRate / 1_000;
  }

  /** What is wrong with how a client's connection is read, as a phrase; undefined: nothing. */
  see({ kind, data, at }: TraceEvent): string | undefined {
    if (kind === "connection-opened" && data.listener === "wss") this.#free.add(data.connection);
    if (kind === "bytes-received" && this.#free.has(data.connection)) return undefined;
    if (kind === "bytes-received") return this.#read(data.connection, data.bytes.length, at);
    if (kind === "input-paused") this.#of(data.connection).paused = true;
    if (kind !== "input-resumed") return undefined;
    const late = this.late(data.connection, at);
    this.#of(data.connection).paused = false;
    return late;
  }

  /** Should it be read again, and is not? */
  late(connection: number, at: number): string | undefined {
    const reading = this.#readings.get(connection);
    if (reading?.paused !== true || at <= reading.latest + slackMs) {
      return undefined;
    }
    return `is not read, though it may be since ${Math.ceil(reading.latest)} ms`;
  }

  forget(connection: number): void {
    this.#readings.delete(connection);
    this.#free.delete(connection);
  }

  #read(connection: number, bytes: number, at: number): string | undefined {
    const reading = this.#of(connection);
    const { earliest, latest } = reading;
    // Who sends without a pause is read at the pace of the node's clock, however long that goes on.
    const [more, less] = [1 + tolerance, 1 - tolerance];
    reading.earliest = Math.max(earliest, at - burstMs * more) + bytes / (this.#rate * more);
    reading.latest = Math.max(latest, at - burstMs * less) + bytes / (this.#rate * less);
    if (at + slackMs >= earliest) return undefined;
    return `is read, though that is due at ${Math.ceil(earliest)} ms only`;
  }

  #of(connection: number): Reading {
    let reading = this.#readings.get(connection);
    if (reading === undefined) {
      this.#readings.set(
        connection,
        (reading = { earliest: -Infinity, latest: -Infinity, paused: false }),
      );
    }
    return reading;
  }
}
