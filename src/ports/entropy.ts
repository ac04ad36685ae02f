/** Entropy: unpredictable bytes, from the system in production and from the seed in the simulator. */
export interface Entropy {
  bytes(count: number): Uint8Array;
}
