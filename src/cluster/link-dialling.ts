/**
 * Link dialling: when is a node dialled next, and when do refusals mean that it is gone?
 *
 * Dialled is whom discovery's list names, and for some minutes whom it no longer names. Pauses double, less
 * a random part, so that nodes that started together do not go on together. A host that twice refuses
 * connections, a moment apart, has no such process any more; any other outcome says nothing of the kind.
 */
import type { Instant } from "../base/time.ts";
import type { MeshSurroundings } from "./mesh-context.ts";
import type { NodeName } from "./peer.ts";

export class Dialling {
  readonly #context: MeshSurroundings;
  /** The smaller name goes first: dials that cross cost a round trip. */
  readonly #weGoFirst: boolean;
  address: string | undefined;
  /** Whether discovery's list in force names it. */
  listed = false;
  /** Until then it is dialled although no list names it. */
  until: Instant = -Infinity;
  /** The next dial, if nothing makes it needless. */
  at: Instant = 0;
  #backoff: number;
  #refusedAt: Instant | undefined;

  constructor(context: MeshSurroundings, name: NodeName) {
    this.#context = context;
    this.#weGoFirst = context.options.self.name < name;
    this.#backoff = context.options.timing.dialBackoff;
  }

  get wanted(): boolean {
    return this.listed || this.#context.now < this.until;
  }

  /** It was a peer a moment ago. */
  keepTrying(): void {
    this.until = this.#context.now + this.#context.options.timing.redialFor;
  }

  /** Named by discovery. */
  discovered(address: string): void {
    if (!this.listed || this.address !== address) this.soon();
    this.listed = true;
    this.address = address;
  }

  /** It has said goodbye; its name may yet be on the list for a while. */
  left(): void {
    this.until = -Infinity;
    this.at = this.#context.now + this.#context.options.timing.dialBackoffMax;
  }

  soon(): void {
    const { dialBackoff, headStart } = this.#context.options.timing;
    this.#backoff = dialBackoff;
    this.at = this.#context.now + (this.#weGoFirst ? 0 : headStart);
  }

  later(): void {
    const { dialBackoffMax } = this.#context.options.timing;
    const longest = Math.min(this.#backoff, dialBackoffMax);
    this.#backoff = Math.min(2 * longest, dialBackoffMax);
    this.at = this.#context.now + Math.ceil(longest * (0.5 + this.#context.chance() / 2));
  }

  /** Its host has refused a dial: is that proof that the process is gone? */
  refused(): boolean {
    const { now, options } = this.#context;
    const { refusedGap } = options.timing;
    if (this.#refusedAt === undefined) {
      this.#refusedAt = now;
      this.at = now + refusedGap;
      return false;
    }
    return now - this.#refusedAt >= refusedGap;
  }

  notRefused(): void {
    this.#refusedAt = undefined;
  }
}
