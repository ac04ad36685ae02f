/** Entropy: unpredictable bytes from the system, drawn a pool at a time since each draw is a system call. */
import { randomFillSync } from "node:crypto";
import type { Entropy } from "../ports/entropy.ts";

const poolSize = 4_096;

export class SystemEntropy implements Entropy {
  #pool = new Uint8Array(0);
  #at = 0;

  bytes(count: number): Uint8Array {
    if (count > poolSize) return randomFillSync(new Uint8Array(count));
    if (this.#at + count > this.#pool.length) {
      this.#pool = randomFillSync(new Uint8Array(poolSize));
      this.#at = 0;
    }
    const bytes = this.#pool.slice(this.#at, this.#at + count);
    this.#pool.fill(0, this.#at, this.#at + count); // what was handed out is not kept
    this.#at += count;
    return bytes;
  }
}
