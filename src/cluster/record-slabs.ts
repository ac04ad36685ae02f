/**
 * Record slabs: where do the bytes of very many small records lie?
 *
 * One behind the other in large pieces of memory outside the heap: the collector, which walks every
 * object and moves every young string, sees one object where there are some three hundred records.
 *
 *     slab    | record | dead | record | record | room …
 *
 * Written bytes never change, so that whoever has found a record may read it later. A replaced record
 * is dead; a slab that is dead by more than half is to be emptied by whoever knows where its records belong.
 */
import { allocBytes } from "../base/bytes.ts";
import { assert } from "../base/assert.ts";

/** Slab and offset in 32 bits; 0 is no place. A record that is longer than a slab has one of its own. */
export type Place = number;

const offsetBits = 16;
export const slabBytes = 65_536;
/** 4 GiB. */
const slabsMax = 65_535;
const smallestBytes = 256;

export interface Slab {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  used: number;
  dead: number;
}

const noSlab: Slab = slabOf(0, 0);

export class RecordSlabs {
  #slabs: (Slab | undefined)[] = [noSlab];
  readonly #gone: number[] = [];
  #current = noSlab;
  /** It was dead by more than half when it was full: maybe nothing in it is left to be released. */
  #retired: Slab | undefined;
  #bytes = 0;

  /** Of all records, the dead ones in slabs that are still here included. */
  get bytes(): number {
    return this.#bytes;
  }

  at(place: Place): Slab {
    const slab = this.#slabs[place >>> offsetBits];
    assert(slab !== undefined, "No record lies in a slab that is gone");
    return slab;
  }

  offset(place: Place): number {
    return place & (slabBytes - 1);
  }

  /** Room for so many bytes of records, at most `slabBytes` or one record; they are written there at once. */
  take(size: number): Place {
    if (this.#current.used + size > this.#current.bytes.length) this.#open(size);
    const { number, used } = this.#current;
    this.#current.used += size;
    this.#bytes += size;
    return ((number << offsetBits) | used) >>> 0;
  }

  /** A record of so many bytes is dead. Returns its slab if that should be emptied. */
  release(place: Place, size: number): Slab | undefined {
    const slab = this.at(place);
    slab.dead += size;
    return slab !== this.#current && slab.dead * 2 > slab.used ? slab : undefined;
  }

  /** One that should be emptied, too. */
  takeRetired(): Slab | undefined {
    const retired = this.#retired;
    this.#retired = undefined;
    return retired;
  }

  /** Nothing in it is alive. */
  drop(slab: Slab): void {
    const { number, used } = slab;
    if (slab === this.#retired) this.#retired = undefined;
    this.#slabs[number] = undefined;
    this.#gone.push(number);
    this.#bytes -= used;
  }

  clear(): void {
    this.#slabs = [noSlab];
    this.#gone.length = 0;
    this.#current = noSlab;
    this.#retired = undefined;
    this.#bytes = 0;
  }

  /** The first ones are small: most tables of most nodes are. */
  #open(size: number): void {
    const number = this.#gone.pop() ?? this.#slabs.length;
    assert(
      number <= slabsMax,
      `A partition has ${slabsMax} slabs of records, which is the maximum`,
    );
    const { used, dead } = this.#current;
    if (dead * 2 > used) this.#retired = this.#current;
    const usual = Math.min(slabBytes, Math.max(smallestBytes, this.#bytes));
    this.#current = slabOf(number, Math.max(size, usual));
    this.#slabs[number] = this.#current;
  }
}

function slabOf(number: number, size: number): Slab {
  const bytes = allocBytes(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, size);
  return { number, bytes, view, used: 0, dead: 0 };
}
