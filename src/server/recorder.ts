/**
 * Recorder: what a flight recorder is told. The loop calls it, `recording.ts` writes it down.
 */
import type { Now } from "../base/time.ts";
import type { WorldEffect, WorldInput } from "./effects.ts";

export interface Recorder {
  input(now: Now, input: WorldInput): void;
  entropy(bytes: Uint8Array): void;
  effects(effects: readonly WorldEffect[]): void;
}
