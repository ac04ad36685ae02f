/**
 * Record store: which records are there, and which one has this key?
 *
 * Each record has a number while it lives, also when it is written anew. What is known of it stands in columns
 * by number, its bytes in slabs (`record-slabs.ts`): a record costs its own bytes and some thirty more, and
 * the collector nothing. Beside the records goes their digest.
 *
 *     key → [hash slots] → number → [places] → bytes in a slab
 *
 * Records in order of their numbers lie mostly one behind the other, in the form that the wire wants, so a
 * snapshot is copied in long runs. A walk by numbers may be interrupted: a number's record changes or goes, but
 * what was there and stays is met.
 */
import { assert } from "../base/assert.ts";
import { binaryFromBytes, copyFew, copyInto, type BinaryString } from "../base/bytes.ts";
import { Digest } from "./digest.ts";
import { grown, HashSlots, none } from "./hash-slots.ts";
import { knownHash, type KeyHash } from "./key-hash.ts";
import type { Operation } from "./operation-log.ts";
import {
  deleted,
  isDead,
  markAlive,
  markDead,
  RecordLayout,
  recordSize,
  writeRecord,
} from "./record-layout.ts";
import { RecordSlabs, slabBytes, type Place, type Slab } from "./record-slabs.ts";
import type { RecordWalk, WireRecords } from "./wire-records.ts";

/** Seen beside a record's bytes: its place, two hashes, two slots, its place in a list of the index. */
const overheadBytes = 40;

/** How far a copy of all records has come. */
export interface CopyCursor {
  next: number;
  /** Numbers from here on were given later. */
  readonly end: number;
  /** Records written later are left out. */
  readonly seqMax: number;
}

export interface CopyLimits {
  readonly bytesMax: number;
  /** How many numbers may be looked at. */
  readonly recordsMax: number;
}

/** A record that was loaded. Its key and value are slices of one string for many: to look at, not to keep. */
export type Loaded = (number: number, key: BinaryString, value: BinaryString) => void;

export class RecordStore {
  readonly digest = new Digest();
  readonly hash: KeyHash;
  readonly #slabs = new RecordSlabs();
  readonly #byKey = new HashSlots();
  /** By number; 0: it is free. */
  #places = new Uint32Array(8);
  readonly #free: number[] = [];
  #end = 0;
  readonly #layout = new RecordLayout();
  /** Of a record that another one is compared with. */
  readonly #seen = new RecordLayout();

  constructor(hash = knownHash) {
    this.hash = hash;
  }

  get size(): number {
    return this.#end - this.#free.length;
  }

  /** About how much memory it holds. */
  get bytes(): number {
    return this.#slabs.bytes + this.size * overheadBytes;
  }

  /** All numbers are below. */
  get end(): number {
    return this.#end;
  }

  has(number: number): boolean {
    return number < this.#end && this.#places[number] !== 0;
  }

  reserve(records: number): void {
    this.#byKey.reserve(records);
    this.#places = grown(this.#places, records);
  }

  find(key: BinaryString, hash: number): number {
    const slots = this.#byKey;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const number = slots.numberAt(slot);
      if (number === none || (slots.hashOf(number) === hash && this.#hasKey(number, key))) {
        return number;
      }
    }
  }

  /** By the key of a record that was received, whose hash this is. */
  findReceived({ view, layout }: RecordWalk, hash: number): number {
    const slots = this.#byKey;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const number = slots.numberAt(slot);
      if (number === none) return none;
      if (slots.hashOf(number) === hash && this.#hasKeyOf(number, view, layout)) return number;
    }
  }

  /** The slab in which a record's bytes are. */
  slabOf(number: number): Slab {
    return this.#slabs.at(this.#places[number] as Place);
  }

  /** And where they begin there. */
  offsetOf(number: number): number {
    return this.#slabs.offset(this.#places[number] as Place);
  }

  /** Is this how the record's key starts? */
  startsWith(number: number, text: BinaryString): boolean {
    const { bytes, view } = this.slabOf(number);
    this.#seen.readKey(bytes, this.offsetOf(number));
    const { keyAt, keyLength } = this.#seen;
    return keyLength >= text.length && this.hash.isTextAt(view, keyAt, text);
  }

