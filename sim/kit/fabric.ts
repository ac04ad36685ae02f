/**
 * Fabric: can a packet from this host reach that one, how long does it take, and how many fit through?
 *
 * Hosts are names: clients, nodes, the database. A cut has a direction; cuts are counted, so that two
 * troubles which overlap end each on its own. A host that is down answers nobody. Whoever holds bytes
 * is told when something changes. Noise is no trouble that ends: a heal leaves it. Knows no
 * connections and no protocol.
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
  readonly #delays = new Map<string, number>();
  readonly #rates = new Map<string, number>();
  #noise: Noise = noNoise;
  #windowMin = 0;
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  isCut(from: string, to: string): boolean {
    if (this.#down.size > 0 && (this.#down.has(from) || this.#down.has(to))) return true;
    return this.#cuts.size > 0 && this.#cuts.has(pair(from, to));
  }

  cut(from: string, to: string): void {
    const key = pair(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
    this.#onChange();
  }

  mend(from: string, to: string): void {
    const key = pair(from, to);
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

  /** Milliseconds on top of the usual, for all that this host sends and receives. */
  setHostDelay(host: string, milliseconds: number): void {
    set(this.#delays, host, milliseconds);
  }

  /** Milliseconds on top of the usual, one way. */
  setPathDelay(from: string, to: string, milliseconds: number): void {
    set(this.#delays, pair(from, to), milliseconds);
  }

  delay(from: string, to: string): number {
    const delays = this.#delays;
    const noise = this.#noise.latencyMs;
    if (delays.size === 0) return noise;
    return (
      noise + (delays.get(from) ?? 0) + (delays.get(to) ?? 0) + (delays.get(pair(from, to)) ?? 0)
    );
  }

  /** Bytes a second of each connection, in each direction, of this host; Infinity: as many as it likes. */
  setHostRate(host: string, bytesPerSecond: number): void {
    setRate(this.#rates, host, bytesPerSecond);
  }

  /** The same, one way. */
  setPathRate(from: string, to: string, bytesPerSecond: number): void {
    setRate(this.#rates, pair(from, to), bytesPerSecond);
  }

  /** Of the narrowest stretch of the way. */
  rate(from: string, to: string): number {
    const rates = this.#rates;
    if (rates.size === 0) return Infinity;
    const of = (key: string): number => rates.get(key) ?? Infinity;
    return Math.min(of(from), of(to), of(pair(from, to)));
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
    this.#delays.clear();
    this.#rates.clear();
    this.#onChange();
  }
}

function pair(from: string, to: string): string {
  return `${from}>${to}`;
}

function setRate(map: Map<string, number>, key: string, bytesPerSecond: number): void {
  if (bytesPerSecond === Infinity) map.delete(key);
  else map.set(key, bytesPerSecond);
}

function set(map: Map<string, number>, key: string, milliseconds: number): void {
  if (milliseconds === 0) map.delete(key);
  else map.set(key, milliseconds);
}
