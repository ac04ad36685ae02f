/**
 * Put off: is an address that has failed too often heard again when its failures are forgotten?
 *
 * Its node forgets as many as it allows within a period, evenly: a period after the last failure that it told
 * of there is nothing left to be put off for. Impostors alone fail, each at an address of its own.
 */
import { clientOf } from "../kit/network.ts";
import type { Plan } from "../plan.ts";
import type { TraceEvent, TraceKind } from "../trace.ts";

/** Clocks may run a hundredth too fast or too slow; a turn ends when it ends. */
const tolerance = 0.02;
const slackMs = 500;

export class PutOff {
  readonly sees: readonly TraceKind[];
  readonly #period: number;
  readonly #impostors: ReadonlySet<string>;
  /** By connection: the node, and whose address it has. */
  readonly #addresses = new Map<number, string>();
  readonly #failedAt = new Map<string, number>();
  #judged = 0;

  constructor({ limits, clients }: Plan) {
    const { failedLogins } = limits;
    this.#period = failedLogins?.period ?? Infinity;
    // What nodes write is much to look at where nobody is put off.
    this.sees = failedLogins === undefined ? [] : ["connection-opened", "bytes-sent"];
    const guess = clients.filter(({ behaviour }) => behaviour.kind === "impostor");
    this.#impostors = new Set(guess.map(({ name }) => name));
  }

  /** How often somebody was put off. */
  get judged(): number {
    return this.#judged;
  }

  /** What is wrong, as a sentence; undefined: nothing. */
  see({ kind, data, at, place }: TraceEvent): string | undefined {
    if (kind === "connection-opened") {
      const client = clientOf(data.login);
      if (this.#impostors.has(client))
        this.#addresses.set(data.connection, `${client} at ${place}`);
    }
    if (kind !== "bytes-sent") return undefined;
    const address = this.#addresses.get(data.connection);
    if (address === undefined || !data.data.includes("<failure")) return undefined;
    if (!data.data.includes("Too many failed logins")) {
      this.#failedAt.set(address, at);
      return undefined;
    }
    this.#judged += 1;
    const failedAt = this.#failedAt.get(address);
    if (failedAt === undefined) return `${address} was put off at ${at} ms, though it never failed`;
    if (at <= failedAt + this.#period * (1 + tolerance) + slackMs) return undefined;
    return `${address} was put off at ${at} ms, though it has not failed since ${failedAt} ms`;
  }
}
