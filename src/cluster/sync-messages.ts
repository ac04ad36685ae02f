/**
 * Sync messages: how do tables speak with each other?
 *
 *     tables      digest version, entries: number, name, schema    first in a session, by both sides
 *     have        head, what the reader has: nothing, all up to a seq, or nothing that it trusts
 *     operations  head, first seq, the operations                  each laid out as in memory: record-layout.ts
 *     delta       head, last seq that the reader has, the operations since: all that it missed
 *     begin       head, sync, seq, about how many records          a snapshot of the state at seq follows
 *     chunk       head, sync, records                              (class sync, the others: messages)
 *     end         head, sync, seq                                  all has been sent that is true at seq
 *     visible     head, seq                                        shown here: somebody waits, or a beat agrees
 *     (beat)      digest version, entries: head, seq, count, digest
 *
 * head = number of the table as its *sender* counts, and a stream: 0 goes to everyone, others are kept for
 * copies to one peer. A newer release may append fields to a message or an entry, and to an operation or
 * record behind its flag `extended`; readers skip what they do not know.
 */
import { binaryFromBytes, type BinaryString } from "../base/bytes.ts";
import { binary, byte, fixed32, fixed64, text, uint, WireError, type WireReader } from "./codec.ts";
import type { Operation } from "./operation-log.ts";
import type { Peer } from "./peer.ts";
import { extended } from "./record-layout.ts";
import type { WireRecords } from "./wire-records.ts";

const report = 1;
const maxEntries = 1_024;

export interface TableHead {
  /** As the sender of the message counts its tables. */
  readonly table: number;
  readonly stream: number;
}

export interface AnnouncedTable {
  readonly number: number;
  readonly name: string;
  readonly schema: number;
}

/** What a reader says that it has: undefined is nothing, and a snapshot is wanted in any case if so said. */
export interface Have {
  readonly owner: { readonly incarnation: number; readonly boot: string };
  readonly seq: number | undefined;
  readonly snapshot: boolean;
}

export interface TableState {
  readonly seq: number;
  readonly count: number;
  readonly low: number;
  readonly high: number;
}

export interface Operations {
  /** The seq before the first of them. */
  readonly from: number;
  /** That of the last one. */
  readonly last: number;
  /** Looked through: they are numbered one after the other. */
  readonly records: WireRecords;
  /** Tell the owner when all of it is visible. */
  readonly report: boolean;
}

/** Everyone's stream. */
export const mainStream = 0;

function head(table: number): BinaryString {
  return uint(table) + uint(mainStream);
}

export function readHead(reader: WireReader): TableHead {
  return { table: reader.uint(), stream: reader.uint() };
}

export function writeTables(digest: number, tables: readonly AnnouncedTable[]): BinaryString {
  let body = uint(digest) + uint(tables.length);
  for (const { number, name, schema } of tables) {
    body += binary(uint(number) + text(name) + uint(schema));
  }
  return body;
}

export function readTables(reader: WireReader): {
  readonly digest: number;
  readonly tables: readonly AnnouncedTable[];
} {
  const digest = reader.uint();
  const tables = readEntries(reader, (entry) => ({
    number: entry.uint(),
    name: entry.text(255),
    schema: entry.uint(),
  }));
  return { digest, tables };
}

export function writeBeat(digest: number, tables: readonly TableState[]): BinaryString {
  let body = uint(digest) + uint(tables.length);
  for (const [number, { seq, count, low, high }] of tables.entries()) {
    body += binary(head(number) + uint(seq) + uint(count) + fixed32(low) + fixed32(high));
  }
  return body;
}

export function readBeat(reader: WireReader): {
  readonly digest: number;
  readonly tables: readonly (TableHead & TableState)[];
} {
  const digest = reader.uint();
  const tables = readEntries(reader, (entry) => ({
    table: entry.uint(),
    stream: entry.uint(),
    seq: entry.uint(),
    count: entry.uint(),
    low: entry.fixed32(),
    high: entry.fixed32(),
  }));
  return { digest, tables };
}

function readEntries<T>(reader: WireReader, read: (entry: WireReader) => T): readonly T[] {
  const count = reader.uint();
  if (count > maxEntries) throw new WireError(`${count} tables, at most ${maxEntries} are allowed`);
  const entries: T[] = [];
  for (let i = 0; i < count; i++) entries.push(read(reader.nested()));
  return entries;
}