  /** The hash of so many chars at the start of the record's key. */
  hashOfStart(number: number, length: number): number {
    const { bytes, view } = this.slabOf(number);
    this.#seen.readKey(bytes, this.offsetOf(number));
    return this.hash.ofBytes(view, this.#seen.keyAt, length);
  }

  /** A record under a key that is new, with the key's hash; returns its number. */
  insert(key: BinaryString, value: BinaryString, seq: number, hash: number): number {
    const place = this.#write(key, value, seq);
    this.#digestAdd(place);
    return this.#enter(place, hash);
  }

  /** As `insert`, of a record that was received. */
  insertReceived(record: RecordWalk, hash: number): number {
    const place = this.#copyReceived(record);
    this.#digestAdd(place);
    return this.#enter(place, hash);
  }

  /**
   * Takes records in as they lie on the wire, but for those whose key is here already or among `except`. `added`
   * is told of each.
   */
  load(
    { bytes, start, end }: WireRecords,
    except: ReadonlySet<BinaryString>,
    added?: Loaded,
  ): void {
    for (let from = start; from < end;) {
      const to = this.#slabful(bytes, from, end);
      const place = this.#copy(bytes, from, to);
      this.#enterAll(place, to - from, except, added);
      from = to;
    }
  }

  /** The record of a number is written anew under the same key. */
  replace(number: number, key: BinaryString, value: BinaryString, seq: number): void {
    this.#move(number, this.#write(key, value, seq));
  }

  /** The same by one that was received. */
  replaceReceived(number: number, record: RecordWalk): void {
    this.#move(number, this.#copyReceived(record));
  }

  /** The operation that wrote a record: where it lies now. */
  operation(number: number): Operation {
    return this.#operationAt(this.#places[number] as Place);
  }

  remove(number: number): void {
    this.#remove(number);
    if (this.size === 0) this.#clear();
  }

  /** The same by an operation, which lies among the records and is dead from the start. */
  delete(number: number, key: BinaryString, seq: number): Operation {
    this.#remove(number);
    const place = this.#write(key, "", seq, deleted);
    const operation = this.#operationAt(place);
    this.#bury(place, operation.end - operation.at);
    if (this.size === 0) this.#clear();
    return operation;
  }

  /** A cursor for all records that are there now. */
  copyFrom(seqMax: number): CopyCursor {
    return { next: 0, end: this.#end, seqMax };
  }

  /** The next records as the wire wants them, one behind the other. */
  copy(
    cursor: CopyCursor,
    { bytesMax, recordsMax }: CopyLimits,
  ): { readonly count: number; readonly records: BinaryString } {
    const end = Math.min(cursor.end, this.#end, cursor.next + recordsMax);
    const layout = this.#layout;
    let records: BinaryString = "";
    let count = 0;
    let size = 0;
    // Those that lie one behind the other are copied together.
    let bytes: Uint8Array = noBytes;
    let from = 0;
    let to = 0;
    for (; cursor.next < end; cursor.next++) {
      if (!this.has(cursor.next)) continue;
      const slab = this.slabOf(cursor.next);
      const at = this.offsetOf(cursor.next);
      layout.read(slab.bytes, at);
      if (layout.seq > cursor.seqMax) continue;
      if (count > 0 && size + layout.end - at > bytesMax) break;
      if (slab.bytes !== bytes || at !== to) {
        records += binaryFromBytes(bytes, from, to);
        bytes = slab.bytes;
        from = at;
      }
      to = layout.end;
      size += to - at;
      count += 1;
    }
    if (cursor.next >= this.#end) cursor.next = Math.max(cursor.next, cursor.end);
    return { count, records: records + binaryFromBytes(bytes, from, to) };
  }

  #hasKey(number: number, key: BinaryString): boolean {
    const { bytes, view } = this.slabOf(number);
    this.#seen.readKey(bytes, this.offsetOf(number));
    const { keyAt, keyLength } = this.#seen;
    return keyLength === key.length && this.hash.isTextAt(view, keyAt, key);
  }

  #hasKeyOf(number: number, view: DataView, layout: RecordLayout): boolean {
    const slab = this.slabOf(number);
    this.#seen.readKey(slab.bytes, this.offsetOf(number));
    const { keyAt, keyLength } = this.#seen;
    if (keyLength !== layout.keyLength) return false;
    return isSame(slab.view, keyAt, view, layout.keyAt, keyLength);
  }

  #write(key: BinaryString, value: BinaryString, seq: number, flags = 0): Place {
    const place = this.#slabs.take(recordSize(key, value, seq));
    writeRecord(this.#slabs.at(place).bytes, this.#slabs.offset(place), key, value, seq, flags);
    return place;
  }

  #operationAt(place: Place): Operation {
    const { bytes } = this.#slabs.at(place);
    const at = this.#slabs.offset(place);
    this.#layout.read(bytes, at);
    return { bytes, at, end: this.#layout.end };
  }

  #copyReceived({ bytes, view, at, layout: { end } }: RecordWalk): Place {
    const place = this.#slabs.take(end - at);
    const slab = this.#slabs.at(place);
    const offset = this.#slabs.offset(place);
    if (end - at <= fewBytes) copyFew(slab.view, offset, view, at, end);
    else copyInto(slab.bytes, offset, bytes, at, end);
    markAlive(slab.bytes, offset);
    return place;
  }

  #move(number: number, place: Place): void {
    const before = this.#places[number] as Place;
    this.#places[number] = place;
    this.#digestAdd(place);
    this.#leave(before);
  }

  #copy(bytes: Uint8Array, start: number, end: number): Place {
    const place = this.#slabs.take(end - start);
    copyInto(this.#slabs.at(place).bytes, this.#slabs.offset(place), bytes, start, end);
    return place;
  }

  /** Where the last record ends that has room in one slab. */
  #slabful(bytes: Uint8Array, start: number, end: number): number {
    if (end - start <= slabBytes) return end;
    let to = start;
    do {
      this.#layout.read(bytes, to);
      if (this.#layout.end - start > slabBytes && to > start) break;
      to = this.#layout.end;
    } while (to < end);
    return to;
  }

