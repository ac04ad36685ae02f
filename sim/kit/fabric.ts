/**
 * Fabric: can a packet from this host reach that one, how long does it take, and how many fit through?
 *
 * Hosts are names: clients, nodes, the database. A cut has a direction; cuts are counted, delays add up,
 * of rates the least holds, so that troubles which overlap end each on its own. A host that is down answers
 * nobody. Whoever holds bytes is told when something changes. Noise is no trouble that ends: a heal leaves
 * it. Knows no connections and no protocol.
 */
/** What all packets suffer, whoever sends them. */
export interface Noise {
  /** Probability that a packet is lost: at most `lossMax`. */
  readonly loss: number;
  /** On top of the usual, one way. */
  readonly latencyMs: number;
}

export const noNoise: Noise = { loss: 0, latencyMs: 0 };

/** Beyond it hardly anything gets through. */
export const lossMax = 0.5;

export class Fabric {
  readonly #cuts = new Map<string, number>();
  readonly #down = new Set<string>();
  /** Milliseconds on top of the usual, of a host or a path. */
  readonly delays = new Amounts(0, (one, other) => one + other);
  /** Bytes a second of each connection, in each direction of a host or along a path. */
  readonly rates = new Amounts(Infinity, Math.min);
  #noise: Noise = noNoise;
  #windowMin = 0;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  isCut(from: string, to: string): boolean {
    if (this.#down.size > 0 && (this.#down.has(from) || this.#down.has(to))) return true;
    return this.#cuts.size > 0 && this.#cuts.has(pathName(from, to));
  }

  cut(from: string, to: string): void {
    const key = pathName(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    this.#onChange();
  }

  mend(from: string, to: string): void {
    const key = pathName(from, to);
    const count = (this.#cuts.get(key) ?? 0) - 1;
    if (count > 0) this.#cuts.set(key, count);
    else this.#cuts.delete(key);
    this.#onChange();
  }

  /** Power is off: nothing leaves the host, nothing reaches it. */
  setDown(host: string, down: boolean): void {
    if (down) this.#down.add(host);
    else this.#down.delete(host);
    this.#onChange();
  }

  delay(from: string, to: string): number {
    return this.#noise.latencyMs + this.delays.along(from, to);
  }

  /** Of the narrowest stretch of the way; Infinity: as many as it likes. */
  rate(from: string, to: string): number {
    return this.rates.along(from, to);
  }

  setNoise(noise: Noise): void {
    this.#noise = noise;
  }

  loss(): number {
    return this.#noise.loss;
  }

  /** Kernels hold at least so many bytes for who does not read, and a trip carries them. */
  setWindowMin(bytes: number): void {
    this.#windowMin = bytes;
  }

  windowMin(): number {
    return this.#windowMin;
  }

  /** All cuts and delays are over, and all lines are fast; noise stays, and hosts without power stay so. */
  heal(): void {
    this.#cuts.clear();
    this.delays.clear();
    this.rates.clear();
    this.#onChange();
  }
}

/** What troubles of one kind do to hosts and paths, each for itself. */
class Amounts {
  readonly #none: number;
  readonly #both: (one: number, other: number) => number;
  readonly #amounts = new Map<string, readonly number[]>();
  /** Of all amounts at one place, since every piece of every write asks. */
  readonly #together = new Map<string, number>();

  constructor(none: number, both: (one: number, other: number) => number) {
    this.#none = none;
    this.#both = both;
  }

  /** `where`: a host, for all that it sends and receives, or a path `from>to`. */
  begin(where: string, amount: number): void {
    this.#set(where, [...(this.#amounts.get(where) ?? []), amount]);
  }

  /** One that began there; after a heal there is none. */
  end(where: string, amount: number): void {
    const left = [...(this.#amounts.get(where) ?? [])];
    const index = left.indexOf(amount);
    if (index !== -1) left.splice(index, 1);
    this.#set(where, left);
  }

  /** Of all that are met on the way. */
  along(from: string, to: string): number {
    const known = this.#together;
    const none = this.#none;
    if (known.size === 0) return none;
    const ofHosts = this.#both(known.get(from) ?? none, known.get(to) ?? none);
    return this.#both(ofHosts, known.get(pathName(from, to)) ?? none);
  }

  clear(): void {
    this.#amounts.clear();
    this.#together.clear();
  }

  #set(where: string, amounts: readonly number[]): void {
    if (amounts.length === 0) {
      this.#amounts.delete(where);
      this.#together.delete(where);
    } else {
      this.#amounts.set(where, amounts);
      this.#together.set(
        where,
        amounts.reduce((one, other) => this.#both(one, other), this.#none),
      );
    }
  }
}

export function pathName(from: string, to: string): string {
  return `${from}>${to}`;
}