export function writeHave(
  table: number,
  owner: Peer,
  seq?: number,
  snapshot = false,
): BinaryString {
  const mode = snapshot ? 2 : seq === undefined ? 0 : 1;
  return (
    head(table) +
    byte(mode) +
    fixed64(owner.incarnation) +
    binary(owner.boot) +
    (mode === 1 ? uint(seq ?? 0) : "")
  );
}

export function readHave(reader: WireReader): Have {
  const mode = reader.byte();
  const owner = { incarnation: reader.fixed64(), boot: reader.binary(64) };
  // An unknown mode of a newer release is answered with what helps always.
  return { owner, seq: mode === 1 ? reader.uint() : undefined, snapshot: mode > 1 };
}

/** A body of `operations`; `wanted`: the reader shall report. */
export function writeOperations(
  table: number,
  from: number,
  operations: readonly Operation[],
  wanted: boolean,
): BinaryString {
  return head(table) + byte(wanted ? report : 0) + uint(from + 1) + writeList(operations);
}

export function readOperations(reader: WireReader): Operations {
  const flags = reader.byte();
  const from = reader.uint() - 1;
  if (from < 0) throw new WireError("Operations are numbered from 1");
  return readList(reader, from, (flags & report) !== 0);
}

export function writeDelta(
  table: number,
  from: number,
  missed: readonly Operation[],
): BinaryString {
  return head(table) + uint(from) + writeList(missed);
}

export function readDelta(reader: WireReader): Operations {
  const from = reader.uint();
  return readList(reader, from, false);
}

/** Mostly they lie one behind the other, and are copied together. */
function writeList(operations: readonly Operation[]): BinaryString {
  let body = uint(operations.length);
  let run: Operation | undefined;
  let end = 0;
  for (const operation of operations) {
    if (operation.bytes !== run?.bytes || operation.at !== end) {
      if (run !== undefined) body += binaryFromBytes(run.bytes, run.at, end);
      run = operation;
    }
    end = operation.end;
  }
  return run === undefined ? body : body + binaryFromBytes(run.bytes, run.at, end);
}

function readList(reader: WireReader, from: number, reported: boolean): Operations {
  const last = from + reader.uint();
  const start = reader.position;
  for (let seq = from + 1; seq <= last; seq++) {
    const found = passRecord(reader);
    if (found !== seq) throw new WireError(`Operation ${seq} has the number ${found}`);
  }
  const records = { bytes: reader.bytes, start, end: reader.position };
  return { from, last, records, report: reported };
}

/** Its seq. */
function passRecord(reader: WireReader): number {
  const flags = reader.byte();
  const seq = reader.uint();
  reader.skip();
  reader.skip();
  if ((flags & extended) !== 0) reader.skip();
  return seq;
}

export function writeBegin(table: number, sync: number, seq: number, count: number): BinaryString {
  return writeEnd(table, sync, seq) + uint(count);
}

export function writeEnd(table: number, sync: number, seq: number): BinaryString {
  return head(table) + uint(sync) + uint(seq);
}

/** Of `begin` and `end`. */
export function readBounds(reader: WireReader): { readonly sync: number; readonly seq: number } {
  return { sync: reader.uint(), seq: reader.uint() };
}

/** Of `begin`, behind its bounds; 0 if a release does not say. */
export function readCount(reader: WireReader): number {
  return reader.done ? 0 : reader.uint();
}

/** `records` one after the other, each laid out as in memory: `record-layout.ts`. */
export function writeChunk(
  table: number,
  sync: number,
  count: number,
  records: BinaryString,
): BinaryString {
  return head(table) + uint(sync) + uint(count) + records;
}

/** The records of a chunk, looked through but not taken out; undefined: of another sync. */
export function readChunk(reader: WireReader, sync: number): WireRecords | undefined {
  if (reader.uint() !== sync) return undefined;
  const count = reader.uint();
  const start = reader.position;
  for (let i = 0; i < count; i++) passRecord(reader);
  return { bytes: reader.bytes, start, end: reader.position };
}

export function writeVisible(table: number, seq: number): BinaryString {
  return head(table) + uint(seq);
}

export function readVisible(reader: WireReader): number {
  return reader.uint();
}
