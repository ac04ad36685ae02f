/** Held bytes: what a client sent before the answer that it should have waited for. */
export class HeldBytes {
  readonly #max: number;
  #chunks: Uint8Array[] | undefined;
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get empty(): boolean {
    return this.#chunks === undefined;
  }

  /** False when that was more than the bound allows. */
  put(bytes: Uint8Array): boolean {
    this.#size += bytes.length;
    if (this.#size > this.#max) return false;
    (this.#chunks ??= []).push(bytes);
    return true;
  }

  /** Empties it. */
  takeAll(): readonly Uint8Array[] {
    const all = this.#chunks ?? [];
    this.#chunks = undefined;
    this.#size = 0;
    return all;
  }
}