  /** Gives numbers to records that have just been copied to this place. */
  #enterAll(
    start: Place,
    size: number,
    except: ReadonlySet<BinaryString>,
    added: Loaded | undefined,
  ): void {
    const slab = this.#slabs.at(start);
    const first = this.#slabs.offset(start);
    const text = added === undefined ? "" : binaryFromBytes(slab.bytes, first, first + size);
    const layout = this.#layout;
    for (let place = start; place < start + size;) {
      const at = this.#slabs.offset(place);
      layout.read(slab.bytes, at);
      const { keyAt, keyLength, valueAt, valueLength } = layout;
      const bytes = layout.end - at;
      const hash = this.hash.ofBytes(slab.view, keyAt, keyLength);
      markAlive(slab.bytes, at);
      if (this.#isWanted(slab, keyAt, keyLength, hash, except)) {
        this.digest.add(slab.view, layout);
        const number = this.#enter(place, hash);
        const [keyFrom, valueFrom] = [keyAt - first, valueAt - first];
        const key = text.slice(keyFrom, keyFrom + keyLength);
        added?.(number, key, text.slice(valueFrom, valueFrom + valueLength));
      } else {
        markDead(slab.bytes, at);
        this.#slabs.release(place, bytes);
      }
      place += bytes;
    }
  }

  #isWanted(
    slab: Slab,
    keyAt: number,
    keyLength: number,
    hash: number,
    except: ReadonlySet<BinaryString>,
  ): boolean {
    if (except.size === 0 && !this.#hasHash(hash)) return true;
    const key = binaryFromBytes(slab.bytes, keyAt, keyAt + keyLength);
    return !except.has(key) && this.find(key, hash) === none;
  }

  #hasHash(hash: number): boolean {
    const slots = this.#byKey;
    for (let slot = slots.first(hash); ; slot = slots.next(slot)) {
      const number = slots.numberAt(slot);
      if (number === none) return false;
      if (slots.hashOf(number) === hash) return true;
    }
  }

  #enter(place: Place, hash: number): number {
    const number = this.#free.pop() ?? this.#end++;
    this.#places = grown(this.#places, this.#end);
    this.#places[number] = place;
    this.#byKey.add(number, hash);
    return number;
  }

  #digestAdd(place: Place): void {
    const { bytes, view } = this.#slabs.at(place);
    this.#layout.read(bytes, this.#slabs.offset(place));
    this.digest.add(view, this.#layout);
  }

  #remove(number: number): void {
    const place = this.#places[number] as Place;
    this.#byKey.remove(number);
    this.#places[number] = 0;
    this.#free.push(number);
    this.#leave(place);
  }

  /** Nobody points to these bytes any more. */
  #leave(place: Place): void {
    const { bytes, view } = this.#slabs.at(place);
    const at = this.#slabs.offset(place);
    this.#layout.read(bytes, at);
    this.digest.remove(view, this.#layout);
    this.#bury(place, this.#layout.end - at);
  }

  #bury(place: Place, size: number): void {
    markDead(this.#slabs.at(place).bytes, this.#slabs.offset(place));
    const slab = this.#slabs.release(place, size);
    if (slab !== undefined) this.#empty(slab);
    const retired = this.#slabs.takeRetired();
    if (retired !== undefined) this.#empty(retired);
  }

  /** Moves what is alive in a slab to the end: half a slab at most, and as much as that is won. */
  #empty(slab: Slab): void {
    const { bytes, used } = slab;
    const layout = new RecordLayout();
    for (let at = 0; at < used; at = layout.end) {
      layout.read(bytes, at);
      if (isDead(bytes, at)) continue;
      const number = this.#numberOf(slab, at, layout);
      this.#places[number] = this.#copy(bytes, at, layout.end);
    }
    this.#slabs.drop(slab);
  }

  /** Whose bytes are these? */
  #numberOf(slab: Slab, at: number, { keyAt, keyLength }: RecordLayout): number {
    const slots = this.#byKey;
    let slot = slots.first(this.hash.ofBytes(slab.view, keyAt, keyLength));
    for (;;) {
      const number = slots.numberAt(slot);
      assert(number !== none, "What is alive in a slab has a number");
      if (this.slabOf(number) === slab && this.offsetOf(number) === at) return number;
      slot = slots.next(slot);
    }
  }

  #clear(): void {
    this.#slabs.clear();
    this.#free.length = 0;
    this.#end = 0;
  }
}

const noBytes = new Uint8Array(0);

/** So many are copied faster by hand. */
const fewBytes = 1_024;

function isSame(a: DataView, aAt: number, b: DataView, bAt: number, length: number): boolean {
  let at = 0;
  for (; at + 3 < length; at += 4) {
    if (a.getInt32(aAt + at, true) !== b.getInt32(bAt + at, true)) return false;
  }
  for (; at < length; at++) if (a.getUint8(aAt + at) !== b.getUint8(bAt + at)) return false;
  return true;
}
