/**
 * Record layout: how does one record lie in bytes, in memory as on the wire?
 *
 *     byte flags | uint seq | uint length, key | uint length, value | (extended: uint length, more)
 *
 * One form for both, so that snapshots and operations are copied and not made. An operation is the record that
 * it has written, or, with the flag `deleted` and without a value, the end of one. What is read here was written here or has
 * been checked by `readChunk`: no bound is looked at again. A newer release may append fields behind the flag
 * `extended`; they are kept with the record and not looked at.
 */
import { writeBinary, type BinaryString } from "../base/bytes.ts";

export const deleted = 1;
export const extended = 2;
/** In memory: the record was replaced or deleted, nobody points to it. On the wire it means nothing. */
const dead = 128;

/** Where the parts of a record are. One of them serves for many records in turn. */
export class RecordLayout {
  seq = 0;
  keyAt = 0;
  keyLength = 0;
  valueAt = 0;
  valueLength = 0;
  /** Behind its last byte. */
  end = 0;

  read(bytes: Uint8Array, at: number): void {
    this.end = at + 1;
    this.seq = this.#uint(bytes);
    this.keyLength = this.#uint(bytes);
    this.keyAt = this.end;
    this.end += this.keyLength;
    this.valueLength = this.#uint(bytes);
    this.valueAt = this.end;
    this.end += this.valueLength;
    if (((bytes[at] as number) & extended) === 0) return;
    const more = this.#uint(bytes);
    this.end += more;
  }

  /** Only where its key is: a search wants to know no more. */
  readKey(bytes: Uint8Array, at: number): void {
    let end = at + 1;
    while ((bytes[end++] as number) >= 128);
    const length = bytes[end++] as number;
    this.keyAt = end;
    this.keyLength = length;
    if (length >= 128) this.read(bytes, at);
  }

  #uint(bytes: Uint8Array): number {
    let next = bytes[this.end++] as number;
    let value = next & 127;
    for (let scale = 128; next >= 128; scale *= 128) {
      next = bytes[this.end++] as number;
      value += (next & 127) * scale;
    }
    return value;
  }
}

export function recordSize(key: BinaryString, value: BinaryString, seq: number): number {
  const [keySize, valueSize] = [uintSize(key.length), uintSize(value.length)];
  return 1 + uintSize(seq) + keySize + key.length + valueSize + value.length;
}

export function writeRecord(
  bytes: Uint8Array,
  start: number,
  key: BinaryString,
  value: BinaryString,
  seq: number,
  flags = 0,
): void {
  bytes[start] = flags;
  let at = writeUint(bytes, start + 1, seq);
  at = writeUint(bytes, at, key.length);
  writeBinary(bytes, at, key);
  at = writeUint(bytes, at + key.length, value.length);
  writeBinary(bytes, at, value);
}

/** Flags that mean nothing to us are not kept. */
export function markAlive(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] as number) & extended;
}

export function markDead(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] as number) | dead;
}

export function isDeletion(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] as number) & deleted) !== 0;
}

export function isDead(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] as number) & dead) !== 0;
}

function uintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function writeUint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128;
  bytes[at] = rest;
  return at + 1;
}
